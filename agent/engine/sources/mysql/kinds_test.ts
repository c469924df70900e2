import assert from "node:assert/strict";
import { backUpWithPrograms } from "../../../../tests/support/fixtures/backup_process.ts";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";

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

Deno.test("the history of system-versioned tables is restored", async () => {
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

Deno.test("history that cannot be dumped is reported", async () => {
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

/**
 * Script that imitates Oracle's dump program. It runs MariaDB's, but prints Oracle's version and rejects
 * options that Oracle's program lacks.
 */
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
  await t.step("by two dumps if the program lacks it", async () => {
    // The script imitates Oracle's dump program, which has another version and other options than MariaDB's.
    const bin = `${run.root}/bin`;
    await Deno.mkdir(bin);
    await Deno.writeTextFile(`${bin}/mariadb-dump`, ORACLE, { mode: 0o755 });
    await server.sql("shop", "set foreign_key_checks = 0; insert into left_out values (1, null)");
    await shell('rm -rf "$1"', run.directory);
    const backup = await backUpWithPrograms(run, source, bin);
    await server.sql("mysql", "drop database shop");
    await restore(run, backup, { target });
    await check();
  });
});

const VALUES = `
  create table ids (a int auto_increment primary key, b int); insert into ids (b) values (7); update ids set a = 0;
  create table kinds (id uuid primary key, six inet6, four inet4, flags bit(33), place geometry, day date, at datetime(6),
    hidden int invisible default 4, raw varbinary(40), packed longtext compressed, calc varchar(50) as (upper(packed)) virtual,
    odd varchar(50) character set latin1, doc json, amount decimal(65, 30), wide double) row_format=dynamic;
  insert into kinds (id, six, four, flags, place, day, at, hidden, raw, packed, odd, doc, amount, wide) values
    ('123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '192.0.2.1', b'101', point(1, -2), '0000-00-00',
     '9999-12-31 23:59:59.999999', 9, x'00ff5c27220a0d1a', 'back\\\\slash ''quote'' "double" \\n new \\0 nul ; -- /* 😀',
     'ÿé', '{"a": "b c"}', 12345678901234567890.000000000000000000000000000001, 1.7976931348623157e308),
    ('00000000-0000-0000-0000-000000000001', '::', '0.0.0.0', b'0', null, '2024-00-31', '1000-01-01', null, '', '', '', null, -0.1, -0e0);
  create table \`é漢 \`\`odd\` (\`a\`\`b;\` int comment 'it''s; -- \\\\'); insert into \`é漢 \`\`odd\` values (1)`;

Deno.test("values that are easily lost are restored, whatever the server's SQL mode is", async (t) => {
  await using at = await opened();
  const { server, run, source, target } = at;
  await server.sql("shop", `set sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; ${VALUES}`);
  const described = () =>
    server.sql(
      "shop",
      "select *, hidden, hex(raw), hex(packed), hex(odd), hex(place), hex(flags) from kinds order by id; select * from ids; " +
        "select * from `é漢 ``odd`; show create table kinds; show create table ids; show create table `é漢 ``odd`",
    );
  const before = await described();
  for (
    const mode of [
      "default",
      "'NO_BACKSLASH_ESCAPES'",
      "'ANSI_QUOTES,PIPES_AS_CONCAT'",
      "'TRADITIONAL'",
      "'ORACLE'",
    ]
  ) {
    await t.step(mode, async () => {
      await server.sql("mysql", `set global sql_mode = ${mode}`);
      await shell('rm -rf "$1"', run.directory);
      const backup = await run.run(source);
      await server.sql("mysql", "drop database shop");
      await restore(run, backup, { target });
      await server.sql("mysql", "set global sql_mode = default");
      assert.equal(await described(), before);
      assert.deepEqual(run.warnings, []);
    });
  }
});

Deno.test("a table that is truncated while it is dumped fails the run, with advice", async () => {
  await using at = await opened();
  const { server, run, source } = at;
  await server.sql(
    "shop",
    `create table a (x varchar(100)); insert into a select repeat('x', 100) from seq_1_to_200000; create table z (x int);
     delimiter //
     create procedure churn() begin declare n int default 0; while n < 200 do
       truncate z; do sleep(0.01); set n = n + 1; end while; end//`,
  );
  const churned = server.sql("shop", "call churn()");
  await assert.rejects(run.run(source), {
    message:
      /^Cannot dump database shop: .*1412: Table definition has changed.* leave its rows out by excluded_database_tables\.$/,
  });
  await churned;
});

Deno.test("a row larger than the client's default packet is dumped; one that the server would reject is reported", async () => {
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
