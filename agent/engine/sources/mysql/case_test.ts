/** Tests servers that ignore the case of names: such a server stores the name `Shop` as `shop`. */
import assert from "node:assert/strict";
import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { StoredBackup } from "../../../../src/protocol/job.ts";
import { BackupRun } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import { verifyJob } from "../../../../tests/support/fixtures/verify_run.ts";
import { LocalDestination } from "../../destinations/local/local.ts";
import { runDrill } from "../../jobs/drill.ts";

function login({ host, port, username, password }: MariadbServer) {
  return { engine: "mysql", host, port, username, password } as const;
}

function source(server: MariadbServer, changes: Partial<DatabaseSource>): DatabaseSource {
  return {
    type: "database",
    format: "custom",
    names: ["Shop"],
    excluded_tables: [],
    ...login(server),
    ...changes,
  };
}

function target(server: MariadbServer, changes: Partial<DatabaseTarget> = {}): DatabaseTarget {
  return {
    ...{
      type: "database",
      ...login(server),
      run_as: null,
      names: null,
      database_name: null,
      overwrite: true,
    },
    ...changes,
  };
}

async function drill(run: BackupRun, backup: StoredBackup, server: MariadbServer): Promise<void> {
  const job = {
    ...verifyJob(run, backup, null),
    kind: "drill" as const,
    bytes_read: 1,
    target: target(server),
  };
  await runDrill(
    job,
    new LocalDestination({ type: "local", directory: run.directory }, run.abort.signal),
    run.ports,
  );
}

const SCHEMA = `
  create table Stock (id int primary key); insert into Stock values (1), (2); create table Log (a int);
  insert into Log values (1); create view Seen as select * from Stock; create sequence Numbers;
  create table Numbered (n int default nextval(Numbers)); create procedure Put() select 1;
  create trigger Stamp before insert on Stock for each row set new.id = new.id;
  create event Nightly on schedule every 1 day do select 1;`;

Deno.test("a server that ignores the case of names", async (t) => {
  await using low = await MariadbServer.open(["--lower-case-table-names=1"]);
  await using exact = await MariadbServer.open();
  const events = "select concat(event_schema, '.', status) from information_schema.events order by 1";

  await t.step("is backed up, drilled and restored, however the names are written", async () => {
    await low.sql("mysql", "create database shop");
    await low.sql("shop", SCHEMA);
    await using run = await BackupRun.open();
    const backup = await run.run(source(low, { excluded_tables: ["LOG", "SHOP.numbered"] }));
    assert.deepEqual(backup.objects.map(({ database }) => database), ["shop", null]);
    assert.deepEqual(run.warnings, []);
    await drill(run, backup, low);
    await restore(run, backup, { target: target(low) });
    assert.equal(await low.sql("shop", "select count(*) from seen; select count(*) from log"), "2\n0\n");
    await restore(run, backup, { target: target(low, { database_name: "COPY" }) });
    assert.equal(await low.sql("copy", "select count(*) from stock"), "2\n");
    assert.equal(await low.sql("copy", events), "copy.ENABLED\nshop.ENABLED\n");
    await low.sql("mysql", "drop database shop; drop database copy");
  });

  await t.step("restores the backup of one that does not", async () => {
    await exact.sql("mysql", "create database Shop");
    await exact.sql("Shop", SCHEMA);
    await using run = await BackupRun.open();
    const backup = await run.run(source(exact, {}));
    await drill(run, backup, low);
    await restore(run, backup, { target: target(low) });
    assert.deepEqual(run.warnings, []);
    assert.equal(
      await low.sql("shop", "select count(*) from seen; insert into numbered values (); select 1"),
      "2\n1\n",
    );
    assert.equal(await low.sql("shop", events), "shop.ENABLED\n");
    await low.sql("mysql", "drop database shop");
  });

  await t.step("rejects names that differ only in case", async () => {
    await exact.sql("mysql", "create database shop; create database tables");
    await exact.sql("tables", "create table T (a int); create table t (a int); insert into T values (1)");
    await using run = await BackupRun.open();
    const backup = await run.run(source(exact, { names: ["Shop", "shop", "tables"] }));
    await assert.rejects(restore(run, backup, { target: target(low, { names: ["Shop", "shop"] }) }), {
      message: /ignores the case of names and takes Shop and shop for one database/,
    });
    await assert.rejects(restore(run, backup, { target: target(low, { names: ["tables"] }) }), {
      message: /ignores the case of names and takes T and t of tables for one table/,
    });
    assert.doesNotMatch(await low.sql("mysql", "show databases"), /shop|tables/);
  });
});
