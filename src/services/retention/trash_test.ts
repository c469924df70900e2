import assert from "node:assert/strict";
import { type ApiClient, type TestApi, testApi } from "../../../tests/support/clients/api.ts";
import { newBackup, newDestination, newServer, newTask } from "../../../tests/support/fixtures/records.ts";
import { claimRemovals, deleteForgottenRecord, postponeRemoval } from "../../store/backups/backup_records.ts";
import { transaction } from "../../store/database/database.ts";
import { removeDue, requestRetention } from "./removals.ts";
import { configureDeleteDelay } from "./trash.ts";
import { emptyTrash } from "./trash_removal.ts";

const DAY = 86_400_000;

/** Creates a task with `count` backups in a directory destination. */
async function stage(api: TestApi, client: ApiClient, count = 1) {
  const server = await newServer(client);
  const destination = await newDestination(client);
  const references = { remote_server_id: server, backup_destination_id: destination };
  const task = await newTask(client, references);
  const backups: number[] = [];
  for (let at = 0; at < count; at++) backups.push(await newBackup(api.database, task, api.clock.now()));
  return { server, destination, task, backups };
}

async function reasonsOf({ database }: TestApi): Promise<string[]> {
  const rows = await database<{ reason: string }[]>`
    select event ->> 'reason' as reason from notification_deliveries order by id`;
  return rows.map(({ reason }) => reason);
}

async function newStream(client: ApiClient): Promise<void> {
  const stream = { label: "On call", type: "email", value: "jo@example.test" };
  const { status } = await client.call("POST", "/api/notification-streams", stream);
  assert.equal(status, 201);
}

Deno.test("backups that a stolen token deletes stay for days, and can all be undeleted", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { backups, task } = await stage(api, api.admin, 3);
  const [held] = backups;
  await call("POST", `/api/backups/${held}/hold`);
  await call("DELETE", `/api/backups/${held}/hold`);
  for (const id of backups) await call("DELETE", `/api/backups/${id}`);
  await call("DELETE", `/api/backup-tasks/${task}?with_backups=1`);
  await api.clock.advance(3 * DAY - 1000);
  assert.equal(await removeDue(api.services), 0);
  const [{ untouched }] = await api.database`
    select count(*) filter (where removal_begun_at is null) as untouched from backups` as [
    { untouched: number },
  ];
  assert.equal(untouched, 3);
  const trash = (await call("GET", "/api/backups?status=trash")).body.data;
  assert.deepEqual(trash.map((each: { deletes_at: string }) => each.deletes_at), [
    "2026-01-08T12:00:00Z",
    "2026-01-08T12:00:00Z",
  ]);
  for (const id of backups) {
    const { status, body } = await call("POST", `/api/backups/${id}/undelete`);
    assert.deepEqual([status, body.data.status, body.data.deletes_at], [200, "stored", null]);
  }
  await api.clock.advance(DAY);
  await emptyTrash(api.services);
  assert.equal(await removeDue(api.services), 0);
});

Deno.test("every administrator is notified at once, and then at most once a minute about all that followed", async () => {
  await using api = await testApi();
  const other = await api.user();
  await api.admin.call("PUT", `/api/users/${other.userId}`, { is_admin: true });
  const plain = await api.user();
  for (const client of [api.admin, other, plain]) await newStream(client);
  const { backups } = await stage(api, plain, 14);
  await plain.call("DELETE", `/api/backups/${backups[0]}`);
  await emptyTrash(api.services);
  const reasons = await reasonsOf(api);
  assert.equal(reasons.length, 2);
  assert.match(
    reasons[0]!,
    /^\S+@example\.test deleted 1 backup \(1\); deletion begins at 2026-01-08T12:00:00Z\.$/,
  );
  for (const id of backups.slice(1, 13)) await plain.call("DELETE", `/api/backups/${id}`);
  await plain.call("POST", `/api/backups/${backups[13]}/hold`);
  await plain.call("DELETE", `/api/backups/${backups[13]}/hold`);
  const next = await emptyTrash(api.services);
  assert.equal((await reasonsOf(api)).length, 2);
  assert.equal(next?.getTime(), api.clock.now().getTime() + 60_000);
  await api.clock.advance(60_000);
  await emptyTrash(api.services);
  const [, , third] = await reasonsOf(api);
  assert.match(
    third!,
    /deleted 12 backups \(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …\); .* released the hold of 1 backup/,
  );
});

Deno.test("a backup is deleted once its time is over, and can't be undeleted then", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { backups: [id] } = await stage(api, api.admin);
  await call("DELETE", `/api/backups/${id}`);
  await api.clock.advance(3 * DAY);
  assert.equal(await removeDue(api.services), 1); // the agent is not connected, so the removal is tried again
  await api.database`update backups set removal_begun_at = now()`;
  const { status, body } = await call("POST", `/api/backups/${id}/undelete`);
  assert.deepEqual([status, body.error], [409, "Conflict"]);
});

Deno.test("a shorter delay takes effect only after the longer one is over", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { backups: [first, second] } = await stage(api, api.admin, 2);
  await configureDeleteDelay(api.services, 3);
  await configureDeleteDelay(api.services, 0);
  const early = await call("DELETE", `/api/backups/${first}`);
  assert.equal(early.body.deletes_at, "2026-01-08T12:00:00Z");
  await api.clock.advance(3 * DAY);
  const late = await call("DELETE", `/api/backups/${second}`);
  assert.equal(late.body.deletes_at, "2026-01-08T12:00:00Z");
});

Deno.test("forgetting a destination forgets its backups, and undeleting restores both", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { destination, task, backups } = await stage(api, api.admin, 2);
  await call("DELETE", `/api/backup-tasks/${task}`);
  const path = `/api/backup-destinations/${destination}`;
  const refused = await call("DELETE", path);
  assert.equal(refused.status, 409);
  assert.ok(refused.body.message.includes(`DELETE ${path}?forget=true drops the records`));
  await call("POST", `/api/backups/${backups[0]}/hold`);
  assert.match((await call("DELETE", `${path}?forget=true`)).body.message, /1 backup that is held/);
  await api.database`update backups set held_at = null`;
  // The first backup's removal has failed because its destination does not respond.
  await api.database`
    update backups set removal_requested_at = now(), removal_reason = 'request', removal_begun_at = now(),
      next_removal_at = now() where id = ${backups[0]!}`;
  const forgotten = await call("DELETE", `${path}?forget=true`);
  assert.deepEqual([forgotten.status, forgotten.body.deletes_at], [200, "2026-01-08T12:00:00Z"]);
  for (const gone of [path, `/api/backups/${backups[1]}`]) {
    assert.equal((await call("GET", gone)).status, 404);
  }
  assert.equal((await call("GET", "/api/backups")).body.meta.total, 0);
  assert.equal((await call("GET", "/api/backup-destinations")).body.meta.total, 0);
  const trash = await call("GET", "/api/backup-destinations?status=trash");
  assert.deepEqual(trash.body.data.map(({ id }: { id: number }) => id), [destination]);
  assert.equal((await call("POST", `${path}/undelete`)).status, 200);
  assert.equal((await call("GET", "/api/backups")).body.meta.total, 2);
  assert.equal((await call("GET", `/api/backups/${backups[1]}`)).body.data.status, "stored");

  await call("DELETE", `${path}?forget=true`);
  const undeleted = await call("POST", `/api/backups/${backups[1]}/undelete`);
  assert.deepEqual([undeleted.status, undeleted.body.data.status], [200, "stored"]);
  // Undeleting one backup also takes its destination out of the trash. The destination's other backup stays
  // in the trash.
  assert.equal((await call("GET", path)).status, 200);
  assert.equal((await call("GET", "/api/backups")).body.meta.total, 1);

  await call("DELETE", `${path}?forget=true`);
  await api.clock.advance(3 * DAY);
  while (await removeDue(api.services) > 0);
  await emptyTrash(api.services);
  const left = await api.database`select from backups union all select from backup_destinations`;
  assert.equal(left.length, 0);
  const entries = (await call("GET", "/api/audit-log?action=deleteBackupDestination")).body.data;
  assert.ok(entries.length >= 2);
});

Deno.test("deleting a server with a lost disk deletes the records of its backups", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { server, task, backups: [id] } = await stage(api, api.admin);
  await call("DELETE", `/api/backup-tasks/${task}`);
  const path = `/api/remote-servers/${server}`;
  const refused = await call("DELETE", path);
  assert.equal(refused.status, 409);
  assert.ok(refused.body.message.includes(`DELETE ${path}?forget=true`), refused.body.message);
  assert.equal((await call("DELETE", `${path}?forget=true`)).status, 200);
  assert.equal((await call("GET", `/api/backups/${id}`)).status, 404);
  await api.clock.advance(3 * DAY);
  assert.equal(await removeDue(api.services), 1);
  assert.equal((await api.database`select from backups`).length, 0);
});

Deno.test("a deleted user's tokens are invalid until the user is undeleted", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const user = await api.user();
  const path = `/api/users/${user.userId}`;
  await call("DELETE", path);
  assert.equal((await user.call("GET", "/api/user")).status, 401);
  assert.equal((await call("GET", path)).status, 404);
  const trash = await call("GET", "/api/users?status=trash");
  assert.deepEqual(trash.body.data.map(({ deletes_at }: { deletes_at: string }) => deletes_at), [
    "2026-01-08T12:00:00Z",
  ]);
  assert.equal((await call("POST", `${path}/undelete`)).status, 200);
  assert.equal((await user.call("GET", "/api/user")).status, 200);
  const { email } = (await user.call("GET", "/api/user")).body.data.personal_info;
  await call("DELETE", path);
  assert.equal((await call("POST", "/api/users", { name: "New", email })).status, 201);
  assert.equal((await call("POST", `${path}/undelete`)).status, 409);
  await api.clock.advance(3 * DAY);
  await emptyTrash(api.services);
  assert.equal((await api.database`select from users where id = ${user.userId}`).length, 0);
});

Deno.test("rules that a stolen token changes remove nothing before the delay is over, and administrators are notified", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  await newStream(api.admin);
  const { task, backups } = await stage(api, api.admin, 3);
  const retain = () => transaction(api.database, (sql) => requestRetention(api.services, sql, task));
  const path = `/api/backup-tasks/${task}`;
  assert.equal((await call("PUT", path, { maximum_backups_to_keep: 1 })).status, 200);
  await api.clock.advance(DAY);
  await retain();
  const trash = (await call("GET", "/api/backups?status=trash")).body.data;
  assert.deepEqual(trash.map(({ id, deletes_at }: { id: number; deletes_at: string }) => [id, deletes_at]), [
    [backups[0], "2026-01-08T12:00:00Z"],
    [backups[1], "2026-01-08T12:00:00Z"],
  ]);
  assert.equal(await removeDue(api.services), 0);
  await emptyTrash(api.services);
  assert.match(
    (await reasonsOf(api))[0]!,
    /^After a change by \S+, rules remove 2 backups \(1, 2\); deletion begins/,
  );
  // The changed rules have put this backup into the trash. If a user now deletes it, the full delay applies.
  assert.equal((await call("DELETE", `/api/backups/${backups[0]}`)).body.deletes_at, "2026-01-09T12:00:00Z");
  await call("POST", `/api/backups/${backups[0]}/undelete`);
  // Change the rules back to "keep all". The rules are applied again right before each removal, so the
  // backups that are marked for removal are kept.
  await call("PUT", path, { maximum_backups_to_keep: 0 });
  await api.clock.advance(3 * DAY);
  await removeDue(api.services);
  assert.equal((await api.database`select from backups where removal_requested_at is not null`).length, 0);
  // For some time after a change of the rules, removals by the rules are delayed. After this time, the rules
  // remove backups without delay.
  await call("PUT", path, { maximum_backups_to_keep: 2 });
  await api.clock.advance(3 * DAY);
  await retain();
  const [{ due }] = await api.database`
    select count(*) as due from backups where deletes_at is null and next_removal_at <= ${api.clock.now()}` as [
    { due: number },
  ];
  assert.equal(due, 1);
});

Deno.test("backups that were about to be forgotten when a control plane ended are undeleted complete", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const { destination, task, backups: [id] } = await stage(api, api.admin);
  await call("DELETE", `/api/backup-tasks/${task}`);
  await call("DELETE", `/api/backup-destinations/${destination}?forget=true`);
  await api.clock.advance(3 * DAY);
  const now = api.clock.now();
  const leaseUntil = new Date(now.getTime() + 300_000);
  // Simulates a process that ends after claiming the removal and before deleting the record.
  assert.equal((await claimRemovals(api.database, now, leaseUntil, 16, [])).length, 1);
  assert.equal((await call("POST", `/api/backup-destinations/${destination}/undelete`)).status, 200);
  assert.equal((await call("GET", `/api/backups/${id}`)).body.data.status, "stored");
  // Simulates a replica that has not ended but is slow. Its claim is outdated, so it must not delete the
  // record.
  await deleteForgottenRecord(api.database, id!, leaseUntil);
  await api.clock.advance(DAY);
  assert.equal(await removeDue(api.services), 0);
  assert.equal((await call("GET", `/api/backups/${id}`)).body.data.status, "stored");
});

Deno.test("what rules remove after any change that a stolen token can make waits in the trash", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const elsewhere = await newDestination(api.admin, { label: "Elsewhere" });
  const changes: [string, Record<string, unknown>][] = [
    ["another source", { source_path: "/empty" }],
    ["another password", { encryption_password: "only the thief knows it" }],
    ["another destination", { backup_destination_id: elsewhere }],
    ["another directory", { store_path: "aside" }],
    ["another time zone", { timezone: "Pacific/Auckland" }],
  ];
  for (const [name, change] of changes) {
    const { task, backups: [first] } = await stage(api, api.admin);
    await call("PUT", `/api/backup-tasks/${task}`, { maximum_backups_to_keep: 1 });
    await api.clock.advance(4 * DAY);
    assert.equal(
      (await call("PUT", `/api/backup-tasks/${task}`, { description: "no such change" })).status,
      200,
    );
    assert.equal((await call("PUT", `/api/backup-tasks/${task}`, change)).status, 200, name);
    await newBackup(api.database, task, api.clock.now());
    await transaction(api.database, (sql) => requestRetention(api.services, sql, task));
    const { status, deletes_at } = (await call("GET", `/api/backups/${first}`)).body.data;
    const days = (Date.parse(deletes_at) - api.clock.now().getTime()) / DAY;
    assert.deepEqual([name, status, days], [name, "deleting", 3]);
  }
});

Deno.test("what rules remove after a suspicion or damage was cleared waits in the trash", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  for (const mark of ["suspicion", "damage"]) {
    const { task, backups: [first] } = await stage(api, api.admin);
    await call("PUT", `/api/backup-tasks/${task}`, { maximum_backups_to_keep: 1 });
    await api.clock.advance(4 * DAY);
    const field = mark === "damage" ? "damaged_at" : "suspicious_at";
    const newer = await newBackup(api.database, task, api.clock.now(), { [field]: api.clock.now() });
    assert.equal((await call("DELETE", `/api/backups/${newer}/${mark}`)).status, 200);
    await transaction(api.database, (sql) => requestRetention(api.services, sql, task));
    const { deletes_at } = (await call("GET", `/api/backups/${first}`)).body.data;
    assert.equal((Date.parse(deletes_at) - api.clock.now().getTime()) / DAY, 3, mark);
  }
});

Deno.test("a slow attempt does not call a backup complete that another attempt deletes", async () => {
  await using api = await testApi();
  const { backups: [id] } = await stage(api, api.admin);
  await api.admin.call("DELETE", `/api/backups/${id}`);
  await api.clock.advance(3 * DAY);
  const now = api.clock.now();
  const first = new Date(now.getTime() + 300_000);
  await claimRemovals(api.database, now, first, 16, []);
  const later = new Date(first.getTime() + 1000);
  await claimRemovals(api.database, later, new Date(later.getTime() + 300_000), 16, []);
  const failed = { error: "too slow", leaseUntil: first, next: later, isWhole: true };
  await postponeRemoval(api.database, id!, failed);
  const { status } = await api.admin.call("POST", `/api/backups/${id}/undelete`);
  assert.equal(status, 409);
});
