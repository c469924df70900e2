import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newTask } from "../../../../tests/support/fixtures/records.ts";

const VERBS = ["view-scripts", "create-scripts", "update-scripts", "delete-scripts"] as const;

Deno.test("a script is created, shown, changed, listed and deleted", async () => {
  await using api = await testApi();
  const { call, userId } = await api.user(VERBS);
  const created = await call("POST", "/api/scripts", {
    label: " Freeze ",
    type: "prescript",
    script: "\uFEFFecho a\r\necho b\n",
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const { id } = created.body.data;
  const script = "echo a\necho b\n";
  assert.deepEqual(created.body.data, {
    id,
    user_id: userId,
    label: "Freeze",
    type: "prescript",
    script,
    timeout_seconds: 600,
    run_as: null,
    on_failure: "fail",
    sha256: createHash("sha256").update(script).digest("hex"),
    backup_tasks_count: 0,
    created_at: "2026-01-05T12:00:00Z",
    updated_at: "2026-01-05T12:00:00Z",
  });
  await api.clock.advance(5_000);
  const changed = await call("PUT", `/api/scripts/${id}`, { run_as: "postgres", on_failure: "warn" });
  assert.deepEqual(changed.body.data, {
    ...created.body.data,
    run_as: "postgres",
    on_failure: "warn",
    updated_at: "2026-01-05T12:00:05Z",
  });
  assert.deepEqual((await call("GET", `/api/scripts/${id}`)).body, changed.body);
  assert.deepEqual((await call("GET", "/api/scripts?type=prescript&search=free")).body.data, [
    changed.body.data,
  ]);
  assert.deepEqual((await call("GET", "/api/scripts?type=postscript")).body.data, []);
  assert.equal((await call("PUT", `/api/scripts/${id}`, { run_as: null })).body.data.run_as, null);
  const deleted = await call("DELETE", `/api/scripts/${id}`);
  assert.deepEqual([deleted.status, deleted.body], [200, {
    message: "Script successfully deleted",
    deletes_at: "2026-01-08T12:00:05Z",
  }]);
  assert.equal((await call("GET", `/api/scripts/${id}`)).body.message, "Script not found");
});

Deno.test("every wrong field of a script is named at once, and nothing is stored", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const fields = { label: "x", type: "never", timeout_seconds: 0, run_as: "-u root", on_failure: "ignore" };
  const wrong = await call("POST", "/api/scripts", { ...fields, script: " \n" });
  assert.equal(wrong.status, 422);
  assert.deepEqual(Object.keys(wrong.body.errors).sort(), [
    "on_failure",
    "run_as",
    "script",
    "timeout_seconds",
    "type",
  ]);
  assert.deepEqual(wrong.body.errors.script, ["The script field must not be empty."]);
  for (
    const [script, problem] of [
      ["a\0b", "must be valid text without NUL characters"],
      ["é".repeat(32_769), "must not be larger than 65536 bytes"],
    ]
  ) {
    const { status, body } = await call("POST", "/api/scripts", { label: "x", type: "prescript", script });
    assert.deepEqual([status, body.errors], [422, { script: [`The script field ${problem}.`] }]);
  }
  const largest = { label: "x", type: "prescript", script: "é".repeat(32_768) };
  assert.equal((await call("POST", "/api/scripts", largest)).status, 201);
  assert.equal((await call("GET", "/api/scripts")).body.meta.total, 1);
});

Deno.test("a task keeps its scripts in their order, and a script in use is not deleted", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const { call } = owner;
  const script = async (label: string) =>
    (await call("POST", "/api/scripts", { label, type: "prescript", script: "true" })).body.data.id as number;
  const ids = [await script("a"), await script("b"), await script("c")];
  const order = [ids[2], ids[0], ids[1]];
  const task = await newTask(owner, { script_ids: [...order, ids[0]] });
  const shown = async () => (await call("GET", `/api/backup-tasks/${task}`)).body.data.script_ids;
  assert.deepEqual(await shown(), order);
  await call("PUT", `/api/backup-tasks/${task}`, { label: "Home's \u00e9" });
  assert.deepEqual(await shown(), order);
  assert.equal((await call("GET", `/api/scripts/${ids[0]}`)).body.data.backup_tasks_count, 1);
  const refused = await call("DELETE", `/api/scripts/${ids[0]}`);
  assert.deepEqual([refused.status, refused.body.message], [
    409,
    `The script is used by 1 backup task: ${task} (Home's é). ` +
    "Take it out of their script_ids first, then delete it.",
  ]);
  await call("PUT", `/api/backup-tasks/${task}`, { script_ids: [ids[1]] });
  assert.deepEqual(await shown(), [ids[1]]);
  assert.equal((await call("DELETE", `/api/scripts/${ids[0]}`)).status, 200);
  // Once the task is deleted, nothing uses its scripts, so they can be deleted.
  assert.equal((await call("DELETE", `/api/backup-tasks/${task}`)).status, 200);
  assert.equal((await call("DELETE", `/api/scripts/${ids[1]}`)).status, 200);
});

Deno.test("changes of scripts, and of a task's scripts, are audited", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { id } =
    (await call("POST", "/api/scripts", { label: "x", type: "prescript", script: "true" })).body.data;
  await call("PUT", `/api/scripts/${id}`, { script: "false" });
  await call("DELETE", `/api/scripts/${id}`);
  const { data } = (await call("GET", "/api/audit-log?resource=scripts")).body;
  assert.deepEqual(
    data.map(({ action, resource_id, fields }: Record<string, unknown>) => [action, resource_id, fields])
      .sort(),
    [
      ["createScript", id, ["label", "script", "type"]],
      ["deleteScript", id, []],
      ["updateScript", id, ["script"]],
    ],
  );
});
