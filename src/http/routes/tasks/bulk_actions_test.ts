import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newDestination, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";

const PATH = "/api/backup-tasks/bulk";

Deno.test("each task of a bulk request gets its own result, and an error stops no other", async () => {
  await using api = await testApi();
  const client = await api.user();
  const references = {
    remote_server_id: await newServer(client, { runs_at_once: 2 }),
    backup_destination_id: await newDestination(client),
  };
  const [one, two, three] = [
    await newTask(client, references),
    await newTask(client, references),
    await newTask(client, references),
  ];
  const theirs = await newTask(await api.user());
  const bulk = async (body: unknown) => {
    const answer = await client.call("POST", PATH, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.data;
  };
  await client.call("POST", `/api/backup-tasks/${two}/pause`);
  const started = await bulk({ ids: [three, two, one, theirs, one], action: "run" });
  assert.deepEqual([started.action, started.ok, started.failed], ["run", 2, 2]);
  const message = "Backup task initiated successfully.";
  assert.deepEqual(
    started.results.map(({ backup_task_log_id: _, ...result }: Record<string, unknown>) => result),
    [
      { id: three, ok: true, status: 202, message },
      { id: two, ok: false, status: 409, message: "The backup task is paused. Resume it before you run it." },
      { id: one, ok: true, status: 202, message },
      { id: theirs, ok: false, status: 404, message: "Backup task not found" },
    ],
  );
  const log = await client.call("GET", `/api/backup-task-logs/${started.results[0].backup_task_log_id}`);
  assert.deepEqual([log.body.data.backup_task_id, log.body.data.status], [three, "queued"]);

  assert.equal((await bulk({ ids: [one, two], action: "pause" })).ok, 2);
  const paused = (await client.call("GET", "/api/backup-tasks?status=paused")).body.data;
  assert.deepEqual(paused.map(({ id }: { id: number }) => id), [one, two]);
  assert.equal((await bulk({ ids: [one, two], action: "resume" })).ok, 2);
  assert.equal((await client.call("GET", "/api/backup-tasks?status=paused")).body.meta.total, 0);
});

Deno.test("a run of a bulk request waits for a slot, unless it must not", async () => {
  await using api = await testApi();
  const client = await api.user();
  const references = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
  };
  const ids = [await newTask(client, references), await newTask(client, references)];
  const refused = (await client.call("POST", PATH, { ids, action: "run", queue: false })).body.data;
  assert.deepEqual(refused.results.map(({ status }: { status: number }) => status), [202, 409]);
  const waiting = (await client.call("POST", PATH, { ids: [ids[1]], action: "run" })).body.data;
  assert.equal(waiting.ok, 1);
});

Deno.test("a tag is added to many tasks and removed; their other tags stay", async () => {
  await using api = await testApi();
  const client = await api.user();
  const newTag = async (label: string) => (await client.call("POST", "/api/tags", { label })).body.data.id;
  const [old, live] = [await newTag("old"), await newTag("live")];
  const ids = [await newTask(client, { tag_ids: [old] }), await newTask(client)];
  await api.clock.set("2026-01-06T12:00:00Z");
  const tags = async () =>
    await Promise.all(
      ids.map(async (id) => (await client.call("GET", `/api/backup-tasks/${id}`)).body.data.tag_ids),
    );
  const bulk = (action: string) => client.call("POST", PATH, { ids, action, tag_id: live });
  assert.equal((await bulk("add-tag")).body.data.ok, 2);
  assert.deepEqual(await tags(), [[old, live], [live]]);
  const task = (await client.call("GET", `/api/backup-tasks/${ids[0]}`)).body.data;
  assert.equal(task.updated_at, "2026-01-06T12:00:00Z");
  assert.equal((await bulk("add-tag")).body.data.ok, 2);
  assert.equal((await bulk("remove-tag")).body.data.ok, 2);
  assert.deepEqual(await tags(), [[old], []]);

  const alone = await client.call("PUT", `/api/backup-tasks/${ids[1]}/tags/${old}`);
  assert.deepEqual([alone.status, alone.body.data.tag_ids], [200, [old]]);
  const removed = await client.call("DELETE", `/api/backup-tasks/${ids[1]}/tags/${old}`);
  assert.deepEqual([removed.status, removed.body.data.tag_ids], [200, []]);
});

Deno.test("each task of a bulk request has its own audit entry, also one that lacks the ability", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const [one, two] = [await newTask(owner), await newTask(owner)];
  await owner.call("POST", PATH, { ids: [one, two], action: "pause" });
  await owner.call("POST", PATH, { ids: [one], action: "run" });
  const viewer = await api.member(owner, "viewer");
  const refused = await viewer.call("POST", PATH, { ids: [one, two], action: "delete" });
  assert.equal(refused.status, 200);
  for (const { ok, status, message } of refused.body.data.results) {
    assert.deepEqual([ok, status, message], [
      false,
      403,
      "The role viewer lacks the delete-backup-tasks ability.",
    ]);
  }
  const entries = await api.database`
    select action, resource_id, result, fields, user_id from audit_log
    where action ~ 'BackupTasks?$' and action <> 'createBackupTask' order by id`;
  assert.deepEqual(
    entries.map((each) => [each.action, each.resource_id, each.result, each.fields, each.user_id]),
    [
      ["pauseBackupTask", one, "done", [], owner.userId],
      ["pauseBackupTask", two, "done", [], owner.userId],
      ["deleteBackupTask", one, "refused", [], viewer.userId],
      ["deleteBackupTask", two, "refused", [], viewer.userId],
    ],
  );
  assert.equal((await owner.call("GET", "/api/backup-tasks")).body.meta.total, 2);
});

Deno.test("tasks are deleted in bulk, with their backups only if that is asked for and permitted", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const [one, two] = [await newTask(owner), await newTask(owner)];
  await newBackup(api.database, one, api.clock.now());
  const trashed = await newBackup(api.database, two, api.clock.now());
  const deleting = await api.tokenOf(owner, ["delete-backup-tasks"]);
  const refused =
    (await deleting.call("POST", PATH, { ids: [one], action: "delete", with_backups: true })).body;
  assert.deepEqual([refused.data.failed, refused.data.results[0].status], [1, 403]);
  assert.equal((await owner.call("POST", PATH, { ids: [one], action: "delete" })).body.data.ok, 1);
  const { data } =
    (await owner.call("POST", PATH, { ids: [two], action: "delete", with_backups: true })).body;
  assert.equal(data.results[0].deletes_at, "2026-01-08T12:00:00Z");
  assert.equal((await owner.call("GET", "/api/backup-tasks")).body.meta.total, 0);
  const inTrash = (await owner.call("GET", "/api/backups?status=trash")).body.data;
  assert.deepEqual(inTrash.map(({ id }: { id: number }) => id), [trashed]);
});

Deno.test("a bulk request needs ids, an action and, for tags, a tag of the workspace", async () => {
  await using api = await testApi();
  const client = await api.user();
  const theirs = (await (await api.user()).call("POST", "/api/tags", { label: "x" })).body.data.id;
  const many = Array.from({ length: 501 }, (_, index) => index + 1);
  for (
    const [body, fields] of [
      [{}, ["ids", "action"]],
      [{ ids: [], action: "run" }, ["ids"]],
      [{ ids: many, action: "run" }, ["ids"]],
      [{ ids: [0], action: "run" }, ["ids.0"]],
      [{ ids: [1], action: "explode" }, ["action"]],
      [{ ids: [1], action: "add-tag" }, ["tag_id"]],
      [{ ids: [1], action: "remove-tag", tag_id: theirs }, ["tag_id"]],
    ] as [unknown, string[]][]
  ) {
    const refused = await client.call("POST", PATH, body);
    assert.equal(refused.status, 422, JSON.stringify(body));
    assert.deepEqual(Object.keys(refused.body.errors).sort(), fields.toSorted());
  }
});
