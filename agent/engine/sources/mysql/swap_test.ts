/** Tests the replacement of a MariaDB database that contains every type of object. */
import assert from "node:assert/strict";
import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { StoredBackup } from "../../../../src/protocol/job.ts";
import { BackupRun } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import { systemClock } from "../../../../src/domain/clock.ts";
import { Children } from "../../programs/children.ts";
import { MysqlDefinitions } from "./definitions.ts";
import { MysqlFresh } from "./fresh.ts";
import { dropTriggers, findContents, findSchema } from "./sql.ts";
import { MysqlSwap } from "./swap.ts";

/**
 * Returns SQL that creates one object of every type.
 *
 * @param text Becomes part of the definitions, so that databases with different texts differ.
 */
const everyKind = (text: string) => `
  create sequence tickets start with 500;
  create table parent (id bigint default nextval(tickets) primary key, note varchar(20) default '${text}',
    twice int as (id * 2) stored, positive int check (positive > 0), fulltext (note));
  insert into parent (positive) values (1);
  create table child (id int primary key, parent bigint, hidden int invisible default 3,
    foreign key (parent) references parent (id));
  create table past (a int) with system versioning; insert into past values (1); update past set a = 2;
  create table parted (a int primary key) partition by range (a) (partition low values less than (10), partition rest values less than maxvalue);
  create table periods (a int, s date, e date, period for valid (s, e));
  create table old_style (a int) engine=myisam; create table merged (a int) engine=merge union=(old_style);
  create table crash_safe (a int) engine=aria; create table kept_in_memory (a int) engine=memory;
  create table listed (a int not null) engine=csv;
  create view seen as select id, note from parent; create view upon as select count(*) n from seen;
  delimiter //
  create function twice_${text}(n int) returns int deterministic return n * 2//
  create aggregate function total(x int) returns int begin declare s int default 0;
    declare continue handler for not found return s; loop fetch group next row; set s = s + x; end loop; end//
  create procedure look_${text}() begin select '${text}'; end//
  create trigger stamp before insert on parent for each row begin set new.note = '${text}'; end//
  create trigger later before insert on parent for each row follows stamp begin set new.positive = 2; end//
  create event nightly on schedule every 1 day starts '2030-01-01' do begin select '${text}'; end//
  set sql_mode = oracle//
  create package tools_${text} as procedure one; function two return int; end//
  create package body tools_${text} as procedure one as begin select '${text}'; end; function two return int as begin return 2; end; end//
  delimiter ;`;

async function described(server: MariadbServer, name: string): Promise<string> {
  const properties = await server.sql(
    "mysql",
    `select default_character_set_name, default_collation_name, schema_comment
     from information_schema.schemata where schema_name = '${name}'`,
  );
  const { success, stdout, stderr } = await new Deno.Command("mariadb-dump", {
    args: [
      ...[
        "--no-defaults",
        `--socket=${server.socket}`,
        "--user=root",
        "--routines",
        "--events",
        "--dump-history",
      ],
      ...["--skip-comments", "--skip-extended-insert", "--order-by-primary", name],
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return properties + new TextDecoder().decode(stdout).replaceAll(`\`${name}\`.`, "`NAME`.");
}

Deno.test("every kind of object is replaced, and put back if that fails", async (t) => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  for (const name of ["fresh", "mine"]) {
    await server.sql("mysql", `create database ${name} character set latin1 comment 'It''s ${name}\\\\s'`);
    await server.sql(name, everyKind(name));
  }
  const source: DatabaseSource = {
    type: "database",
    format: "custom",
    names: ["fresh"],
    excluded_tables: [],
    ...login,
  };
  const backup: StoredBackup = await run.run(source);
  const into: DatabaseTarget = {
    ...{ type: "database", ...login, run_as: null, names: null, database_name: "mine", overwrite: true },
  };
  const [before, wanted] = [await described(server, "mine"), await described(server, "fresh")];
  const names = () => server.sql("mysql", "show databases");
  const databases = await names();

  const rights =
    "select, insert, create, drop, alter, create view, show view, references, event, trigger, index, delete history";
  await server.sql(
    "mysql",
    `create user limited@'%' identified by 'limited'; grant super, select, show view on *.* to limited@'%';
     grant all on \`mine\\_rearguard\\_%\`.* to limited@'%'`,
  );
  const limited = { ...into, username: "limited", password: "limited" };
  await t.step(
    "a login that may drop objects but not create them again is rejected before any change",
    async () => {
      await server.sql("mysql", `grant ${rights}, alter routine on mine.* to limited@'%'`);
      await assert.rejects(restore(run, backup, { target: limited }), {
        message:
          /limited could not put back what is in mine, .*GRANT CREATE ROUTINE ON `mine`\.\* TO `limited`@`%`\.$/,
      });
      assert.equal(await described(server, "mine"), before);
      assert.equal(await names(), databases);
      await server.sql(
        "mysql",
        "revoke super on *.* from limited@'%'; grant create routine on mine.* to limited@'%'",
      );
      await assert.rejects(restore(run, backup, { target: { ...limited, definers: "login" } }), {
        message: /limited could not put back what is in mine, .*GRANT SET USER ON \*\.\* TO `limited`@`%`\.$/,
      });
      assert.equal(await described(server, "mine"), before);
      await server.sql("mysql", "grant super on *.* to limited@'%'");
    },
  );

  await t.step("tables that can't move leave everything as it was", async () => {
    await server.sql("mysql", "revoke insert on mine.* from limited@'%'");
    await assert.rejects(
      restore(run, backup, { target: limited }),
      /Cannot restore backup 31: .*INSERT.* command denied/,
    );
    assert.equal(await described(server, "mine"), before);
    assert.equal(await names(), databases);
  });

  await t.step("definitions that fail after the tables have moved leave everything as it was", async () => {
    await using children = new Children(systemClock, new AbortController().signal);
    const programs = { job: { run_as: null }, ports: run.ports, children, user: null };
    const fresh = await MysqlFresh.open(into, programs, null);
    const definitions = await MysqlDefinitions.open(fresh.version, fresh.connection, children);
    const contentsOf = (name: string) => findContents(fresh.connection, fresh.client, name);
    await fresh.make("mine_rearguard_fresh", "");
    await server.sql("mine_rearguard_fresh", everyKind("new"));
    const [old, made] = [await contentsOf("mine"), await contentsOf("mine_rearguard_fresh")];
    const news = await definitions.read("mine_rearguard_fresh", made.views);
    await fresh.execute(dropTriggers("mine_rearguard_fresh", made));
    const swap = new MysqlSwap(fresh, {
      name: "mine",
      old: {
        ...(await findSchema(fresh.connection, fresh.client, "mine"))!,
        ...{
          tables: old.tables,
          triggers: old.triggers,
          definitions: await definitions.read("mine", old.views),
        },
      },
      tables: made.tables,
      definitions: `${news}\nselect * from no_such_table;`,
    });
    await assert.rejects(swap.execute(), /no_such_table/);
    assert.equal(await described(server, "mine"), before);
    await fresh.discard(programs, "");
    assert.equal(await names(), databases);
  });

  await t.step("a login with all rights succeeds", async () => {
    await restore(run, backup, { target: into });
    assert.equal(await described(server, "mine"), wanted);
    assert.equal(await names(), databases);
    // Restores into the restored database. It contains packages, which this restore has to drop.
    await restore(run, backup, { target: into });
    assert.equal(await described(server, "mine"), wanted);
    await server.sql(
      "mine",
      "insert into parent (positive) values (1); set sql_mode = oracle; call tools_fresh.one()",
    );
  });
});

Deno.test("databases whose views need each other are restored together, with and without existing ones", async () => {
  await using server = await MariadbServer.open();
  await using run = await BackupRun.open();
  const { host, port, username, password } = server;
  const login = { engine: "mysql", host, port, username, password } as const;
  await server.sql("mysql", "create database `a``é`; create database b");
  await server.sql(
    "a`é",
    "create table t (a int); insert into t values (1); create view own as select a from t",
  );
  await server.sql(
    "b",
    "create table t (b int); insert into t values (2); create view `of``a` as select a, 'é' e from `a``é`.own",
  );
  await server.sql(
    "a`é",
    "create view `of_b` as select b.t.b, x.a from b.t join b.`of``a` x; create view upon as select b + a s from of_b",
  );
  const rows = async () => [
    await server.sql(
      "a`é",
      "select * from of_b; select * from upon; show create view of_b; show create view upon",
    ),
    await server.sql("b", "select * from `of``a`; show create view `of``a`"),
  ];
  const before = await rows();
  const names = ["a`é", "b"];
  const backup = await run.run({ type: "database", format: "custom", names, excluded_tables: [], ...login });
  const target: DatabaseTarget = {
    ...{ type: "database", ...login, run_as: null, names: null, database_name: null, overwrite: true },
  };
  await server.sql("mysql", "drop database `a``é`; drop database b");
  await restore(run, backup, { target });
  assert.deepEqual(await rows(), before);
  await restore(run, backup, { target });
  assert.deepEqual(await rows(), before);
  assert.deepEqual(run.warnings, []);
});
