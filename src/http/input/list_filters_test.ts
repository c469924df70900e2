import assert from "node:assert/strict";
import { type ApiClient, testApi } from "../../../tests/support/clients/api.ts";
import {
  newBackup,
  newDestination,
  newRun,
  newServer,
  newTask,
} from "../../../tests/support/fixtures/records.ts";
import { listLogs } from "../../store/runs/logs.ts";
import { ENDPOINTS } from "../routes.ts";

const at = (day: number) => new Date(Date.UTC(2026, 0, day, 12));

async function idsOf(client: ApiClient, path: string): Promise<number[]> {
  const { status, body } = await client.call("GET", path);
  assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
  assert.equal(body.meta.total, body.data.length, path);
  return body.data.map(({ id }: { id: number }) => id);
}

Deno.test("logs are narrowed by every filter, alone and together, and sorted", async () => {
  await using api = await testApi();
  const client = await api.user();
  const stranger = await api.user();
  const { database } = api;
  const tag = (await client.call("POST", "/api/tags", { label: "live" })).body.data.id;
  const server = await newServer(client);
  const web = await newTask(client, { label: "Web 100%", remote_server_id: server, tag_ids: [tag] });
  const home = await newTask(client);
  const foreign = await newTask(stranger);
  const runs = [
    await newRun(database, web, at(1)),
    await newRun(database, web, at(2), { state: "failed", reason: "The disk is full." }),
    await newRun(database, home, at(3), { state: "lost", reason: "The agent is silent." }),
    await newRun(database, home, at(4), {
      kind: "restore",
      backup_id: await newBackup(database, home, at(3)),
    }),
  ];
  await newRun(database, foreign, at(3), { state: "failed", reason: "The disk is full." });
  const [first, second, third, fourth] = runs as [number, number, number, number];
  const [{ destination }] = await database`
    select backup_destination_id as destination from backup_tasks where id = ${web}` as [
    { destination: number },
  ];
  const [{ backup }] = await database`select backup_id as backup from runs where id = ${fourth}` as [
    { backup: number },
  ];
  const foreignBackup = await newBackup(database, foreign, at(1));
  await newRun(database, foreign, at(3), { kind: "verify", backup_id: foreignBackup });
  for (
    const [query, expected] of [
      [`backup_id=${backup}`, [fourth]],
      [`backup_id=${foreignBackup}`, []],
      ["status=failed", [second, third]],
      ["status=successful", [first, fourth]],
      ["kind=restore", [fourth]],
      [`backup_task_id=${web}`, [first, second]],
      [`backup_task_id=${foreign}`, []],
      [`remote_server_id=${server}`, [first, second]],
      [`backup_destination_id=${destination}`, [first, second]],
      [`tag_id=${tag}`, [first, second]],
      ["since=2026-01-03", [third, fourth]],
      ["until=2026-01-02T12:00:00Z", [first]],
      ["since=2026-01-02&until=2026-01-04", [second, third]],
      ["search=DISK%20is", [second]],
      ["search=100%25", [first, second]],
      ["search=_", []],
      ["status=failed&kind=backup&sort=-id", [third, second]],
      ["sort=-id", [fourth, third, second, first]],
      ["sort=-created_at", [fourth, third, second, first]],
      ["sort=created_at", [first, second, third, fourth]],
    ] as const
  ) {
    assert.deepEqual(await idsOf(client, `/api/backup-task-logs?${query}`), expected, query);
  }
  assert.deepEqual(await idsOf(client, `/api/backup-tasks/${web}/logs?sort=-id`), [second, first]);
  assert.deepEqual(await idsOf(client, `/api/backup-tasks/${home}/logs?kind=restore`), [fourth]);
  assert.equal((await client.call("GET", `/api/backup-tasks/${foreign}/logs`)).status, 404);
  const page = (await client.call("GET", "/api/backup-task-logs?sort=-id&per_page=3&page=2")).body;
  assert.deepEqual(page.data.map(({ id }: { id: number }) => id), [first]);
  assert.match(page.links.prev, /sort=-id&per_page=3&page=1$/);
});

Deno.test("tasks and backups are narrowed by their server, destination, tag, time and text", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { database } = api;
  const tag = (await client.call("POST", "/api/tags", { label: "live" })).body.data.id;
  const [server, destination] = [await newServer(client), await newDestination(client)];
  const references = { remote_server_id: server, backup_destination_id: destination };
  const web = await newTask(client, { ...references, label: "Web", tag_ids: [tag] });
  const home = await newTask(client, { label: "Attic", description: "of the web team" });
  await client.call("POST", `/api/backup-tasks/${home}/pause`);
  await newRun(database, web, at(5), { state: "running" });
  const old = await newBackup(database, web, at(1), { size: 10, suspicious_at: at(1) });
  const young = await newBackup(database, home, at(2), { size: 5, verified_at: at(3) });
  for (
    const [path, expected] of [
      [`/api/backup-tasks?remote_server_id=${server}`, [web]],
      [`/api/backup-tasks?backup_destination_id=${destination}`, [web]],
      [`/api/backup-tasks?tag_id=${tag}`, [web]],
      ["/api/backup-tasks?status=running", [web]],
      ["/api/backup-tasks?status=ready", [home]],
      ["/api/backup-tasks?status=paused", [home]],
      ["/api/backup-tasks?search=web", [web, home]],
      ["/api/backup-tasks?type=database", []],
      ["/api/backup-tasks?sort=label", [home, web]],
      ["/api/backup-tasks?sort=-label", [web, home]],
      [`/api/backups?remote_server_id=${server}`, [old]],
      [`/api/backups?backup_destination_id=${destination}`, [old]],
      [`/api/backups?backup_task_id=${home}`, [young]],
      [`/api/backups?tag_id=${tag}`, [old]],
      ["/api/backups?since=2026-01-02", [young]],
      ["/api/backups?search=attic", [young]],
      ["/api/backups?status=suspicious", [old]],
      ["/api/backups?status=unverified", [old]],
      ["/api/backups?sort=-id", [young, old]],
      ["/api/backups?sort=size", [young, old]],
      [`/api/backup-tasks/${web}/backups?sort=-created_at`, [old]],
      [`/api/remote-servers?search=192.0.2&status=unknown&sort=-id`, null],
      [`/api/backup-destinations?type=local&search=disk`, null],
    ] as const
  ) {
    const ids = await idsOf(client, path);
    if (expected !== null) assert.deepEqual(ids, expected, path);
    else assert.equal(ids.length, 2, path);
  }
});

Deno.test("every list is sorted newest first on request, and by no field that it does not have", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const lists = ENDPOINTS.filter(({ operationId, ids }) => /^list/.test(operationId) && ids === undefined)
    .filter(({ query }) => query?.shape.sort !== undefined);
  assert.ok(lists.length >= 10, String(lists.length));
  for (const { path } of lists) {
    for (const sort of ["-id", "created_at", "-created_at"]) {
      assert.equal((await call("GET", `${path}?sort=${sort}`)).status, 200, `${path} ${sort}`);
    }
    const wrong = await call("GET", `${path}?sort=token_hash`);
    assert.deepEqual([wrong.status, Object.keys(wrong.body.errors)], [422, ["sort"]], path);
  }
  const days = await call("GET", "/api/backup-task-logs?since=yesterday");
  assert.match(days.body.errors.since[0], /must be a day such as/);
});

Deno.test("the newest of many logs are read from the end, whatever the page", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { database: sql } = api;
  await sql`
    insert into runs (user_id, kind, trigger, state, created_at, finished_at)
    select ${client.userId}, 'backup', 'manual', 'succeeded', now(), now() from generate_series(1, 45)`;
  await sql`delete from runs where id in (7, 40)`;
  const all = (await sql<{ id: number }[]>`select id from runs order by id desc`).map(({ id }) => id);
  for (const limit of [1, 10, 43, 100]) {
    for (let offset = 0; offset <= 50; offset += 7) {
      const { rows, total } = await listLogs(sql, client.workspaceId, offset, limit, { sort: "-id" });
      assert.deepEqual(rows.map(({ id }) => id), all.slice(offset, offset + limit), `${offset} ${limit}`);
      assert.equal(total, 43);
    }
  }
});
