/** Tests logins that are no superusers, and databases whose owner is not trusted. */
import assert from "node:assert/strict";
import { BackupRun } from "../../../../tests/support/fixtures/backup_run.ts";
import { Bench } from "../../../../tests/support/fixtures/postgresql_bench.ts";

const READER = { username: "reader", password: "reader" };

Deno.test("PostgreSQL rights", async (t) => {
  await using at = await Bench.open();
  await at.sql(
    "postgres",
    `create role reader login password 'reader'; grant pg_read_all_data to reader;
     create role ada login; create role eve login password 'eve'; create database shop owner eve`,
  );
  await at.sql("shop", "create table t (a int); insert into t values (1), (2)");

  await t.step("a warning reports options of user mappings that the login may not see", async () => {
    await at.sql(
      "shop",
      `create extension postgres_fdw; create server archive foreign data wrapper postgres_fdw;
       create user mapping for ada server archive options (user 'ada', password 'secret');
       create user mapping for public server archive options (user 'all')`,
    );
    await using run = await BackupRun.open();
    await at.backUp(run, READER);
    assert.match(
      run.warnings.join("\n"),
      /^The login may not see the options of user mappings in shop, .*: PUBLIC on server archive, ada on server archive\. To store them, back up as a superuser\.$/m,
    );
    await using whole = await BackupRun.open();
    await at.backUp(whole);
    assert.deepEqual(whole.warnings, []);
  });

  await t.step("a warning reports passwords of roles that the login may not read", async () => {
    await using run = await BackupRun.open();
    await at.backUp(run, { names: ["*"], ...READER });
    assert.match(run.warnings.join("\n"), /^Roles are stored without their passwords/m);
  });

  for (
    const [what, limit, back] of [
      ["role", "alter role reader connection limit 1", "alter role reader connection limit -1"],
      ["database", "alter database shop connection limit 1", "alter database shop connection limit -1"],
    ] as const
  ) {
    await t.step(
      `with a connection limit of one for the ${what}, rows are backed up but not counted`,
      async () => {
        await at.sql("postgres", limit);
        await using run = await BackupRun.open();
        const backup = await at.backUp(run, READER);
        await at.sql("postgres", back);
        assert.match(run.lines.join("\n"), /^Rows are not counted in shop: its connection limit/m);
        await at.drill(run, backup);
      },
    );
  }

  await t.step("a login with one connection restores", async () => {
    await at.sql(
      "postgres",
      "create role one login createdb password 'one' connection limit 1; create database plain",
    );
    await at.sql("plain", "create table t (a int)");
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { names: ["plain"] });
    const login = { username: "one", password: "one" };
    await at.restore(run, backup, { ...login, names: ["plain"], database_name: "copy", owners: false });
    await at.drill(run, backup, login);
  });

  await t.step("functions that a database's owner puts first in the search path are not called", async () => {
    await at.sql(
      "shop",
      `create schema app authorization eve; set session authorization eve;
       create function app.pg_get_userbyid(oid) returns name language plpgsql as
         $$ begin raise exception 'called'; end $$;
       create function app.counted(text, text) returns boolean language plpgsql as
         $$ begin raise exception 'called'; end $$;
       create operator app.= (leftarg = text, rightarg = text, procedure = app.counted);
       alter database shop set search_path = app, pg_catalog`,
    );
    await using run = await BackupRun.open();
    const backup = await at.backUp(run);
    assert.match(run.lines.join("\n"), /^Counted in shop, .* with 2 rows/m);
    await at.restore(run, backup, { overwrite: true });
    assert.equal(
      await at.sql("postgres", "select pg_get_userbyid(datdba) from pg_database where datname = 'shop'"),
      "eve\n",
    );
    await at.drill(run, backup);
  });
});

Deno.test("a drill by a login that is not a superuser does not compare default privileges", async () => {
  await using at = await Bench.open();
  await at.sql(
    "postgres",
    `create role maker login createdb password 'maker'; create role ada; create database shop`,
  );
  await at.sql(
    "shop",
    `create table t (a int); alter default privileges for role ada grant select on tables to maker;
     select lo_from_bytea(0, 'x'); create schema s; alter table t enable row level security`,
  );
  await using run = await BackupRun.open();
  const backup = await at.backUp(run);
  await at.drill(run, backup, { username: "maker", password: "maker" });
  assert.match(run.lines.join("\n"), /^Not compared: .*default acl/m);
});

Deno.test("a drill compares row security, user mappings, and grants on large objects", async () => {
  await using at = await Bench.open();
  await at.sql("postgres", "create role ada; create database shop");
  await at.sql(
    "shop",
    `create table t (a int); alter table t enable row level security; create extension postgres_fdw;
     create server archive foreign data wrapper postgres_fdw; create user mapping for ada server archive;
     select lo_from_bytea(5000, 'x'); grant select on large object 5000 to ada;
     create publication p for tables in schema public`,
  );
  await using run = await BackupRun.open();
  const backup = await at.backUp(run);
  const manifest = JSON.parse(await Deno.readTextFile(`${run.directory}/${backup.objects.at(-1)!.name}`));
  const { objects } = manifest.objects.find(({ name }: { name: string }) => /\.dump\./.test(name));
  assert.deepEqual(objects["row security"], ["of public.t"]);
  assert.deepEqual(objects["user mapping"], ["ada on server archive"]);
  assert.deepEqual(objects["large object access"], [
    "1 owned by postgres, granted ada=r/postgres, postgres=rw/postgres",
  ]);
  assert.deepEqual(objects["publication namespace"], ["public in publication p"]);
  await at.drill(run, backup);
});

for (const format of ["custom", "plain"] as const) {
  Deno.test(`a drill by a login that is not a superuser leaves out objects that only superusers may create: ${format}`, async () => {
    await using at = await Bench.open();
    await at.sql("postgres", "create role maker login createdb password 'maker'; create database shop");
    await at.sql(
      "shop",
      `create table t (a int); insert into t values (1); create extension pg_stat_statements;
       create function f() returns event_trigger language plpgsql as 'begin end';
       create event trigger watch on ddl_command_start execute function f(); comment on event trigger watch is 'x';
       create publication every for all tables; create publication one for table t;
       create publication s for tables in schema public;
       create subscription sub connection 'host=127.0.0.1 port=1 dbname=none' publication p with (connect = false)`,
    );
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { format });
    await at.drill(run, backup, { username: "maker", password: "maker" });
    const lines = run.lines.join("\n");
    assert.match(lines, /^Database shop came back as it was: 1 table with 1 rows/m);
    assert.match(
      lines,
      /^Not compared: .*event trigger, publication, .*extension pg_stat_statements, which only a superuser may create/m,
    );
    // A superuser is allowed to create all of these objects. So a superuser's drill compares them.
    run.lines.length = 0;
    await at.drill(run, backup);
    assert.doesNotMatch(run.lines.join("\n"), /^Not compared: .*(event trigger|only a superuser)/m);
    await at.sql("shop", "alter subscription sub disable; alter subscription sub set (slot_name = none)");
  });

  Deno.test(`a materialized view that cannot be filled does not fail a restore: ${format}`, async () => {
    await using at = await Bench.open();
    await at.sql("postgres", "create database shop");
    await at.sql(
      "shop",
      `create table logs (a int); insert into logs values (1); create table t (a int); insert into t values (1);
       create materialized view "We ird" as select 1 / count(*) from logs;
       create materialized view upon as select * from "We ird";
       create materialized view sound as select * from t`,
    );
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { format, excluded_tables: ["logs"] });
    await at.drill(run, backup);
    await at.sql("postgres", "drop database shop");
    run.warnings.length = 0;
    await at.restore(run, backup);
    assert.deepEqual(run.warnings, [
      'Materialized view public."We ird" is not filled: division by zero. To fill it: REFRESH MATERIALIZED VIEW public."We ird"',
      'Materialized view public.upon is not filled: materialized view "We ird" has not been populated. To fill it: ' +
      "REFRESH MATERIALIZED VIEW public.upon",
    ]);
    assert.equal(await at.sql("shop", "select * from sound"), "1\n");
  });
}
