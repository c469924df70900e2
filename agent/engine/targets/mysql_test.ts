import assert from "node:assert/strict";
import { BackupRun } from "../../../tests/support/backup_run.ts";
import { MariadbServer } from "../../../tests/support/mariadb.ts";
import { restore } from "../../../tests/support/restore_run.ts";

const OLD = `
  create table parent (a int primary key); insert into parent values (1);
  create table child (a int, foreign key (a) references parent (a)); insert into child values (1);
  create view seen as select a from parent;
  create trigger up before insert on parent for each row set new.a = new.a + 1`;

Deno.test("a swap that fails midway puts back what was there", async () => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  await server.sql("mysql", "create database one; create database mine character set utf8mb4");
  await server.sql("one", "create table parent (b text); create procedure nothing() select 1");
  await server.sql("mine", OLD);
  // May do anything in the fresh database, but make no procedure in the place itself.
  await server.sql(
    "mysql",
    `create user limited@'%' identified by 'limited'; grant super, select, show view, trigger on *.* to limited@'%';
     grant all on \`mine\\_rearguard\\_%\`.* to limited@'%';
     grant insert, create, drop, alter, create view, references, event on mine.* to limited@'%'`,
  );
  const login = {
    host: server.host,
    port: server.port,
    username: server.username,
    password: server.password,
  };
  const source = { type: "database", engine: "mysql", format: "custom" } as const;
  const backup = await run.run({ ...source, ...login, names: ["one"], excluded_tables: [] });
  const described = async () => [
    await server.sql("mine", "show full tables"),
    await server.sql("mine", "show create table child; show create view seen; show create trigger up"),
    await server.sql("mine", "select * from parent; select * from child; select @@collation_database"),
  ];
  const before = (await described()).map(withoutTimes);
  const target = {
    ...{ type: "database", engine: "mysql", ...login, username: "limited", password: "limited" } as const,
    ...{ run_as: null, names: null, database_name: "mine", overwrite: true },
  };
  await assert.rejects(restore(run, backup, { target }), {
    name: "RunFailedError",
    message: /^Cannot restore backup 31: Cannot use MySQL at .*denied/,
  });
  assert.ok(run.lines.includes("Everything is loaded and proven. Putting it into place"));
  assert.deepEqual((await described()).map(withoutTimes), before);
  assert.match(await server.sql("mysql", "show databases"), /^information_schema\nmine\nmysql\none\n/);
  // With the right to do so, all of it takes the place.
  const able = { ...target, username: server.username, password: server.password };
  await restore(run, backup, { target: able });
  assert.equal(await server.sql("mine", "show full tables"), "parent\tBASE TABLE\n");
  assert.match(await server.sql("mine", "show create procedure nothing"), /select 1/);

  await server.sql("mine", "create table keyed (a int primary key)");
  await server.sql("one", "create table t (a int, foreign key (a) references mine.keyed (a))");
  await assert.rejects(restore(run, backup, { target: able }), {
    message:
      /foreign keys of other databases lead into mine, which can't be replaced under them: one\.t\. Drop/,
  });
});

/** When a trigger was made. */
function withoutTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+/g, "TIME");
}
