import assert from "node:assert/strict";
import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import { BackupRun } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { verifyJob } from "../../../../tests/support/fixtures/verify_run.ts";
import { LocalDestination } from "../../destinations/local/local.ts";
import { runDrill } from "../../jobs/drill.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";

const SCHEMA = `
  create table t (a int primary key); insert into t values (1);
  create definer=gone@localhost view seen as select a from t;
  create definer=gone@localhost trigger tr before insert on t for each row set new.a = new.a + 1;
  create definer=gone@localhost event ev on schedule every 1 day starts '2030-01-01' do select 1;
  create definer=gone@localhost procedure p() select 1;
  delimiter //
  set sql_mode = oracle//
  create definer=gone@localhost package pk as procedure one; end//
  create definer=gone@localhost package body pk as procedure one as begin select 1; end; end//`;

Deno.test("a restore by a login of few rights", async (t) => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  await server.sql("mysql", "create database shop; create user gone@localhost");
  await server.sql("shop", SCHEMA);
  const source: DatabaseSource = {
    type: "database",
    format: "custom",
    names: ["shop"],
    excluded_tables: [],
    ...login,
  };
  const backup = await run.run(source);
  await server.sql(
    "mysql",
    `create user limited@'%' identified by 'limited';
     grant all on \`copy%\`.* to limited@'%'; grant create, drop on \`other\`.* to limited@'%'`,
  );
  const target: DatabaseTarget = {
    ...{ type: "database", ...login, username: "limited", password: "limited", run_as: null, names: null },
    ...{ database_name: "copy", overwrite: true },
  };
  const definers = () =>
    server.sql(
      "mysql",
      `select definer from information_schema.views where table_schema = 'copy' union all
       select definer from information_schema.triggers where trigger_schema = 'copy' union all
       select definer from information_schema.events where event_schema = 'copy' union all
       select definer from information_schema.routines where routine_schema = 'copy'`,
    );

  await t.step("is told what its definers take", async () => {
    await assert.rejects(restore(run, backup, { target }), {
      message:
        /1227 .*: Access denied; .*\. The backup has objects of another definer .* set definers to login, or grant/,
    });
    assert.doesNotMatch(await server.sql("mysql", "show databases"), /copy/);
  });

  await t.step("does not keep a drill from what has other definers", async () => {
    await server.sql("mysql", "grant all on `shop\\_rearguard\\_drill`.* to limited@'%'");
    const job = { ...verifyJob(run, backup, null), kind: "drill" as const, bytes_read: 1, target };
    const local = new LocalDestination({ type: "local", directory: run.directory }, run.abort.signal);
    await runDrill({ ...job, target: { ...target, database_name: null } }, local, run.ports);
    assert.match(run.lines.join("\n"), /^Database shop came back as it was: 1 table with 1 rows/m);
  });

  await t.step("makes the login the definer of everything, where that is wanted", async () => {
    await restore(run, backup, { target: { ...target, definers: "login" } });
    assert.equal(await definers(), "limited@%\n".repeat(6));
    assert.deepEqual(run.warnings, []);
    // Restores a second time, over the restored database.
    await restore(run, backup, { target: { ...target, definers: "login" } });
    assert.equal(await server.sql("copy", "select * from seen"), "1\n");
    await server.sql("mysql", "drop database copy");
  });

  await t.step("goes on after errors, which it lists and counts, where that is wanted", async () => {
    run.lines.length = 0;
    await restore(run, backup, { target: { ...target, continue_on_errors: true } });
    assert.equal(await server.sql("copy", "select * from t"), "1\n");
    assert.equal(await definers(), "");
    assert.equal(run.warnings.length, 6, run.warnings.join("\n"));
    // Error 1227 means that a privilege is missing. If it prevents the creation of a package, the creation of
    // the package's body fails with error 1305.
    for (const warning of run.warnings) assert.match(warning, /^1227 |^1305 .* PACKAGE/);
    assert.match(
      run.lines.join("\n"),
      /database shop: 6 errors were passed over, as continue_on_errors is set/,
    );
    await server.sql("mysql", "drop database copy");
  });

  await t.step("is told of the databases beside the place", async () => {
    await assert.rejects(restore(run, backup, { target: { ...target, database_name: "other" } }), {
      message: /other_rearguard_fresh'.*grant ALL on `%\\_rearguard\\_%`\.\* to the login/,
    });
  });
});

Deno.test("a restore takes no notice of what a server does by default to other sessions", async (t) => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  await server.sql("mysql", "create database shop");
  await server.sql("shop", "create table t (a int primary key); insert into t select seq from seq_1_to_1000");
  const source: DatabaseSource = {
    type: "database",
    format: "custom",
    names: ["shop"],
    excluded_tables: [],
    ...login,
  };
  const backup = await run.run(source);
  const target: DatabaseTarget = {
    ...{ type: "database", ...login, run_as: null, names: null, database_name: "copy", overwrite: true },
  };
  const settings = [
    "autocommit = 0",
    "max_statement_time = 0.0001",
    "innodb_force_primary_key = 1",
    "sql_mode = 'ORACLE,ANSI_QUOTES'",
  ];
  for (const setting of settings) {
    await t.step(setting, async () => {
      await server.sql("mysql", `set global ${setting}`);
      await restore(run, backup, { target });
      await server.sql("mysql", `set global ${setting.replace(/=.*/, "= default")}`);
      assert.equal(await server.sql("copy", "select count(*) from t"), "1000\n");
    });
  }
});
