import assert from "node:assert/strict";
import type { DatabaseSource } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/backup_run.ts";
import { PostgresqlServer } from "../../../tests/support/postgresql.ts";
import { checkClosing } from "./dump_messages.ts";
import { installationFor } from "./postgresql_programs.ts";

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

/** The run fails with this reason in one line, and nothing is left. */
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
    "a wrong password, an unknown user and an unknown database fail with the server's words",
    async () => {
      await fails(
        source(server, { password: "wrong" }),
        /Cannot use PostgreSQL at 127.0.0.1.*password authentication failed for user "postgres"$/,
      );
      await fails(source(server, { password: null }), /no password supplied/);
      await fails(
        source(server, { names: ["one", "three"] }),
        /^Cannot back up database three: .*The server has: one, postgres, two\.$/,
      );
    },
  );

  await t.step("a password that the password file can't hold is refused", async () => {
    await fails(source(server, { password: "two\nlines" }), /takes no line breaks/);
  });

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

  await t.step("the names of a task are its objects", async () => {
    await using run = await BackupRun.open();
    const backup = await run.run(source(server, { names: ["two", "one", "two"] }));
    assert.deepEqual(backup.objects.map(({ database }) => database), ["one", "two", null]);
    assert.match(await dumped(run, "one"), /PostgreSQL database dump complete/);
  });

  await t.step("roles without passwords are stored where the user may not read them", async () => {
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
    "a table the user may not read fails the run, and what was stored before is removed",
    async () => {
      await server.sql("two", "create table private (a int); create role blind login password 'blind'");
      await fails(
        source(server, { names: ["one", "two"], username: "blind", password: "blind" }),
        /^Cannot dump database two: pg_dump exited with 1: .*permission denied for table private/,
      );
    },
  );

  await t.step(
    "excluded names are literal, of any schema or of one, and take their partitions along",
    async () => {
      await server.sql(
        "one",
        `create schema s; create table t (a int); create table s.t (a int); create table s."t.u*" (a int);
       create table s.tu (a int); create table parted (a int) partition by list (a);
       create table parted_1 partition of parted for values in (1) partition by list (a);
       create table parted_1_1 partition of parted_1 for values in (1);`,
      );
      await using run = await BackupRun.open();
      await run.run(source(server, { names: ["one"], excluded_tables: ["s.t", "t.u*", "parted", "gone"] }));
      const tables = [...(await dumped(run, "one")).matchAll(/^CREATE TABLE (\S+)/gm)].map(([, name]) =>
        name
      );
      assert.deepEqual(tables.sort(), ["public.t", "s.tu"]);
      assert.ok(run.lines.includes("Not in one, though excluded: gone"));
    },
  );

  await t.step("a dump ended by the server fails the run", async () => {
    await server.sql("two", "drop table private; create table slow (a text)");
    await using run = await BackupRun.open();
    // The dump waits for this lock, and is cut off while it does.
    const holder = new Deno.Command("psql", {
      args: ["-X", "-q", "-c", "begin; lock table slow; select pg_sleep(60)"],
      env: { PGHOST: server.directory, PGPORT: String(server.port), PGUSER: "postgres", PGDATABASE: "two" },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const running = run.run(source(server, { names: ["two"] })).then(() => null, (error) => error);
    // The count of the rows waits for it too.
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

Deno.test("a server newer than every pg_dump is named, with what to install", async () => {
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
