import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { PostgresqlServer } from "../../../../tests/support/servers/postgresql.ts";
import { until } from "../../../../tests/support/assertions/until.ts";
import { verifyJob } from "../../../../tests/support/fixtures/verify_run.ts";
import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { BackupJob, BackupToRead, Proven, StoredBackup } from "../../../../src/protocol/job.ts";
import { LocalDestination } from "../../destinations/local/local.ts";
import { runDrill } from "../../jobs/drill.ts";
import { BackupDamagedError, RunFailedError } from "../../ports.ts";
import { DumpRewriter } from "../mysql/dump_filter.ts";

interface DatabaseServer extends AsyncDisposable {
  readonly login: Pick<DatabaseTarget, "engine" | "host" | "port" | "username" | "password">;
  /**
   * Name of a database that always exists. The test executes statements there that can be executed in any
   * database, such as `create database`.
   */
  readonly door: string;
  readonly schema: string;
  quote(name: string): string;
  sql(database: string, text: string): Promise<string>;
  /** Returns the names of all databases. The server's own databases are left out. */
  list(): Promise<string[]>;
  /** Returns a text that changes whenever rows or properties of the databases change. */
  describe(): Promise<string>;
  connections(database: string): Promise<number>;
  /** Returns a statement that marks a database as created by a drill. */
  mark(database: string): string;
  /** Changes the login to one that is allowed to read everything, but not to create databases. */
  limit(): Promise<void>;
}

const ODD = `we'ird "=d.b`;

/** SQL that creates objects which are difficult to load or to count. */
const POSTGRESQL = `
create table "Order ""odd""" (id int); insert into "Order ""odd""" select generate_series(1, 20000);
create table queue (id bigserial, text text);
create table measurement (at int) partition by range (at);
create table measurement_1 partition of measurement for values from (0) to (100);
insert into measurement select generate_series(1, 50);
create table child () inherits (queue); insert into child values (-1, 'x');
create schema "a.b"; create unlogged table "a.b".c (a int); insert into "a.b".c values (1);
create table "a" (a int); create table left_out (a int); insert into left_out values (1);
create view seen as select * from queue; create materialized view counted as select count(*) from queue;
create extension pg_trgm;
select lo_from_bytea(0, 'one'); select lo_from_bytea(0, 'two');
create publication part_of_it for table measurement;
create subscription elsewhere connection 'host=127.0.0.1 port=1 dbname=none' publication p with (connect = false);
`;
const MYSQL = `
create table \`order "odd\` (id int, text varchar(100));
insert into \`order "odd\` select seq, '),(\\'); -- ' from seq_1_to_20000;
create table queue (id bigint auto_increment primary key, text varchar(100));
create table old (a int) engine=myisam; insert into old values (1), (2);
create table every (a int) engine=merge union=(old);
create table left_out (a int); insert into left_out values (1);
create sequence numbers; select nextval(numbers);
create view seen as select * from queue;
create table ran (a int check (a > 0));
alter database shop character set latin1;
delimiter //
create procedure put() begin
insert into \`queue\` values (null, 'x');
end//
create event often on schedule every 1 second do begin insert into shop.ran values (1); /* x */
end//
delimiter ;
alter database shop character set utf8mb4;
`;

async function postgresql(): Promise<DatabaseServer> {
  const server = await PostgresqlServer.open();
  const { host, port, username, password } = server;
  return {
    login: { engine: "postgresql", host, port, username, password },
    door: "postgres",
    schema: POSTGRESQL,
    quote: (name) => `"${name.replaceAll('"', '""')}"`,
    sql: (database, text) => server.sql(database, text),
    async list() {
      const select = "select datname from pg_database where datname !~ '^(postgres|template.)$' order by 1";
      return (await server.sql("postgres", select)).trim().split("\n");
    },
    async describe() {
      const dump = await server.client("pg_dump", ["--exclude-table-data=queue"], "shop");
      return dump.replace(/^(?:\\(?:un)?restrict|SELECT pg_catalog\.setval).*$/gm, "") +
        await server.sql("postgres", "select * from pg_database where datname = 'shop'");
    },
    async connections(database) {
      const select = `select count(*) from pg_stat_activity where datname = '${database}'`;
      return Number(await server.sql("postgres", select));
    },
    mark: (database) => `comment on database ${database} is 'Rearguard: restore drill 1'`,
    limit: async () =>
      void await server.sql(
        "postgres",
        `create role limited login password 'limited'; grant pg_read_all_data to limited`,
      ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function mysql(): Promise<DatabaseServer> {
  const server = await MariadbServer.open();
  const { host, port, username, password } = server;
  return {
    login: { engine: "mysql", host, port, username, password },
    door: "mysql",
    schema: MYSQL,
    quote: (name) => "`" + name.replaceAll("`", "``") + "`",
    sql: (database, text) => server.sql(database, text),
    async list() {
      const select = "select schema_name from information_schema.schemata where schema_name not in " +
        "('mysql', 'sys', 'information_schema', 'performance_schema') order by 1";
      return (await server.sql("mysql", select)).trim().split("\n");
    },
    describe: async () =>
      await server.sql(
        "shop",
        `checksum table \`order "odd\`, old, left_out; select * from information_schema.schemata
         where schema_name = 'shop'; select event_schema, event_name, status from information_schema.events`,
      ),
    async connections(database) {
      const select = `select count(*) from information_schema.processlist where db = '${database}'`;
      return Number(await server.sql("mysql", select));
    },
    mark: () => "create table rearguard_unfinished (a int) comment 'restore drill 1'",
    limit: async () =>
      void await server.sql(
        "mysql",
        `create user limited@'%' identified by 'limited'; grant select on *.* to limited@'%'`,
      ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Fixture {
  run: BackupRun;
  backup: StoredBackup;
  drill(changes?: Partial<BackupToRead>, login?: Partial<DatabaseTarget>): Promise<Proven>;
}

async function makeBackup(
  { login }: DatabaseServer,
  source: Partial<DatabaseSource>,
  changes: Partial<BackupJob> = {},
): Promise<Fixture & AsyncDisposable> {
  const run = await BackupRun.open();
  const spec = { type: "database", ...login, names: ["*"], excluded_tables: ["left_out"], format: "custom" };
  const backup = await run.run({ ...spec, ...source } as DatabaseSource, changes);
  return {
    run,
    backup,
    drill: async (changes = {}, other = {}) => {
      await shell('rm -rf "$1"; mkdir "$1"', run.ports.workDirectory);
      run.lines.length = 0;
      const { backup: toRead, ...job } = verifyJob(run, backup, null);
      const all = { run_as: null, names: null, database_name: null, overwrite: false };
      const target: DatabaseTarget = { type: "database", ...login, ...all, ...other };
      const read = { ...toRead, ...changes };
      const destination = new LocalDestination({ type: "local", directory: run.directory }, run.ports.signal);
      return await runDrill(
        { ...job, kind: "drill", bytes_read: backup.bytes_read, target, backup: read },
        destination,
        run.ports,
      );
    },
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}

/**
 * Replaces a text in the backup's manifest. Returns the backup's objects, with the size and digest of the
 * changed manifest.
 */
async function withManifest(
  { run, backup }: Fixture,
  pattern: RegExp,
  by: string,
): Promise<Partial<BackupToRead>> {
  const manifest = backup.objects.find(({ role }) => role === "manifest")!;
  const path = `${run.directory}/${manifest.name}`;
  const text = await Deno.readTextFile(path);
  assert.match(text, pattern);
  const name = `other-${manifest.name}`;
  await Deno.writeTextFile(`${run.directory}/${name}`, text.replace(pattern, by));
  const [sha256] = (await shell('sha256sum < "$1"', `${run.directory}/${name}`)).split(" ");
  const { size } = await Deno.stat(`${run.directory}/${name}`);
  return {
    objects: backup.objects.map((each) =>
      each === manifest ? { ...each, name, size, sha256: sha256! } : each
    ),
  };
}

async function failureOf(work: Promise<unknown>, isDamage: boolean): Promise<string> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.equal(error instanceof BackupDamagedError, isDamage, error.message);
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

/** Inserts and deletes rows of the table `queue` continuously, until the result is disposed of. */
function keepBusy(server: DatabaseServer): AsyncDisposable {
  let isOver = false;
  const busy = (async () => {
    while (!isOver) {
      await server.sql("shop", "insert into queue (text) values ('a'), ('b'), ('c')");
      await server.sql("shop", "delete from queue where id % 3 = 0");
    }
  })();
  return {
    [Symbol.asyncDispose]: () => {
      isOver = true;
      return busy;
    },
  };
}

for (const [engine, open] of Object.entries({ postgresql, mysql })) {
  Deno.test(`databases are restored in drills on ${engine}`, async (t) => {
    await using server = await open();
    const names = [engine === "mysql" ? "Empty" : "empty", "shop", ODD].sort();
    for (const name of names) await server.sql(server.door, `create database ${server.quote(name)}`);
    await server.sql("shop", server.schema);
    await server.sql(ODD, "create table note (text text); insert into note values ('one')");
    const before = await server.describe();
    const untouched = async () => {
      assert.deepEqual(await server.list(), names);
      assert.equal(await server.describe(), before);
    };
    const password = "correct horse";
    const encryption = { type: "password" as const, password };

    for (const format of ["custom", "plain"] as const) {
      if (engine === "mysql" && format === "plain") continue;
      await t.step(`all databases of a busy server are restored and dropped: ${format}`, async () => {
        const busy = keepBusy(server);
        const made = await makeBackup(server, { format }).finally(() => busy[Symbol.asyncDispose]());
        await using at = made;
        const { databases = [], files_count, restore_ms, duration_ms } = await at.drill();
        assert.equal(files_count, null);
        // PostgreSQL's own database is drilled, too.
        const own = engine === "mysql" ? [] : ["postgres"];
        assert.deepEqual(databases.map(({ name }) => name).sort(), [...names, ...own].sort());
        const shown = Object.fromEntries(databases.map(({ name, ...counts }) => [name, counts]));
        assert.deepEqual(shown[names[0]!], { tables_count: 0, rows_count: 0 });
        assert.deepEqual(shown[ODD], { tables_count: 1, rows_count: 1 });
        assert.equal(shown.shop!.tables_count, engine === "mysql" ? 6 : 7);
        assert.ok(shown.shop!.rows_count! >= 20_000);
        assert.ok(restore_ms > 0 && restore_ms <= duration_ms);
        const tables = engine === "mysql" ? 6 : 7;
        const rows = engine === "mysql" ? "" : ", 2 large objects";
        const output = at.run.lines.join("\n");
        assert.match(
          output,
          new RegExp(`shop came back as it was: ${tables} tables with 20\\d{3} rows${rows}`),
        );
        assert.match(output, /empty came back as it was: 0 tables with 0 rows/i);
        // Ignores the warning that a subscription was created without its publisher.
        assert.deepEqual(at.run.warnings.filter((text) => !/wal_level|not subscribed/.test(text)), []);
        await untouched();
      });
    }

    await using at = await makeBackup(server, { names: ["shop"] });

    await t.step("rows that differ from the manifest and missing tables are damage", async () => {
      const more = await withManifest(at, /"rows": 20000/, '"rows": 20001');
      assert.match(
        await failureOf(at.drill(more), true),
        /^Backup 31 is damaged: database shop differs from the original: table \S*order "odd"? has 20000 rows, 20001 were backed up$/i,
      );
      const other = await withManifest(at, /"name": "queue"/, '"name": "line"');
      assert.match(await failureOf(at.drill(other), true), /table \S*line is missing$/);
      await untouched();
    });

    await t.step("a manifest without row counts proves only that the backup loads", async () => {
      await at.drill(await withManifest(at, /"(tables": \[|objects": \{)/g, '"no_$1'));
      assert.match(
        at.run.lines.join("\n"),
        /does not record how many rows they had, so it is proven that all of it/,
      );
      await untouched();
    });

    // One engine is enough here: deriving keys takes seconds and is the same for all engines.
    if (engine === "mysql") {
      await t.step("an encrypted backup's tables can be read only with its key", async () => {
        await using sealed = await makeBackup(server, { names: [ODD] }, { encryption });
        const manifest = sealed.backup.objects.at(-1)!;
        assert.doesNotMatch(await Deno.readTextFile(`${sealed.run.directory}/${manifest.name}`), /"note"/);
        await sealed.drill({ key: { type: "passphrase", passphrase: password } });
        assert.match(sealed.run.lines.join("\n"), /came back as it was: 1 table with 1 rows/);
        await untouched();
      });
    }

    await t.step("without free space nothing is loaded", async () => {
      const huge = await withManifest(at, /"bytes_read": \d+/, `"bytes_read": ${1e15}`);
      assert.match(
        await failureOf(at.drill(huge), false),
        /^Cannot prove backup 31: there is no room for database shop in \/.* it needs 1\.1 PB/,
      );
      await untouched();
    });

    await t.step("a killed drill's databases are dropped, and databases of others are kept", async () => {
      const scratch = "shop_rearguard_drill";
      for (const name of [scratch, "gone_rearguard_drill"]) {
        await server.sql(server.door, `create database ${name}`);
        await server.sql(name, `create table t (a int); ${server.mark(name)}`);
      }
      await at.drill();
      await untouched();
      // Imitates a drill that was killed before it could mark its database.
      await server.sql(server.door, `create database ${scratch}`);
      await at.drill();
      await untouched();
      await server.sql(server.door, `create database ${scratch}`);
      await server.sql(scratch, "create table t (a int)");
      assert.match(
        await failureOf(at.drill(), false),
        /database shop_rearguard_drill is in the way of the drill\. Drop or rename it, or set/,
      );
      await server.sql(scratch, server.mark(scratch));
      const sleep = engine === "mysql" ? "select sleep(100)" : "select pg_sleep(100)";
      const other = server.sql(scratch, sleep).catch(() => {});
      await until(async () => await server.connections(scratch) > 0);
      assert.match(
        await failureOf(at.drill(), false),
        /another drill is running in database shop_rearguard_drill/,
      );
      await server.sql(
        server.door,
        engine === "mysql"
          ? `set @id = (select id from information_schema.processlist where db = '${scratch}');
             execute immediate concat('kill ', @id)`
          : `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${scratch}'`,
      );
      await other;
      await until(async () => await server.connections(scratch) === 0);
      await at.drill();
      await untouched();
    });

    if (engine === "mysql") {
      await t.step("a missing object of any kind is damage", async () => {
        const kinds = [
          "sequence",
          "view",
          "procedure",
          "event",
          "index",
          "check constraint",
          "database property",
        ];
        for (const kind of kinds) {
          const odd = await withManifest(at, new RegExp(`("${kind}": \\[\\s*)"[^"]*"`), '$1"ghost"');
          await assert.rejects(at.drill(odd), (error: Error) => {
            assert(error instanceof BackupDamagedError, Deno.inspect(error));
            assert.match(error.message, new RegExp(`${kind} ghost is missing`));
            return true;
          });
        }
        await at.drill();
        assert.match(at.run.lines.join("\n"), /Not compared: grants, .*, next values of sequences/);
        await untouched();
      });

      await t.step("statements that name the original database are not executed", async () => {
        const archive = at.backup.objects.find(({ role }) => role === "archive")!;
        const dump = await shell('zstd -dc "$1"', `${at.run.directory}/${archive.name}`);
        assert.match(dump, /^\/\*!50106 CREATE\*\/ [^;]* EVENT `often`[^]* insert into shop\.ran/m);
        assert.match(dump, /^ALTER DATABASE `shop` CHARACTER SET latin1/m);
        const rules = { original: "shop", into: "scratch", isDefiner: false, lacksOldModes: false };
        const rewritten = new DumpRewriter(rules).rewrite(
          ReadableStream.from([new TextEncoder().encode(dump)]),
        );
        const loaded = await new Response(ReadableStream.from(rewritten)).text();
        assert.match(loaded, /^\/\*!50106 CREATE\*\/ .* EVENT `often` .* DISABLE DO /m);
        assert.doesNotMatch(loaded, /ALTER DATABASE `shop`/);
        // Change the original database's character set. If the drill executed the dump's ALTER DATABASE
        // statement, the original database would get its old character set back.
        await server.sql(server.door, "alter database shop character set ucs2");
        const now = await server.describe();
        await at.drill();
        assert.equal(await server.describe(), now);
        await server.sql(server.door, "alter database shop character set utf8mb4");
        await untouched();
      });
    }

    await t.step("a cancelled drill leaves nothing", async () => {
      await using cancelled = await makeBackup(server, { names: ["shop"] });
      cancelled.run.onLine = (line) => {
        if (line.startsWith("Loading database")) queueMicrotask(() => cancelled.run.cancel());
      };
      await assert.rejects(cancelled.drill(), { name: "RunAbortedError" });
      assert.deepEqual(cancelled.run.warnings, []);
      await untouched();
    });

    await t.step("a dump that does not load is no damage, and leaves nothing", async () => {
      await using spoilt = await makeBackup(server, { names: [ODD], format: "plain" });
      const archive = spoilt.backup.objects.find(({ role }) => role === "archive")!;
      const sha = await shell(
        `cd "$(dirname "$1")"; { zstd -dc "$1"; echo 'select * from no_such_table;'; } | zstd -q > new; mv new "$1"; sha256sum < "$1"`,
        `${spoilt.run.directory}/${archive.name}`,
      );
      const { size } = await Deno.stat(`${spoilt.run.directory}/${archive.name}`);
      const changed = { ...archive, size, sha256: sha.slice(0, 64) };
      const objects = spoilt.backup.objects.map((each) => each === archive ? changed : each);
      assert.match(await failureOf(spoilt.drill({ objects }), false), /can't be loaded: .*no_such_table/);
      await untouched();
    });

    await t.step(
      "the error for a user that may create no database names the missing permission",
      async () => {
        await server.limit();
        const limited = { username: "limited", password: "limited" };
        assert.match(
          await failureOf(at.drill({}, limited), false),
          /limited may not create the scratch database that a drill needs\. Let it, with: .*, or set the task's drill_every to 0/,
        );
        await untouched();
      },
    );
  });
}
