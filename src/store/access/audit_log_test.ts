import assert from "node:assert/strict";
import { NO_ORIGIN } from "../../domain/audit.ts";
import { testDatabase } from "../../../tests/support/fixtures/database.ts";
import { deleteAuditEntriesBefore, insertAuditEntry, listAuditLog } from "./audit_log.ts";

const ENTRY = {
  actor: { type: "command", name: "root" },
  workspaceId: null,
  action: "recover",
  resource: null,
  resourceId: null,
  fields: [],
  result: "done",
  reason: null,
  origin: NO_ORIGIN,
} as const;

const DAY = 24 * 3_600_000;

Deno.test("the database itself keeps entries unchanged and for 90 days", async () => {
  await using db = await testDatabase();
  const { database } = db;
  await database`truncate audit_log`; // allowed while the log is empty, as when an export is loaded
  const now = new Date();
  const old = new Date(now.getTime() - 91 * DAY);
  await insertAuditEntry(database, ENTRY, old);
  await insertAuditEntry(database, ENTRY, now);
  await assert.rejects(() => database`update audit_log set reason = 'x'`, /Cannot update the audit log/);
  await assert.rejects(() => database`update audit_log set at = ${old}`, /Cannot update the audit log/);
  await assert.rejects(() => database`delete from audit_log`, /Cannot delete the audit log/);
  await assert.rejects(() => database`truncate audit_log`, /Cannot truncate the audit log/);
  // The call asks to delete all entries before tomorrow. The database still keeps entries younger than 90
  // days.
  await deleteAuditEntriesBefore(database, new Date(now.getTime() + DAY));
  const { rows, total } = await listAuditLog(database, {}, { offset: 0, limit: 10 });
  assert.deepEqual([rows.map(({ at }) => at), total], [[now], 1]);
  assert.equal(rows[0]!.actor_name, "root");
});

Deno.test("an entry with onlyAfterChange is added only after a change", async () => {
  await using db = await testDatabase();
  const { database } = db;
  const count = async () => (await listAuditLog(database, {}, { offset: 0, limit: 10 })).total;
  await database.begin(async (sql) => {
    await sql`select count(*) from users`;
    assert.equal(await insertAuditEntry(sql, ENTRY, new Date(), true), false);
  });
  assert.equal(await count(), 0);
  await database.begin(async (sql) => {
    await sql`delete from users where false`;
    await sql`insert into replicas (id, started_at, heartbeat_at) values (gen_random_uuid(), now(), now())`;
    assert.equal(await insertAuditEntry(sql, ENTRY, new Date(), true), true);
  });
  assert.equal(await count(), 1);
});
