import assert from "node:assert/strict";
import { testApi } from "../../../tests/support/api.ts";

const SECRET = "https://hooks.slack.com/services/T0/B0/s3cret";

Deno.test("a stream's value is sealed and never shown", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user();
  const created = await call("POST", "/api/notification-streams", {
    label: "On call",
    type: "slack_webhook",
    value: SECRET,
    notifications: { on_success: "0" },
  });
  assert.equal(created.status, 201);
  const { id } = created.body.data;
  assert.deepEqual(created.body.data, {
    id,
    user_id: userId,
    label: "On call",
    type: "slack_webhook",
    type_human: "Slack Webhook",
    is_value_set: true,
    notifications: { on_success: false, on_failure: true },
    created_at: "2026-01-05T12:00:00Z",
    updated_at: "2026-01-05T12:00:00Z",
  });
  const listed = await call("GET", "/api/notification-streams");
  assert.deepEqual(listed.body.data, [created.body.data]);
  assert.ok(!JSON.stringify(listed.body).includes("s3cret"));
  const [row] = await api.database`select value_encrypted from notification_streams`;
  assert.ok(!row!.value_encrypted.includes("s3cret"));
  assert.equal(api.services.keyring.decrypt(row!.value_encrypted), SECRET);
});

Deno.test("each type says what its value must be", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const thirty = "a1".repeat(15);
  const bot = `123456:${"x".repeat(35)}`;
  const cases: [type: string, good: string[], bad: string[]][] = [
    ["email", ["ops@example.com"], ["ops", "a@b", "a b@example.com", "https://example.com"]],
    ["discord_webhook", ["https://discord.com/api/webhooks/1/x"], [
      "http://discord.com/x",
      "discord",
      "https://",
    ]],
    ["teams_webhook", ["https://x.webhook.office.com/webhookb2/1"], ["ftp://x.example"]],
    ["webhook", ["https://example.com:8443/hook?x=1"], [
      "javascript:alert(1)",
      "https:///x",
      "https://exa mple.com",
    ]],
    ["pushover", [`${thirty}/${thirty}`], [thirty, `${thirty}:${thirty}`]],
    ["telegram", [`${bot}/-100123`, `${bot}/@channel`], [bot, "-100123", `${bot}/`]],
  ];
  for (const [type, good, bad] of cases) {
    for (const [values, status] of [[good, 201], [bad, 422]] as const) {
      for (const value of values) {
        const answer = await call("POST", "/api/notification-streams", { label: "x", type, value });
        assert.equal(answer.status, status, `${type} ${value}`);
        if (status === 422) {
          assert.deepEqual(Object.keys(answer.body.errors), ["value"]);
          assert.ok(!JSON.stringify(answer.body).includes(bot), "the value isn't told back");
        }
      }
    }
  }
  const both = await call("POST", "/api/notification-streams", { type: "email", value: "nobody" });
  assert.deepEqual(Object.keys(both.body.errors).sort(), ["label", "value"]);
  const unknown = await call("POST", "/api/notification-streams", { label: "x", type: "pigeon", value: "y" });
  assert.match(unknown.body.errors.type[0], /^The type field must be one of: email, /);
});

Deno.test("a change keeps what it does not name, and the value must suit the type", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const { id, ...before } = (await call("POST", "/api/notification-streams", {
    label: "On call",
    type: "slack_webhook",
    value: SECRET,
    notifications: { on_success: false, on_failure: false },
  })).body.data;
  const path = `/api/notification-streams/${id}`;
  const changed = await call("PUT", path, { notifications: { on_failure: true } });
  assert.deepEqual(changed.body.data, {
    ...before,
    id,
    notifications: { on_success: false, on_failure: true },
  });
  assert.equal((await call("PUT", path, { type: "webhook" })).body.data.type_human, "Webhook");
  assert.deepEqual((await call("PUT", path, { type: "email" })).body.errors, {
    value: ["The value field must be an email address."],
  });
  assert.equal((await call("PUT", path, { value: "ops@example.com" })).status, 422);
  assert.equal((await call("PUT", path, { type: "email", value: "ops@example.com" })).status, 200);
  assert.deepEqual((await call("DELETE", path)).body, {
    message: "Notification stream successfully deleted",
  });
  assert.equal((await call("PUT", path, { label: "x" })).body.message, "Notification stream not found");
});
