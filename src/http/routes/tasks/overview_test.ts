import assert from "node:assert/strict";
import { newBackup, newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { watchProtection } from "../../../services/tasks/protection.ts";

const HOUR = 3_600_000;

Deno.test("the overview says what is not protected, the worst first, of the caller alone", async () => {
  await using api = await testApi();
  const { clock, database, services } = api;
  const client = await api.user();
  const other = await api.user();
  const overview = async (of = client) => (await of.call("GET", "/api/overview")).body.data;
  const health = async (of = client) => {
    const answer = await api.app.request("/api/health", { headers: { Authorization: `Bearer ${of.token}` } });
    return [answer.status, answer.ok ? await answer.text() : (await answer.json()).message];
  };
  const none = "No backup task is active: nothing is protected.";
  assert.deepEqual(await health(), [503, none]);
  assert.equal((await overview()).is_protected, false);

  const server = await newServer(client, { label: "web" });
  const ids: Record<string, number> = {};
  for (const label of ["good", "failing", "late", "never", "paused"]) {
    ids[label] = await newTask(client, { label, remote_server_id: server });
  }
  await newTask(other);
  await client.call("POST", `/api/backup-tasks/${ids.paused}/pause`);
  for (const label of ["good", "failing", "late"]) await newBackup(database, ids[label]!, clock.now());
  await newRun(database, ids.failing!, clock.now(), { state: "failed", reason: "The disk is gone." });
  await watchProtection(services);
  const before = await overview();
  assert.equal(
    before.verdict,
    "No task is late. 1 task waits for its first backup. 1 task has a recent backup, but its last run failed.",
  );
  assert.equal(before.is_protected, true);
  assert.equal((await health())[0], 200);

  await client.call("PUT", `/api/backup-tasks/${ids.late}`, { max_age: 3600 });
  await clock.advance(2 * HOUR);
  const body = await overview();
  assert.equal(body.verdict, "1 of 4 tasks is late by 1 h.");
  assert.equal(body.is_protected, false);
  assert.deepEqual(body.tasks_by_status, {
    never_backed_up: 1,
    late: 1,
    failing: 1,
    paused: 1,
    protected: 2 - 1,
  });
  assert.equal(body.tasks_with_warnings, 3);
  assert.deepEqual(
    body.unprotected_tasks.map((
      { label, protection, remote_server }: Record<string, Record<string, unknown>>,
    ) => [
      label,
      protection!.status,
      protection!.reason,
      remote_server!.label,
    ]),
    [
      ["never", "never_backed_up", "No backup of this task can be restored yet.", "web"],
      ["late", "late", "The newest backup is 2 h old.", "web"],
      ["failing", "failing", "The last run failed: The disk is gone.", "web"],
    ],
  );
  const listed = async (query: string) => {
    const answer = (await client.call("GET", `/api/backup-tasks?${query}`)).body;
    assert.equal(answer.meta.total, query.startsWith("protection") ? answer.data.length : 5);
    return answer.data.map(({ label }: { label: string }) => label);
  };
  assert.deepEqual(await listed("protection=late"), ["late"]);
  assert.deepEqual(await listed("protection=paused"), ["paused"]);
  assert.deepEqual(await listed("protection=protected&search=x"), []);
  assert.deepEqual(await listed("sort=protection"), ["never", "late", "failing", "paused", "good"]);
  assert.deepEqual(await listed("sort=-protection&per_page=2&page=2"), ["failing", "late"]);
  assert.equal((await client.call("GET", "/api/backup-tasks?protection=unknown")).status, 422);
  assert.deepEqual(body.servers, { connected: 0, disconnected: 0, asleep: 0, unknown: 1 });
  assert.equal(body.backups.count, 3);
  assert.equal(body.due_within_24_hours, 4);
  assert.deepEqual(await health(), [503, "1 of 4 tasks is late by 1 h."]);

  const theirs = await overview(other);
  assert.equal(theirs.verdict, "No task is late. 1 task waits for its first backup.");
  assert.equal((await api.app.request("/api/health")).status, 401);
});

Deno.test("a task without protection is shown with its reason in the task itself", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  const show = async () => (await client.call("GET", `/api/backup-tasks/${id}`)).body.data.protection;
  assert.equal((await show()).status, "never_backed_up");
  await newBackup(api.database, id, api.clock.now());
  const { late_at, newest_backup_at, status } = await show();
  assert.deepEqual([status, newest_backup_at], [
    "protected",
    `${api.clock.now().toISOString().slice(0, 19)}Z`,
  ]);
  assert.match(late_at, /^\d{4}-/);
  const [listed] = (await client.call("GET", "/api/backup-tasks")).body.data;
  assert.deepEqual(listed.protection, await show());
});
