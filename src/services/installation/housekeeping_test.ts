import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { enterAudit, NO_ORIGIN } from "../access/audit_log.ts";
import { deleteOldAuditEntries } from "./housekeeping.ts";

Deno.test("audit log entries are deleted when they are older than configured, or never", async () => {
  await using test = await testServices({ now: "2020-01-01T00:00:00Z" });
  const { services, clock, database } = test;
  const enter = () =>
    enterAudit(services, { actor: { type: "system" }, action: "recover", result: "done", origin: NO_ORIGIN });
  await enter();
  await clock.advance(300 * 86_400_000);
  await enter();
  await clock.advance(100 * 86_400_000);
  const left = async () => (await database`select at from audit_log order by id`).length;
  await deleteOldAuditEntries(services, 0);
  await deleteOldAuditEntries(services, 400);
  assert.equal(await left(), 2);
  await clock.advance(1);
  await deleteOldAuditEntries(services, 400);
  assert.equal(await left(), 1);
});
