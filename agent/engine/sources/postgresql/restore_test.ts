/** Tests restores of features that only PostgreSQL has. databases_test.ts covers what all servers have. */
import assert from "node:assert/strict";
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import type { StoredBackup } from "../../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { Bench } from "../../../../tests/support/fixtures/postgresql_bench.ts";
import { until } from "../../../../tests/support/assertions/until.ts";

const SHOP = `
create role owner_of_shop login; create role app login; create database shop owner owner_of_shop;
revoke connect, temporary on database shop from public;
grant connect on database shop to app; grant create on database shop to app with grant option;
alter database shop set search_path to "$user", app, public;
alter database shop set timezone to 'Asia/Tokyo';
alter database shop set app.key to 'it''s \\ odd';
alter database shop set default_transaction_read_only to on;
alter database shop set statement_timeout to '500ms';
alter role app in database shop set work_mem to '8MB';
alter database shop connection limit 7;
comment on database shop is 'the shop''s';
`;

Deno.test("properties of a lost PostgreSQL database are restored", async (t) => {
  await using at = await Bench.open();
  await at.sql("postgres", SHOP);
  await at.server.sql(
    "shop",
    "set default_transaction_read_only = off; set statement_timeout = 0; create table t (a int); insert into t values (1)",
  );
  const before = await at.properties("shop");
  const password = "correct horse";
  const cases: [name: string, changes: Partial<DatabaseSource>, isSealed: boolean][] = [
    ["custom", {}, false],
    ["plain", { format: "plain" }, false],
    ["*", { names: ["*"] }, false],
    ["encrypted, plain, *", { names: ["*"], format: "plain" }, true],
  ];
  for (const [name, changes, isSealed] of cases) {
    await t.step(name, async () => {
      await using run = await BackupRun.open();
      const backup = await at.backUp(
        run,
        changes,
        isSealed ? { encryption: { type: "password", password } } : {},
      );
      if (isSealed) {
        const manifest = backup.objects.find(({ role }) => role === "manifest")!;
        assert.doesNotMatch(await Deno.readTextFile(`${run.directory}/${manifest.name}`), /Tokyo|the shop/);
      }
      await at.sql("postgres", "drop database shop");
      const key = isSealed ? { type: "passphrase" as const, passphrase: password } : null;
      await at.restore(run, backup, {}, key);
      assert.equal(await at.properties("shop"), before);
      assert.equal(await at.sql("shop", "select a from t"), "1\n");
      assert.deepEqual(run.warnings, []);
    });
  }

  await t.step("a drill compares them, and reports what it does not compare", async () => {
    await using run = await BackupRun.open();
    await at.drill(run, await at.backUp(run));
    assert.match(
      run.lines.join("\n"),
      /shop came back as it was: 1 table with 1 rows, \d+ other objects and properties/,
    );
    assert.match(run.lines.join("\n"), /Not compared: .*positions of sequences/);
    assert.deepEqual(run.warnings, []);
  });

  await t.step(
    "a non-empty database keeps its properties; an empty one gets those that it lacks",
    async () => {
      await using run = await BackupRun.open();
      const backup = await at.backUp(run);
      await at.sql(
        "postgres",
        "alter database shop set timezone to 'UTC'; alter database shop connection limit 9",
      );
      const own = await at.properties("shop");
      await at.restore(run, backup, { overwrite: true });
      assert.equal(await at.properties("shop"), own);
      await at.sql(
        "postgres",
        "drop database shop; create database shop; alter database shop set timezone to 'UTC'",
      );
      await at.restore(run, backup);
      const merged = await at.properties("shop");
      assert.match(merged, /TimeZone=UTC/);
      assert.match(merged, /app\.key=it's/);
      assert.match(merged, /app=.*c.*\/postgres/);
      assert.doesNotMatch(merged, /,=|\{=/);
      assert.match(merged, /\|7\|/);
    },
  );

  await t.step(
    "grants and settings of a missing role are not restored, with a warning for each",
    async () => {
      await using run = await BackupRun.open();
      await at.sql(
        "postgres",
        "drop database shop; create database shop owner owner_of_shop; revoke all on database shop from public; " +
          "grant connect on database shop to app; alter role app in database shop set work_mem to '8MB'",
      );
      const backup = await at.backUp(run);
      await at.sql("postgres", "drop database shop; drop role app; drop role owner_of_shop");
      await at.restore(run, backup);
      assert.deepEqual(run.warnings.sort(), [
        "Not restored: setting work_mem of role app, a role that does not exist",
        "Not restored: the grant of CONNECT to app, a role that does not exist",
        "The owner of shop was owner_of_shop, a role that does not exist",
      ]);
      // PUBLIC had no rights on the original, so it must have none on the restored database.
      assert.doesNotMatch(await at.properties("shop"), /,=|\{=/);
    },
  );
});

const EXCLUDED = `
create schema s;
create table logs (id int primary key, parent int references logs, text text);
create table s.lines (id int primary key, log int references logs, constraint "Odd key" foreign key (log) references logs);
create table tree (id int, log int references logs (id)) partition by list (id);
create table tree_1 partition of tree for values in (1);
insert into logs values (1, null, 'x'), (2, 1, 'y'); insert into s.lines values (1, 1); insert into tree values (1, 2);
create view seen as select l.id, g.text from s.lines l join logs g on g.id = l.log;
create function latest() returns setof logs language sql as 'select * from logs';
create materialized view total as select count(*) as n from logs;
create materialized view of_total as select n + 1 as n from total;
create table empty_child (log int references logs);
`;

for (const format of ["custom", "plain"] as const) {
  Deno.test(`excluded tables keep their definitions, whatever refers to them: ${format}`, async () => {
    await using at = await Bench.open();
    await at.sql("postgres", "create database shop");
    await at.sql("shop", EXCLUDED);
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { format, excluded_tables: ["logs", "total", "seen"] });
    assert.match(
      run.lines.join("\n"),
      /Rows left out of shop: public\.logs, public\.of_total, public\.total/,
    );
    assert.match(
      run.lines.join("\n"),
      /Foreign key "?Odd key"? of s\.lines refers to rows that are left out/,
    );
    await at.drill(run, backup);
    await at.sql("postgres", "drop database shop");
    run.lines.length = run.warnings.length = 0;
    await at.restore(run, backup);
    const counts =
      "select (select count(*) from logs), (select count(*) from s.lines), (select count(*) from tree), " +
      "(select count(*) from seen)";
    assert.equal(await at.sql("shop", counts), "0|1|1|0\n");
    const keys =
      "select conrelid::regclass, conname, convalidated from pg_constraint where contype = 'f' and conparentid = 0 order by 1, 2";
    assert.deepEqual((await at.sql("shop", keys)).trim().split("\n").sort(), [
      "empty_child|empty_child_log_fkey|t",
      "logs|logs_parent_fkey|t",
      "s.lines|Odd key|f",
      "s.lines|lines_log_fkey|f",
    ]);
    // PostgreSQL does not support NOT VALID foreign keys on partitioned tables.
    assert.deepEqual(run.warnings.length, 1, run.warnings.join("\n"));
    assert.match(run.warnings[0]!, /^Foreign key tree_log_fkey of public\.tree is not restored: /);
    assert.match(run.lines.join("\n"), /Foreign key Odd key of s\.lines is NOT VALID: it refers to rows/);
    assert.equal(
      await at.sql(
        "shop",
        "refresh materialized view total; refresh materialized view of_total; select n from of_total",
      ),
      "1\n",
    );
  });
}

Deno.test("a plain dump with a view that groups by a primary key loads into a fresh database", async () => {
  await using at = await Bench.open();
  await at.sql("postgres", "create database shop");
  await at.sql(
    "shop",
    `create schema s; create table s.t (id int primary key, name text); insert into s.t values (1, 'x');
     create view s.grouped as select id, name, count(*) from s.t group by id;`,
  );
  await using run = await BackupRun.open();
  const backup = await at.backUp(run, { format: "plain" });
  await at.drill(run, backup);
  await at.sql("postgres", "drop database shop");
  await at.restore(run, backup);
  assert.equal(await at.sql("shop", "select * from s.grouped"), "1|x|1\n");
});

/**
 * Changes the text of the backup's archive with a shell command. Returns the backup's description with the
 * archive's new size and digest.
 */
async function changed(run: BackupRun, backup: StoredBackup, command: string): Promise<StoredBackup> {
  const [archive, ...others] = backup.objects;
  const path = `${run.directory}/${archive!.name}`;
  const sha256 = await shell(
    `zstd -dc "$1" | ${command} | zstd -q > "$1.new"; mv "$1.new" "$1"; sha256sum < "$1"`,
    path,
  );
  const { size } = await Deno.stat(path);
  return { ...backup, objects: [{ ...archive!, size, sha256: sha256.slice(0, 64) }, ...others] };
}

Deno.test("a plain dump of a newer pg_dump, or with statements that drop objects first, loads into an older server", async () => {
  await using at = await Bench.open();
  await at.sql("postgres", "create database shop");
  await at.sql(
    "shop",
    "create schema s; create table s.t (id int primary key, name text); create view s.v as select id, name from s.t group by id",
  );
  await using run = await BackupRun.open();
  const backup = await at.backUp(run, { format: "plain" });
  const older = await changed(
    run,
    backup,
    `sed -e "s/^SET row_security = off;/&\\nSET transaction_timeout = 0;\\nCREATE OR REPLACE VIEW s.v AS\\nSELECT NULL::integer AS id;\\nDROP TABLE IF EXISTS s.t;/"`,
  );
  await at.sql("postgres", "drop database shop");
  await at.restore(run, older);
  assert.equal(await at.sql("shop", "select count(*) from s.v"), "0\n");
  assert.deepEqual(run.warnings, []);
});

const UNQUALIFIED = `
create table rates (name text, rate int); insert into rates values ('x', 2);
create function rate(n text) returns int language sql immutable as 'select rate from rates where name = n';
create table item (name text); insert into item values ('x'), ('y'); create index on item (rate(name));
create view seen as select * from item;
`;

for (const format of ["custom", "plain"] as const) {
  Deno.test(`a failed load gives advice, and continue_on_errors loads the rest: ${format}`, async () => {
    await using at = await Bench.open();
    await at.sql("postgres", "create database shop");
    await at.sql("shop", UNQUALIFIED);
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { format });
    await at.sql("postgres", "drop database shop");
    await assert.rejects(at.restore(run, backup), {
      message:
        /database shop can't be loaded: .*relation "rates" does not exist\. A function that names it without its schema.*continue_on_errors/,
    });
    assert.equal(
      await at.sql("postgres", "select count(*) from pg_database where datname like 'shop%'"),
      "0\n",
    );
    await at.restore(run, backup, { continue_on_errors: true });
    assert.equal(
      await at.sql("shop", "select (select count(*) from item), (select count(*) from seen)"),
      "2|2\n",
    );
    assert.equal(run.warnings.filter((text) => /relation "rates" does not exist/.test(text)).length, 1);
    assert.match(
      run.lines.join("\n"),
      /database shop: 1 errors were passed over, as continue_on_errors is set/,
    );
  });

  Deno.test(`a login with only CREATEDB can restore without owners, and drill: ${format}`, async () => {
    await using at = await Bench.open();
    await at.sql(
      "postgres",
      `create role boss; create role app; create role maker login createdb password 'maker'; grant pg_read_all_data to maker;
       create database shop owner boss; revoke connect on database shop from public;
       grant connect on database shop to app, maker;
       revoke connect on database postgres from public; revoke connect on database template1 from public;
       create database defaultdb`,
    );
    await at.sql(
      "shop",
      `create table t (a int); insert into t values (1); alter table t owner to boss; grant select on t to app;
       create function f() returns text language sql as $$ select 'GRANT ALL ON t TO app' $$; alter function f() owner to boss;`,
    );
    const login = { username: "maker", password: "maker" };
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { format, ...login });
    await at.drill(run, backup, login);
    assert.match(run.lines.join("\n"), /shop came back as it was: 1 table with 1 rows/);
    assert.match(run.lines.join("\n"), /Not compared: .*owner, grant, .*database property/);
    await at.sql("postgres", "drop database shop");
    await assert.rejects(at.restore(run, backup, login), {
      message: /owners to false|must be able to SET ROLE|must be member/,
    });
    await at.restore(run, backup, { ...login, owners: false });
    const owner =
      "select tableowner, pg_get_userbyid(datdba) from pg_tables, pg_database where tablename = 't' and datname = current_database()";
    assert.equal(await at.sql("shop", owner), "maker|maker\n");
    assert.equal(await at.sql("shop", "select f()"), "GRANT ALL ON t TO app\n");
    assert.doesNotMatch(await at.properties("shop"), /[{,]=\w*c/);
  });
}

Deno.test("the next run drops leftovers of killed restores and drills, except databases in use", async () => {
  await using at = await Bench.open();
  const leave = (name: string, comment: string) =>
    at.sql("postgres", `create database ${name}; comment on database ${name} is 'Rearguard: ${comment}'`);
  const names = async () =>
    (await at.sql("postgres", "select datname from pg_database where datname like '%rearguard%' order by 1"))
      .trim()
      .split("\n").filter((name) => name !== "");
  await at.sql("postgres", "create database shop; create database mine_rearguard_drill");
  await at.sql("shop", "create table t (a int)");
  await leave("gone_rearguard_fresh", "unfinished restore");
  await leave("gone_rearguard_replaced", "replaced by a restore");
  await leave("gone_rearguard_drill", "restore drill 1");
  await leave("busy_rearguard_drill", "restore drill 2");
  await leave("old_rearguard_replaced", "moved aside by a restore: mine");
  const busy = at.server.client("psql", ["-X", "-c", "select pg_sleep(60)"], "busy_rearguard_drill").catch(
    () => {},
  );
  await until(async () =>
    (await at.sql("postgres", "select count(*) from pg_stat_activity where query ~ '^select pg_sleep'"))
      .trim() === "1"
  );
  await using run = await BackupRun.open();
  const backup = await at.backUp(run, { names: ["*"] });
  const kept = ["busy_rearguard_drill", "mine_rearguard_drill", "old_rearguard_replaced"];
  assert.deepEqual(await names(), kept);
  assert.match(
    run.lines.join("\n"),
    /Dropped database gone_rearguard_drill, which a restore or a drill left/,
  );
  assert.deepEqual(run.warnings, []);
  assert.equal(backup.objects.some(({ database }) => database === "busy_rearguard_drill"), false);
  await at.sql(
    "postgres",
    "select pg_terminate_backend(pid) from pg_stat_activity where query ~ '^select pg_sleep'",
  );
  await busy;
  // A backup drops databases that a killed restore left. It must not drop the databases of a restore that is
  // still running. The backup recognizes a running restore's databases by the restore's connections to them.
  let concurrent: Promise<unknown> | null = null;
  run.onLine = (line) => {
    if (line.startsWith("Everything is loaded")) concurrent ??= backUpConcurrently();
  };
  const backUpConcurrently = async () => {
    await using other = await BackupRun.open();
    await at.backUp(other, { names: ["*"] });
  };
  await at.restore(run, backup, { overwrite: true });
  await concurrent;
  assert.deepEqual(await names(), ["mine_rearguard_drill", "old_rearguard_replaced"]);
});

const CRON = "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'shop'\n";

for (const format of ["custom", "plain"] as const) {
  Deno.test(`an extension that works in only one database is restored there, and left out of drills: ${format}`, async () => {
    await using at = await Bench.open(CRON);
    await at.sql("postgres", "create database shop; comment on database shop is 'mine'");
    await at.sql(
      "shop",
      `create table t (a int); insert into t values (1); create extension pg_cron;
       select cron.schedule('nightly', '0 3 * * *', 'select 1')`,
    );
    const jobs = "select jobname from cron.job";
    await using run = await BackupRun.open();
    const backup = await at.backUp(run, { format });
    await at.drill(run, backup);
    assert.match(
      run.lines.join("\n"),
      /Not compared: .*extension pg_cron, which works in a database of the original's name/,
    );
    const databases =
      "select string_agg(datname, ' ' order by datname) from pg_database where datname ~ 'shop|copy'";

    await at.sql("shop", "insert into t values (2)");
    await at.restore(run, backup, { overwrite: true });
    assert.equal(await at.sql("shop", "select count(*) from t"), "1\n");
    assert.equal(await at.sql("shop", jobs), "nightly\n");
    assert.equal(await at.sql("postgres", databases), "shop\n");
    assert.match(await at.properties("shop"), /\|mine$/m);

    // A restore that fails gives the original database its name back.
    await at.sql("shop", "insert into t values (3)");
    const archive = `${run.directory}/${backup.objects[0]!.name}`;
    await Deno.copyFile(archive, `${archive}.kept`);
    const spoilt = format === "plain"
      ? await changed(run, backup, "sed 's/^CREATE TABLE public.t /CREATE TABLE none.t /'")
      : await changed(run, backup, "head -c -200");
    await assert.rejects(at.restore(run, spoilt, { overwrite: true }), { message: /can't be loaded/ });
    await Deno.rename(`${archive}.kept`, archive);
    assert.equal(await at.sql("shop", "select count(*) from t"), "2\n");
    assert.match(await at.properties("shop"), /\|mine$/m);
    assert.equal(await at.sql("postgres", databases), "shop\n");

    // A killed restore leaves the original database renamed. The next restore gives that database its name
    // back.
    await at.sql(
      "postgres",
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'shop';
       alter database shop rename to shop_rearguard_replaced; create database shop;
       comment on database shop_rearguard_replaced is 'Rearguard: moved aside by a restore: mine';
       comment on database shop is 'Rearguard: unfinished restore'`,
    );
    await assert.rejects(at.restore(run, backup), {
      message: /database shop is there already and not empty/,
    });
    assert.equal(await at.sql("shop", "select count(*) from t"), "2\n");

    run.warnings.length = 0;
    await at.restore(run, backup, { database_name: "copy" });
    assert.match(run.warnings.join("\n"), /^Left out of copy: extension pg_cron/);
    assert.equal(await at.sql("copy", "select count(*) from t"), "1\n");
  });
}

Deno.test("a login of a managed service backs up all accessible databases, and gets advice about row security", async () => {
  await using at = await Bench.open();
  await at.sql(
    "postgres",
    `create role app login createdb password 'app'; create database shop owner app; create database defaultdb owner app;
     create database secret; revoke connect on database secret from public;
     revoke connect on database postgres from public; revoke connect on database template1 from public`,
  );
  const login = { username: "app", password: "app" };
  const asApp = (text: string) => at.sql("shop", `set session authorization app; ${text}`);
  await at.sql("shop", "grant all on schema public to app");
  await asApp(
    `create table "odd-name" (id int primary key, parent int references "odd-name"); insert into "odd-name" values (1, 1);
     create extension citext;
     create table c (t citext, u text generated always as (pg_catalog.upper(t::text)) stored); insert into c values ('x')`,
  );
  await using run = await BackupRun.open();
  const backup = await at.backUp(run, { names: ["*"], ...login });
  assert.deepEqual(backup.missing!.map(({ name }) => name), ["postgres", "secret"]);
  await at.drill(run, backup, login);
  assert.match(run.lines.join("\n"), /Database shop came back as it was/);
  await asApp("alter table c enable row level security; alter table c force row level security");
  await using second = await BackupRun.open();
  await assert.rejects(at.backUp(second, login), {
    message: /row-level security policy for table "c".*BYPASSRLS/,
  });
});
