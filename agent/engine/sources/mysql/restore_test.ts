import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";

const OLD = `
  create table parent (a int primary key); insert into parent values (1);
  create table child (a int, foreign key (a) references parent (a)); insert into child values (1);
  create view seen as select a from parent;
  create trigger up before insert on parent for each row set new.a = new.a + 1`;

Deno.test("a swap that fails midway puts the original back", async () => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  await server.sql("mysql", "create database one; create database mine character set utf8mb4");
  await server.sql("one", "create table parent (b text); create procedure nothing() select 1");
  await server.sql("mine", OLD);
  // This login is allowed to do anything in the temporary database. In the final database, it is not allowed
  // to create procedures.
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
  assert.ok(run.lines.includes("Everything is loaded and verified. Putting it into place"));
  assert.deepEqual((await described()).map(withoutTimes), before);
  assert.match(await server.sql("mysql", "show databases"), /^information_schema\nmine\nmysql\none\n/);
  // With the necessary rights, the swap succeeds.
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

/**
 * SQL that creates objects of every type, then changes the database's collation. So these objects have
 * another collation than the database, and their dump contains the database's name.
 */
const LIVE = `
  create table stock (a int primary key, name text); insert into stock values (1, 'é'), (2, null);
  create table ran (at timestamp);
  create view named as select name from stock;
  delimiter //
  create procedure look(what text) begin select what; end//
  create function twice(n int) returns int deterministic return n * 2//
  create trigger stamp before insert on stock for each row begin set new.name = upper(new.name); end//
  create event \`of\`\`ten\` on schedule every 1 second comment 'x ENABLE' do begin insert into ran values (now()); end//
  create event never on schedule every 1 second disable do insert into ran values (now())//
  delimiter ;
  alter database live character set utf8mb4 collate utf8mb4_bin;
  create procedure after_all() select twice(2)`;

/** Returns a dump of the database's definitions, without rows. */
async function definitionsOf(server: MariadbServer, name: string): Promise<string> {
  const args = ["--routines", "--events", "--skip-comments", "--no-data"];
  const { stdout } = await new Deno.Command("mariadb-dump", {
    args: ["--no-defaults", `--socket=${server.socket}`, "--user=root", ...args, name],
  }).output();
  return new TextDecoder().decode(stdout).replaceAll(`DATABASE \`${name}\``, "DATABASE");
}

Deno.test("a restore under another name does not change the live database", async (t) => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  await server.sql("mysql", "create database live character set latin1");
  await server.sql("live", LIVE);
  const source = { type: "database", format: "custom", ...login } as const;
  const backUp = async () => {
    await shell('rm -rf "$1"', run.directory);
    return await run.run({ ...source, names: ["live"], excluded_tables: ["ran"] });
  };
  const restoreAs = async (backup: Awaited<ReturnType<typeof backUp>>, database_name: string) => {
    run.warnings.length = 0;
    const target = { type: "database", ...login, run_as: null, names: null } as const;
    await restore(run, backup, { target: { ...target, database_name, overwrite: true } });
  };
  let backup = await backUp();
  const original = await definitionsOf(server, "live");
  // From here on, only the scheduled events of restored copies insert rows.
  await server.sql("live", "alter event `of``ten` disable; delete from ran");
  const events = (name: string) =>
    server.sql("mysql", `select name, status from mysql.event where db = '${name}' order by name desc`);

  await t.step("its collation stays, and the copy is whole", async () => {
    await server.sql("mysql", "alter database live character set ucs2");
    await server.sql("mysql", "set global log_output = 'TABLE'; set global general_log = 1");
    await restoreAs(backup, "other");
    const named = "select count(*) from mysql.general_log where argument like 'alter database `live`%'";
    assert.equal(await server.sql("mysql", named), "0\n");
    await server.sql("mysql", "set global general_log = 0");
    assert.equal(await server.sql("live", "select @@collation_database"), "ucs2_general_ci\n");
    assert.deepEqual(run.warnings, []);
    assert.equal(await events("other"), "of`ten\tENABLED\nnever\tDISABLED\n");
    assert.match(original, /ALTER DATABASE CHARACTER SET latin1/);
    assert.equal(await definitionsOf(server, "other"), original);
    await server.sql("mysql", "alter database live character set utf8mb4 collate utf8mb4_bin");
  });

  await t.step("definitions of the copy that name the original in full refer to the copy", async () => {
    await server.sql(
      "live",
      `create event reach on schedule every 1 second do insert into live.ran values (now());
       create trigger live.full before update on live.stock for each row set new.name = live.twice(1);
       create view deep as select live.twice(a) x from live.stock; create sequence numbers;
       create table later (a int default nextval(live.numbers), b int default (nextval(live.numbers) + 1), c int)`,
    );
    backup = await backUp();
    await server.sql("live", "alter event reach disable; delete from ran");
    const before = await server.sql("live", "select next_not_cached_value from numbers");
    await restoreAs(backup, "other");
    assert.deepEqual(run.warnings, []);
    assert.equal(await events("other"), "reach\tENABLED\nof`ten\tDISABLED\nnever\tDISABLED\n");
    await server.sql(
      "other",
      "alter event reach disable; insert into later (c) values (1); update stock set name = 'x'",
    );
    assert.doesNotMatch(await definitionsOf(server, "other"), /[^_]live/);
    assert.equal(await server.sql("other", "select * from deep"), "2\n4\n");
    assert.equal(await server.sql("live", "select count(*) from ran"), "0\n");
    assert.equal(await server.sql("live", "select next_not_cached_value from numbers"), before);
    // Restoring over the original database, under its own name, restores everything as it was.
    const original = await definitionsOf(server, "live");
    await restoreAs(backup, "live");
    await server.sql("live", "alter event reach disable");
    assert.equal(await definitionsOf(server, "live"), original);
    await server.sql("live", "insert into later (c) values (1)");
  });

  await t.step(
    "an event of the copy that names the original in dynamic SQL is left disabled",
    async () => {
      await server.sql(
        "live",
        "create event hidden on schedule every 1 second do execute immediate 'insert into live.ran values (now())'",
      );
      backup = await backUp();
      await server.sql("live", "alter event hidden disable; delete from ran");
      await restoreAs(backup, "other");
      assert.match(
        await events("other"),
        /^reach\tDISABLED\nof`ten\tDISABLED\nnever\tDISABLED\nhidden\tDISABLED\n$/,
      );
      assert.match(run.warnings[0]!, /^Definitions in other name live in a way that can't be distinguished/);
      assert.match(
        run.warnings[1]!,
        /^Events in other are left disabled, .* alter event `other`\.`\w+` enable$/,
      );
      assert.equal(await server.sql("live", "select count(*) from ran"), "0\n");
      // If the database is restored under its own name, the event is enabled again.
      await restoreAs(backup, "live");
      assert.match(await events("live"), /hidden\tENABLED/);
      assert.deepEqual(run.warnings, []);
    },
  );

  await t.step("it can be restored without the original", async () => {
    await server.sql("mysql", "drop database live; drop database other");
    await restoreAs(backup, "other");
    assert.match(await server.sql("other", "show create procedure look"), /latin1_swedish_ci\n$/);
    await server.sql("other", "insert into later (c) values (1)");
    await restoreAs(backup, "live");
    await server.sql("live", "insert into later (c) values (1)");
  });
});

/** Replaces the creation times of triggers by `TIME`, because a restore changes these times. */
function withoutTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+/g, "TIME");
}
