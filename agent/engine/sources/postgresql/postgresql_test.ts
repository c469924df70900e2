import assert from "node:assert/strict";
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import type { StoredBackup } from "../../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { PostgresqlServer } from "../../../../tests/support/servers/postgresql.ts";
import { until } from "../../../../tests/support/assertions/until.ts";
import { checkClosing } from "../database/dump_messages.ts";
import { installationFor } from "./programs.ts";

function source(server: PostgresqlServer, changes: Partial<DatabaseSource> = {}): DatabaseSource {
  return {
    type: "database",
    engine: "postgresql",
    names: ["postgres"],
    excluded_tables: [],
    host: server.host,
    port: server.port,
    username: "postgres",
    password: server.password,
    format: "plain",
    ...changes,
  };
}

/**
 * Asserts that the run fails with a reason of one line that matches `message`, and that the run leaves no
 * objects behind.
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

Deno.test("PostgreSQL", async (t) => {
  await using server = await PostgresqlServer.open();
  await server.sql(
    "postgres",
    "create role reader login password 'reader'; create database one; create database two",
  );

  await t.step(
    "a wrong password, a missing password and an unknown database fail with a reason",
    async () => {
      await fails(
        source(server, { password: "wrong" }),
        /Cannot use PostgreSQL at 127.0.0.1.*password authentication failed for user "postgres"$/,
      );
      await fails(source(server, { password: null }), /no password supplied/);
      await fails(
        source(server, { names: ["three"] }),
        /^Cannot back up database three: .*The server has: one, postgres, two\.$/,
      );
    },
  );

  await t.step(
    "a password with line breaks, which the password file does not support, is rejected",
    async () => {
      await fails(source(server, { password: "two\nlines" }), /supports no line breaks/);
    },
  );

  await t.step("the password's file is private to the user that needs it", async () => {
    await using run = await BackupRun.open();
    let mode = 0;
    run.onLine = () => {
      try {
        mode = Deno.statSync(`${run.ports.workDirectory}/pgpass`).mode! & 0o777;
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    };
    await run.run(source(server));
    assert.equal(mode, 0o600);
  });

  await t.step("a task stores one object for each distinct name", async () => {
    await using run = await BackupRun.open();
    const backup = await run.run(source(server, { names: ["two", "one", "two"] }));
    assert.deepEqual(backup.objects.map(({ database }) => database), ["one", "two", null]);
    assert.match(await dumped(run, "one"), /PostgreSQL database dump complete/);
  });

  await t.step("roles are stored without passwords if the user may not read these", async () => {
    await using run = await BackupRun.open();
    await server.sql(
      "postgres",
      "create role keeper login password 'hush'; grant pg_read_all_data to reader",
    );
    await run.run(source(server, { names: ["*"], username: "reader", password: "reader" }));
    const globals = await dumped(run, "~globals");
    assert.match(globals, /CREATE ROLE keeper/);
    assert.ok(!/SCRAM|hush/.test(globals));
  });

  await t.step(
    "a table that the user may not read fails the run of its database, and leaves nothing",
    async () => {
      await server.sql("two", "create table private (a int); create role blind login password 'blind'");
      await fails(
        source(server, { names: ["two"], username: "blind", password: "blind" }),
        /^Cannot dump database two: pg_dump exited with 1: .*permission denied for table private/,
      );
    },
  );

  await t.step(
    "excluded names are literal, of any schema or of one, and include their partitions' rows",
    async () => {
      await server.sql(
        "one",
        `create schema s; create table t (a int); create table s.t (a int); create table s."t.u*" (a int);
       create table s.tu (a int); create table parted (a int) partition by list (a);
       create table parted_1 partition of parted for values in (1) partition by list (a);
       create table parted_1_1 partition of parted_1 for values in (1);
       insert into t values (1); insert into s.t values (1); insert into s."t.u*" values (1);
       insert into s.tu values (1); insert into parted values (1);`,
      );
      await using run = await BackupRun.open();
      await run.run(source(server, { names: ["one"], excluded_tables: ["s.t", "t.u*", "parted", "gone"] }));
      const dump = await dumped(run, "one");
      const names = (pattern: RegExp) => [...dump.matchAll(pattern)].map(([, name]) => name).sort();
      assert.deepEqual(names(/^COPY (\S+)/gm), ["public.t", "s.tu"]);
      assert.equal(names(/^CREATE TABLE (\S+)/gm).length, 7);
      assert.ok(run.lines.includes("Not in one, though excluded: gone"));
    },
  );

  await t.step("a dump ended by the server fails the run", async () => {
    await server.sql("two", "drop table private; create table slow (a text)");
    await using run = await BackupRun.open();
    // pg_dump waits for this lock when the run is cancelled.
    const holder = new Deno.Command("psql", {
      args: ["-X", "-q", "-c", "begin; lock table slow; select pg_sleep(60)"],
      env: { PGHOST: server.directory, PGPORT: String(server.port), PGUSER: "postgres", PGDATABASE: "two" },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const running = run.run(source(server, { names: ["two"] })).then(() => null, (error) => error);
    // Select only pg_dump, which waits in a LOCK TABLE statement. The agent waits for the same table, to
    // count its rows, but in another statement.
    const waiting = "from pg_stat_activity where wait_event_type = 'Lock' and query like 'LOCK TABLE%'";
    while ((await server.sql("postgres", `select count(*) ${waiting}`)).trim() === "0") {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await server.sql("postgres", `select pg_terminate_backend(pid) ${waiting}`);
    assert.match((await running).message, /^Cannot dump database two: pg_dump exited with 1/);
    assert.deepEqual(run.stored(), []);
    holder.kill("SIGKILL");
    await holder.status;
  });

  await t.step("a server that is down fails the run", async () => {
    await server.stop();
    await fails(
      source(server),
      /^Cannot use PostgreSQL at 127\.0\.0\.1, port \d+ as postgres: .*Connection refused/,
    );
    await fails(source(server, { host: server.directory, password: null }), /No such file or directory/);
  });
});

Deno.test("a server newer than every pg_dump is rejected, with the package to install", async () => {
  const found = [{ major: 15, version: "15.18", directory: "" }, {
    major: 13,
    version: "13.2",
    directory: "",
  }];
  assert.equal(installationFor(15, "15.1", found).major, 15);
  assert.equal(installationFor(14, "14.9", found).major, 15);
  assert.equal(installationFor(11, "11.1", found).major, 13);
  assert.throws(() => installationFor(18, "18.4", found), {
    name: "RunFailedError",
    message: /^Cannot back up PostgreSQL 18.4: pg_dump here is 15.18 .*apt-get install postgresql-client-18/,
  });
  await Promise.resolve();
});

Deno.test("a dump without its closing line is not trusted", () => {
  const closing = /\n-- PostgreSQL database dump complete\n--\n\n$/;
  const whole = new TextEncoder().encode(`${"x".repeat(5000)}\n-- PostgreSQL database dump complete\n--\n\n`);
  checkClosing("database x", whole, closing);
  for (const cut of [whole.slice(0, -1), whole.slice(0, 5000), new Uint8Array(0)]) {
    assert.throws(() => checkClosing("database x", cut, closing), /lacks its closing line/);
  }
});

Deno.test("databases that cannot be dumped do not affect the others", async (t) => {
  await using server = await PostgresqlServer.open();
  await server.sql(
    "postgres",
    "create database one; create database two; create database gone; create database off",
  );
  await server.sql("one", "create table t (a int); insert into t values (1)");
  const missing = ({ missing = [] }: StoredBackup) => missing.map(({ name, reason }) => `${name}: ${reason}`);
  const databases = ({ objects }: StoredBackup) =>
    objects.filter(({ role }) => role === "archive").map(({ database }) => database);
  const backUp = async (run: BackupRun, changes: Partial<DatabaseSource>, job = {}) =>
    await run.run(source(server, changes), job);

  await t.step("a missing database and a failing dump are reported", async () => {
    await server.sql(
      "two",
      "create view broken as select 1; delete from pg_rewrite where ev_class = 'broken'::regclass",
    );
    await using run = await BackupRun.open();
    const backup = await backUp(run, { names: ["one", "nobody", "two"] });
    assert.deepEqual(databases(backup), ["one"]);
    assert.match(missing(backup)[0]!, /^nobody: Cannot back up database nobody: there is none of that name/);
    assert.match(missing(backup)[1]!, /^two: Cannot dump database two: pg_dump exited with 1/);
    assert.equal(run.warnings.filter((text) => / is left out of the backup: /.test(text)).length, 2);
    const manifest = JSON.parse(await Deno.readTextFile(`${run.directory}/${backup.objects.at(-1)!.name}`));
    assert.equal(manifest.incomplete, true);
    assert.deepEqual(manifest.missing, backup.missing);
    assert.equal(run.stored().length, 2);
    const count = "select count(*) from pg_stat_activity where application_name = 'rearguard'";
    await until(async () => (await server.sql("postgres", count)).trim() === "0");
  });

  await t.step("the run fails if the control plane cannot record an incomplete backup", async () => {
    await using run = await BackupRun.open();
    await assert.rejects(backUp(run, { names: ["one", "nobody"] }, { accepts_incomplete: false }), {
      message: /^Cannot back up database nobody/,
    });
    assert.deepEqual(run.stored(), []);
  });

  await t.step("the run fails if no database could be stored", async () => {
    await using run = await BackupRun.open();
    await assert.rejects(backUp(run, { names: ["nobody", "two"] }), {
      message: /Cannot back up database nobody.*; Cannot dump database two/,
    });
    assert.deepEqual(run.stored(), []);
  });

  await t.step("`*` reports invalid, closed and temporary databases, and stores the others", async () => {
    await server.sql(
      "postgres",
      `update pg_database set datconnlimit = -2 where datname = 'gone'; alter database off allow_connections false;
       create database shop_rearguard_fresh; comment on database shop_rearguard_fresh is 'Rearguard: unfinished restore';
       create database mine_rearguard_drill; create database pattern is_template true;`,
    );
    await using run = await BackupRun.open();
    const backup = await backUp(run, { names: ["*"] });
    assert.deepEqual(databases(backup), [null, "mine_rearguard_drill", "one", "pattern", "postgres"]);
    assert.deepEqual(missing(backup).map((line) => line.slice(0, 40)), [
      "off: Cannot back up database off: it tak",
      "two: Cannot dump database two: pg_dump e",
    ]);
    assert.match(run.lines.join("\n"), /gone is left out: it is what an interrupted DROP DATABASE left/);
    assert.match(
      run.lines.join("\n"),
      /Dropped database shop_rearguard_fresh, which a restore or a drill left/,
    );
  });

  await t.step("an invalid database that the task names is missing", async () => {
    await using run = await BackupRun.open();
    const backup = await backUp(run, { names: ["gone", "one"] });
    assert.match(
      missing(backup).join(),
      /^gone: Cannot back up database gone: it is what an interrupted DROP/,
    );
  });

  await t.step("a database of `*` that is dropped meanwhile is not missing", async () => {
    await server.sql("postgres", "create database passing");
    await server.sql(
      "postgres",
      "update pg_database set datconnlimit = -1, datallowconn = true where datname in ('gone', 'off'); drop database two",
    );
    await using run = await BackupRun.open();
    let dropped: Promise<string> | null = null;
    run.onLine = (line) => {
      // Roles are stored before databases, so `passing` is dropped before its turn.
      if (line.startsWith("Stored roles")) dropped ??= server.sql("postgres", "drop database passing");
    };
    const backup = await backUp(run, { names: ["*"] });
    await dropped;
    assert.deepEqual(backup.missing, undefined);
    assert.match(run.warnings.join("\n"), /database passing was dropped meanwhile, and is not in the backup/);
  });
});
