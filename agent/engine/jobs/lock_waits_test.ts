import assert from "node:assert/strict";
import type { DatabaseSource } from "../../../src/definitions/sources/database_server.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { BackupRun } from "../../../tests/support/fixtures/backup_run.ts";
import { Bench } from "../../../tests/support/fixtures/postgresql_bench.ts";
import { findLockWait } from "./lock_waits.ts";

/** Starts a dump and waits until a lock blocks it. Returns the description of the lock wait. */
async function lockWaitOf(at: Bench, login: { username: string; password: string }): Promise<string | null> {
  await using run = await BackupRun.open();
  const source = {
    type: "database",
    ...at.login,
    ...login,
    names: ["*"],
    excluded_tables: [],
    format: "custom",
  };
  const backup = run.run(source as DatabaseSource).catch(() => {});
  const waiting =
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'rearguard'";
  await until(async () => (await at.sql("shop", waiting)).trim() !== "0");
  const description = await findLockWait(run.job(source as DatabaseSource), run.ports, []);
  run.cancel();
  await backup;
  return description;
}

Deno.test("the holder of the lock that a dump waits for is found", async (t) => {
  await using at = await Bench.open("max_prepared_transactions = 5\n");
  await at.sql(
    "postgres",
    `create database shop; create role reader login password 'reader'; grant pg_read_all_data to reader`,
  );
  await at.sql("shop", "create table t (a int)");
  const reader = { username: "reader", password: "reader" };

  await t.step("where it is a prepared transaction, which has no session", async () => {
    await at.sql("shop", "begin; lock table t; prepare transaction 'it''s left'");
    const description = await lockWaitOf(at, { username: at.login.username, password: at.login.password });
    assert.match(
      description!,
      /^It waits for a lock that is held by a prepared transaction: it's left \(of postgres, prepared \d+ s ago\)\. To end one, in its database: rollback prepared E'it\\'s left'\.$/,
    );
    await at.sql("shop", "rollback prepared 'it''s left'");
  });

  await t.step("by a login that may not enter the usual databases", async () => {
    await at.sql(
      "postgres",
      "revoke connect on database postgres from public; revoke connect on database template1 from public",
    );
    await at.sql("postgres", "create database defaultdb");
    const held = at.sql("shop", "begin; lock table t; select pg_sleep(60)").catch(() => {});
    const isHeld = "select count(*) from pg_locks where relation = 't'::regclass and granted";
    await until(async () => (await at.sql("shop", isHeld)).trim() !== "0");
    assert.match(
      (await lockWaitOf(at, reader))!,
      /^It waits for a lock that is held by session \d+ \(user postgres/,
    );
    await at.sql(
      "shop",
      "select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()",
    );
    await held;
  });
});
