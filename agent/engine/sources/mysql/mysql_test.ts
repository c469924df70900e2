import assert from "node:assert/strict";
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";

function source(server: MariadbServer, changes: Partial<DatabaseSource> = {}): DatabaseSource {
  return {
    type: "database",
    engine: "mysql",
    names: ["one"],
    excluded_tables: [],
    host: server.host,
    port: server.port,
    username: server.username,
    password: server.password,
    format: "custom",
    ...changes,
  };
}

/**
 * Asserts that the backup run fails with this reason, and that the reason is one line. Also asserts that the
 * run leaves no objects behind.
 */
async function fails(spec: DatabaseSource, message: RegExp): Promise<void> {
  await using run = await BackupRun.open();
  await assert.rejects(run.run(spec), (error: Error) => {
    assert.equal(error.name, "RunFailedError");
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n") && !error.message.includes(spec.password ?? "\n"));
    return true;
  });
  assert.deepEqual(run.stored(), []);
}

const dumped = (run: BackupRun, database: string) =>
  shell('zstd -dc "$1"', `${run.directory}/backup_7_${database}_20260102030405.sql.zst`);

Deno.test("MySQL", async (t) => {
  await using server = await MariadbServer.open();
  await server.sql("mysql", "create database one; create database two; create database three");
  for (const name of ["one", "two"]) {
    await server.sql(name, "create table t (a int); create table logs (a int)");
  }
  await server.sql(
    "mysql",
    "create user reader@'%' identified by 'reader'; grant select, show view on one.* to reader@'%'",
  );

  await t.step("a wrong password fails, and an unknown database fails with a list of databases", async () => {
    await fails(
      source(server, { password: "wrong" }),
      /^Cannot use MySQL at 127\.0\.0\.1, port \d+ as backup: ERROR 1045.*Access denied/,
    );
    await fails(
      source(server, { names: ["four"] }),
      /^Cannot back up database four: .*The server has: one, three, two\.$/,
    );
    await fails(
      source(server, { username: "reader", password: "reader", names: ["two"] }),
      /none of that name that the user may see/,
    );
  });

  await t.step("`*` leaves the server's own schemas out and stores the accounts", async () => {
    await using run = await BackupRun.open();
    const backup = await run.run(source(server, { names: ["*"] }));
    const databases = backup.objects.filter(({ role }) => role === "archive").map(({ database }) => database);
    assert.deepEqual(databases, [null, "one", "three", "two"]);
    assert.deepEqual(run.warnings, []);
    const accounts = await dumped(run, "~globals");
    assert.match(accounts, /CREATE USER IF NOT EXISTS `reader`@`%`/);
    assert.match(accounts, /GRANT SELECT, SHOW VIEW ON `one`\.\* TO `reader`@`%`/);
  });

  await t.step("accounts that the user may not read are left out, and the output says so", async () => {
    await using run = await BackupRun.open();
    await server.sql("mysql", "grant event, trigger on one.* to reader@'%'");
    const backup = await run.run(source(server, { names: ["*"], username: "reader", password: "reader" }));
    assert.deepEqual(backup.objects.map(({ database }) => database), ["one", null]);
    assert.ok(
      run.warnings.includes(
        "Accounts are not part of this backup: reader may not read them. Let it: GRANT SELECT ON `mysql`.* TO `reader`@`%`.",
      ),
    );
  });

  await t.step("rows of excluded tables are left out of every database, or of the one named", async () => {
    await using run = await BackupRun.open();
    for (const name of ["one", "two"]) {
      await server.sql(name, "insert into t values (1); insert into logs values (2)");
    }
    await run.run(
      source(server, { names: ["one", "two"], excluded_tables: ["logs", "two.t", "none", "one.x"] }),
    );
    const found = async (name: string, statement: string) =>
      [...(await dumped(run, name)).matchAll(new RegExp(`^${statement} \`(\\w+)\``, "gm"))].map(([, each]) =>
        each
      );
    for (const name of ["one", "two"]) assert.deepEqual(await found(name, "CREATE TABLE"), ["logs", "t"]);
    assert.deepEqual(await found("one", "INSERT INTO"), ["t"]);
    assert.deepEqual(await found("two", "INSERT INTO"), []);
    assert.deepEqual(run.warnings, [
      "There is no table none, which excluded_tables names",
      "There is no table one.x, which excluded_tables names",
    ]);
  });

  await t.step("a named database that no longer exists is missing, and the others are stored", async () => {
    await using run = await BackupRun.open();
    const { missing, objects } = await run.run(source(server, { names: ["four", "one", "four"] }));
    assert.deepEqual(missing!.map(({ name }) => name), ["four"]);
    assert.match(missing![0]!.reason, /^Cannot back up database four: there is none of that name/);
    assert.deepEqual(objects.map(({ database }) => database), ["one", null]);
  });

  await t.step("databases whose names differ only in case or accents are all stored", async () => {
    await using run = await BackupRun.open();
    const names = ["Cafe", "cafe", "café"];
    for (const name of names) await server.sql("mysql", `create database \`${name}\``);
    await server.sql("cafe", "create table t (a int)");
    const backup = await run.run(source(server, { names: ["*"] }));
    for (const name of names) await server.sql("mysql", `drop database \`${name}\``);
    const stored = backup.objects.filter(({ role }) => role === "archive").map(({ database }) => database);
    assert.deepEqual(stored.toSorted(), [...names, null, "one", "three", "two"].toSorted());
    assert.match(await dumped(run, "cafe"), /CREATE TABLE `t`/);
    assert.doesNotMatch(await dumped(run, "Cafe"), /CREATE TABLE/);
  });

  await t.step("tables and views that the server cannot open are left out and named", async () => {
    await using run = await BackupRun.open();
    await server.sql(
      "two",
      "create view broken as select a from t; create view upon as select a from broken",
    );
    await server.sql("two", "create table bad (a int primary key) engine=myisam; insert into bad values (1)");
    await server.sql("two", "create view sound as select a from logs; drop table t; flush tables");
    await shell(
      'dd if=/dev/zero of="$1" bs=100 count=3 conv=notrunc status=none',
      `${server.directory}/data/two/bad.MYI`,
    );
    const { missing } = await run.run(source(server, { names: ["*"] }));
    assert.deepEqual(missing!.map(({ name }) => name).sort(), ["two.bad", "two.broken", "two.upon"]);
    assert.match(
      missing!.find(({ name }) => name === "two.broken")!.reason,
      /^The server cannot open it: .*references invalid table/,
    );
    assert.match(await dumped(run, "two"), /VIEW `sound` AS select/);
    await server.sql("two", "drop table bad");
  });

  await t.step(
    "`*` leaves out databases that a restore or a drill made, but none with similar names",
    async () => {
      await using run = await BackupRun.open();
      for (const name of ["one_rearguard_fresh", "one_rearguard_drill", "mine_rearguard_fresh"]) {
        await server.sql("mysql", `create database ${name}`);
        const table = name.startsWith("one") ? "rearguard_unfinished" : "mine";
        await server.sql(name, `create table ${table} (a int primary key)`);
      }
      const { objects } = await run.run(source(server, { names: ["*"] }));
      const databases = objects.filter(({ role }) => role === "archive").map(({ database }) => database);
      assert.deepEqual(databases, [null, "mine_rearguard_fresh", "one", "three", "two"]);
      assert.match(run.lines.join("\n"), /Left out, .*: one_rearguard_drill, one_rearguard_fresh\./);
      for (const name of ["one_rearguard_fresh", "one_rearguard_drill", "mine_rearguard_fresh"]) {
        await server.sql("mysql", `drop database ${name}`);
      }
    },
  );

  await t.step("`*` leaves out directories that the server lists as databases", async () => {
    await using run = await BackupRun.open();
    const directories = ["lost+found", "a.b"].map((name) => `${server.directory}/data/${name}`);
    for (const directory of directories) await Deno.mkdir(directory, { mode: 0o700 });
    const { missing } = await run.run(source(server, { names: ["*"] }));
    for (const directory of directories) await Deno.remove(directory);
    assert.doesNotMatch(JSON.stringify(missing), /#mysql50#/);
    assert.match(run.lines.join("\n"), /^Left out, as directories .*: #mysql50#a\.b, #mysql50#lost\+found$/m);
  });

  await t.step("tables that are not transactional are reported", async () => {
    await using run = await BackupRun.open();
    await server.sql("three", "create table old (a int) engine=myisam");
    await run.run(source(server, { names: ["three"] }));
    assert.ok(run.lines.some((line) => line.startsWith("Not transactional in three: 1 ")));
  });

  await t.step("the socket may be named by its directory", async () => {
    for (const host of [server.socket, server.directory, `${server.directory}//`]) {
      await using run = await BackupRun.open();
      await run.run(source(server, { host, port: null, username: "root", password: null }));
      assert.ok(
        run.lines.includes(`Connecting to MySQL at the socket ${server.socket} as root`),
        run.lines.join(),
      );
    }
  });

  await t.step("the password's file is private", async () => {
    await using run = await BackupRun.open();
    await run.run(source(server));
    assert.equal((await Deno.stat(`${run.ports.workDirectory}/mysql.cnf`)).mode! & 0o777, 0o600);
  });

  await t.step("a server that is down fails the run", async () => {
    await server.stop();
    await fails(source(server), /^Cannot use MySQL at 127\.0\.0\.1, port \d+ as backup: ERROR 2002/);
    await fails(
      source(server, { host: server.socket, password: null }),
      /Can't connect to local server through socket/,
    );
  });
});
