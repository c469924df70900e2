import assert from "node:assert/strict";
import { ageKeygen } from "../../../../tests/support/fixtures/age.ts";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newTask } from "../../../../tests/support/fixtures/records.ts";

Deno.test("recipients are shown, replaced and cleared, and exclude a password", async () => {
  await using api = await testApi();
  const client = await api.user();
  const [one, two] = [(await ageKeygen()).recipient, (await ageKeygen()).recipient];
  const id = await newTask(client, { encryption_recipients: [one] });
  const put = (body: unknown) => client.call("PUT", `/api/backup-tasks/${id}`, body);
  const shown = async (body: unknown) => {
    const { encryption_recipients, has_encryption_password } = (await put(body)).body.data;
    return [encryption_recipients, has_encryption_password];
  };
  assert.deepEqual(await shown({ label: "New" }), [[one], false]);
  assert.deepEqual(await shown({ encryption_recipients: [one, two] }), [[one, two], false]);
  const conflict = {
    encryption_recipients: [
      "The encryption recipients can't be used together with an encryption password. " +
      "Send null for one of them.",
    ],
  };
  assert.deepEqual((await put({ encryption_password: "pass" })).body.errors, conflict);
  assert.deepEqual(await shown({ encryption_password: "pass", encryption_recipients: null }), [[], true]);
  assert.deepEqual((await put({ encryption_recipients: [one] })).body.errors, conflict);
  assert.deepEqual(await shown({ encryption_password: null, encryption_recipients: [two] }), [[two], false]);
  assert.deepEqual(await shown({ encryption_recipients: [] }), [[], false]);
  const both = await client.call("POST", "/api/backup-tasks", {
    encryption_password: "pass",
    encryption_recipients: [one],
  });
  assert.equal(both.status, 422);
  assert.deepEqual(both.body.errors.encryption_recipients, conflict.encryption_recipients);
  assert.ok(both.body.errors.label);
});

Deno.test("an invalid recipient is named by its position and never repeated", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { recipient, identity } = await ageKeygen();
  const secret = identity.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"))!;
  const id = await newTask(client);
  const put = (keys: unknown[]) =>
    client.call("PUT", `/api/backup-tasks/${id}`, { encryption_recipients: keys });
  const refused = await put([recipient, `${recipient}x`, secret]);
  assert.equal(refused.status, 422);
  assert.deepEqual(refused.body.errors, {
    "encryption_recipients.1": [
      "The encryption recipients.1 field must be an age public key (age1…) with every character as age-keygen printed it.",
    ],
    "encryption_recipients.2": [
      "The encryption recipients.2 field holds a secret key. Keep it, and send its public key, which age-keygen -y prints.",
    ],
  });
  const many = await put(Array(33).fill(recipient));
  assert.deepEqual(many.body.errors, {
    encryption_recipients: ["The encryption recipients field must have at most 32 items."],
  });
});
