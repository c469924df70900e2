import assert from "node:assert/strict";
import { systemClock } from "../../../../src/domain/clock.ts";
import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import { BackupRun } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { Children } from "../../programs/children.ts";
import { MysqlFresh } from "./fresh.ts";

Deno.test("a backup drops leftovers of killed restores and drills, and nothing that a live one uses", async () => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  await server.sql("mysql", "create database shop; create table shop.t (a int)");
  const source: DatabaseSource = {
    type: "database",
    format: "custom",
    names: ["*"],
    excluded_tables: [],
    ...login,
  };
  const target: DatabaseTarget = {
    ...{ type: "database", ...login, run_as: null, names: null, database_name: null, overwrite: true },
  };
  const left = async () =>
    (await server.sql("mysql", "show databases")).split("\n").filter((name) => name.includes("_rearguard_"));
  const work = async (signal: AbortSignal, names: string[]) => {
    const children = new Children(systemClock, signal);
    const fresh = await MysqlFresh.open(target, {
      job: { run_as: null },
      ports: run.ports,
      children,
      user: null,
    }, null);
    for (const name of names) await fresh.make(name, "");
    return children;
  };
  const killed = await work(new AbortController().signal, [
    "shop_rearguard_drill",
    "shop_rearguard_fresh",
    "shop_rearguard_replaced",
    "begun_rearguard_fresh",
  ]);
  await server.sql("begun_rearguard_fresh", "create table rearguard_swap (part int primary key)");
  await server.sql(
    "mysql",
    "create database mine_rearguard_drill; create table mine_rearguard_drill.t (a int)",
  );
  await using _ = await work(new AbortController().signal, ["live_rearguard_fresh"]);
  await run.run(source);
  assert.equal((await left()).length, 6);

  await killed.terminate();
  const lines = run.lines.length;
  await Deno.remove(run.directory, { recursive: true });
  await run.run(source);
  assert.deepEqual(await left(), [
    "begun_rearguard_fresh",
    "live_rearguard_fresh",
    "mine_rearguard_drill",
    "shop_rearguard_replaced",
  ]);
  const [, dropped] = /^Dropped leftovers .*: (.*)$/m.exec(run.lines.slice(lines).join("\n"))!;
  assert.deepEqual(dropped!.split(", ").sort(), ["shop_rearguard_drill", "shop_rearguard_fresh"]);
});
