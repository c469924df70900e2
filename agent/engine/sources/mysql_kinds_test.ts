import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../tests/support/backup_run.ts";
import { MariadbServer } from "../../../tests/support/mariadb.ts";
import { restore } from "../../../tests/support/restore_run.ts";
import type { DatabaseSource, DatabaseTarget } from "../../../src/protocol/job.ts";

const INTO = { type: "database", run_as: null, names: null, database_name: null, overwrite: true } as const;

async function opened() {
  const server = await MariadbServer.open();
  const run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  const source: DatabaseSource = {
    ...{ type: "database", format: "custom", names: ["shop"], excluded_tables: [], ...login },
  };
  const target: DatabaseTarget = { ...INTO, ...login };
  await server.sql("mysql", "create database shop");
  return {
    ...{ server, run, source, target },
    async [Symbol.asyncDispose]() {
      await run[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the history of system-versioned tables comes back", async () => {
  await using at = await opened();
  const { server, run, source, target } = at;
  await server.sql(
    "shop",
    `create table price (a int primary key, b int) with system versioning;
     insert into price values (1, 10), (2, 20); update price set b = 11 where a = 1; delete from price where a = 2;
     create table own (a int, since timestamp(6) generated always as row start, til timestamp(6) generated always as row end,
       period for system_time (since, til), hot int without system versioning) with system versioning;
     insert into own (a) values (1); update own set a = 2;
     create table parted (a int) with system versioning partition by system_time (partition p history, partition n current);
     insert into parted values (1); delete from parted; create table plain (a int)`,
  );
  const history = () =>
    server.sql(
      "shop",
      `select a, b, row_start, row_end from price for system_time all order by row_start, a;
       select * from own for system_time all order by since; select a, row_end from parted for system_time all`,
    );
  const before = await history();
  assert.equal(before.trim().split("\n").length, 6);
  const backup = await run.run(source);
  assert.deepEqual(run.warnings, []);
  await server.sql("mysql", "drop database shop");
  await restore(run, backup, { target });
  assert.equal(await history(), before);
});

Deno.test("history that cannot be dumped is told", async () => {
  await using at = await opened();
  const { server, run, source } = at;
  await server.sql(
    "shop",
    `create table tx (a int, s bigint unsigned generated always as row start, e bigint unsigned generated always as row end,
       period for system_time (s, e)) with system versioning; insert into tx (a) values (1)`,
  );
  await run.run(source);
  assert.match(
    run.warnings.join(),
    /^The history of system-versioned tables in shop is not in this backup, .* tx$/,
  );
});

const DEPENDANTS = `
  create table kept (a int primary key); insert into kept values (1);
  create table left_out (a int primary key, b int, foreign key (b) references kept (a)); insert into left_out values (1, 1);
  create trigger tr before insert on left_out for each row set new.b = null;
  create table child (a int, foreign key (a) references left_out (a)); insert into child values (1);
  create view seen as select a from left_out; create view upon as select a from seen`;

/** MariaDB's program as if it were Oracle's: its version, and what it takes. */
const ORACLE = `#!/bin/bash
if [ "$1" = --version ]; then echo "mysqldump  Ver 8.4.0 for Linux on x86_64"; exit; fi
case "$*" in *ignore-table-data*) echo "unknown option" >&2; exit 7;; esac
arguments=()
for each in "$@"; do case "$each" in --set-gtid-purged=OFF|--column-statistics=0) ;; *) arguments+=("$each");; esac; done
exec /usr/bin/mariadb-dump "\${arguments[@]}"
`;

Deno.test("tables, views and keys that need an excluded table restore with it, empty", async (t) => {
  await using at = await opened();
  const { server, run, target } = at;
  const source = { ...at.source, excluded_tables: ["left_out", "seen"] };
  await server.sql("shop", DEPENDANTS);
  const described = async () => [
    await server.sql(
      "shop",
      "show create table left_out; show create view seen; show create view upon; show tables",
    ),
    (await server.sql("shop", "show triggers")).split("\t")[0],
  ];
  const before = await described();
  const check = async () => {
    assert.deepEqual(await described(), before);
    assert.equal(
      await server.sql("shop", "select count(*) from left_out; select count(*) from child"),
      "0\n1\n",
    );
  };
  await t.step("by the option of MariaDB's program", async () => {
    const backup = await run.run(source);
    await server.sql("mysql", "drop database shop");
    await restore(run, backup, { target });
    await check();
  });
  await t.step("by two dumps where the program lacks it", async () => {
    // Oracle's program, as far as it is told from the other: its version and its options.
    const bin = `${run.root}/bin`;
    await Deno.mkdir(bin);
    await Deno.writeTextFile(`${bin}/mariadb-dump`, ORACLE, { mode: 0o755 });
    await server.sql("shop", "set foreign_key_checks = 0; insert into left_out values (1, null)");
    const path = Deno.env.get("PATH")!;
    await shell('rm -rf "$1"', run.directory);
    Deno.env.set("PATH", `${bin}:${path}`);
    try {
      const backup = await run.run(source);
      await server.sql("mysql", "drop database shop");
      await restore(run, backup, { target });
    } finally {
      Deno.env.set("PATH", path);
    }
    await check();
  });
});

Deno.test("a row that is larger than the client's usual packet is dumped, and one that the server would refuse is told", async () => {
  await using at = await opened();
  const { server, run, source, target } = at;
  await server.sql("mysql", "set global max_allowed_packet = 64 * 1024 * 1024");
  await server.sql(
    "shop",
    "create table big (a longblob); insert into big values (repeat(x'00ff', 15 * 1024 * 1024))",
  );
  let backup = await run.run(source);
  assert.deepEqual(run.warnings, []);
  await server.sql("mysql", "drop database shop");
  await restore(run, backup, { target });
  assert.equal(await server.sql("shop", "select length(a) from big"), `${30 * 1024 * 1024}\n`);

  await server.sql("mysql", "set global max_allowed_packet = 32 * 1024 * 1024");
  await shell('rm -rf "$1"', run.directory);
  backup = await run.run(source);
  const [warning] = run.warnings;
  assert.match(
    warning!,
    /^The longest statement in the dump of shop is 62\.9 MB, and the server takes 33\.6 MB: .*SET GLOBAL max_allowed_packet = \d+$/,
  );
  const large = { ...target, database_name: "copy" };
  await assert.rejects(restore(run, backup, { target: large }), /max_allowed_packet|gone away/);
  await server.sql("mysql", /SET GLOBAL .*/.exec(warning!)![0]);
  await restore(run, backup, { target: large });
});
