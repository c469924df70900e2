/** Kills an agent during the restore or the drill of a database, and tests how the next agent cleans up. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiCaller } from "../support/clients/client.ts";
import { MariadbServer } from "../support/servers/mariadb.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const TOKEN = "rg_killed-agent-tests-only-0123456789";

const OLD = `
  create table parent (a int primary key); insert into parent values (1), (2);
  create table child (a int, foreign key (a) references parent (a)); insert into child values (1);
  create view seen as select a from parent; create procedure told() select 'old';
  create trigger up before insert on parent for each row set new.a = new.a + 1;
  create event later on schedule at '2037-01-01' do select 1`;
const NEW = `
  create table parent (a int primary key, b text); insert into parent values (7, 'new');
  create view seen as select b from parent; create procedure told() select 'new'; create function one() returns int return 1;
  create trigger down before insert on parent for each row set new.a = new.a - 1;
  create event nightly on schedule every 1 day starts '2037-01-01' do select 2`;

/**
 * Statements that create a large table. A drill needs a second or two to load the table, and only then
 * restores the routines. In this time, a test can lock the routines.
 */
const FILLER = "; create table filler select seq, md5(seq) a, md5(-seq) b from seq_1_to_300000";

interface Stage<Database> {
  api: ApiCaller;
  database: Database;
  backupId: number;
  /** Kills the agent as a power failure would. The control plane then starts another agent. */
  killAgent(): Promise<void>;
}

/**
 * Starts a database server with `open`, and a control plane with its local agent. Backs up the database
 * `store` of the database server, then calls `work`.
 */
async function staged<Database extends MariadbServer | PostgresqlServer>(
  open: () => Promise<Database>,
  work: (stage: Stage<Database>) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "rearguard-killed-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  await Deno.chmod(directory, 0o755);
  const database = stack.use(await open());
  const server = new ServerProcess({
    dataDirectory: join(directory, "data"),
    env: { BOOTSTRAP_TOKEN: TOKEN },
    args: ["--local-agent"],
  });
  stack.use(server);
  const api = new ApiCaller(await server.ready(), TOKEN);
  const local = { label: "here", type: "local", local_path: join(directory, "backups") };
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: (await api.call("GET", "/remote-servers")).body.data[0].id,
    backup_destination_id: await api.create("/backup-destinations", local),
    label: "database",
    type: "database",
    database_type: database instanceof MariadbServer ? "mysql" : "postgresql",
    database_name: "store",
    database_host: database.host,
    database_port: database.port,
    database_username: database.username,
    database_password: database.password,
    frequency: "daily",
    time_to_run_at: "01:00",
    verify_every: 0,
    drill_every: 0,
  });
  const log = await api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  const [backup] = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
  const killAgent = async () => {
    Deno.kill(Number(await Deno.readTextFile(join(directory, "data", "agent", "agent.pid"))), "SIGKILL");
  };
  await work({ api, database, backupId: backup.id, killAgent });
}

/**
 * Starts a server with the database `store`.
 *
 * @param more SQL that adds contents to the database.
 */
async function mysql(more = ""): Promise<MariadbServer> {
  const server = await MariadbServer.open();
  await server.sql("mysql", "create database store character set utf8mb4");
  await server.sql("store", NEW + more);
  return server;
}

/**
 * Starts a server with the database `store`. An index of this database calls a function that waits while the
 * role `hold` exists.
 */
async function postgresql(): Promise<PostgresqlServer> {
  const server = await PostgresqlServer.open();
  await server.sql("postgres", "create database store");
  await server.sql(
    "store",
    `create table parent (a int); insert into parent values (7), (8);
     create function slow(a int) returns int immutable language plpgsql as $$ begin
       if exists (select from pg_catalog.pg_roles where rolname = 'hold') then perform pg_catalog.pg_sleep(1000); end if;
       return a; end $$;
     create index on parent (slow(a))`,
  );
  return server;
}

/** Starts a client that executes `statements` and keeps their locks until it is disposed of. */
async function holding(
  { socket }: MariadbServer,
  database: string,
  statements: string,
): Promise<AsyncDisposable> {
  const args = ["--no-defaults", `--socket=${socket}`, "--user=root", "--batch", "--unbuffered", database];
  const client = new Deno.Command("mariadb", { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
    .spawn();
  const writer = client.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${statements};\nselect 'held';\n`));
  const reader = client.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("held\nheld\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot hold: ${statements}`);
    said += value;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await writer.close();
      while (!(await reader.read()).done);
      await client.status;
    },
  };
}

/** Waits for a statement that is blocked by a lock. Returns the id of its connection. */
async function waiting({ sql }: Pick<MariadbServer, "sql">, like: string): Promise<string> {
  const find =
    `select id from information_schema.processlist where state like 'waiting%' and info like '${like}'`;
  let id = "";
  await until(async () => (id = (await sql("mysql", find)).trim()) !== "");
  return id;
}

/**
 * Ends a connection, and waits until it is closed. The connection's statement waits for a lock, which the
 * test must hold until this function returns. If the test releases the lock earlier, the server still
 * executes the statement.
 */
async function end({ sql }: Pick<MariadbServer, "sql">, connection: string): Promise<void> {
  await sql("mysql", `kill ${connection}`);
  const find = `select count(*) from information_schema.processlist where id = ${connection}`;
  await until(async () => (await sql("mysql", find)).trim() === "0");
}

async function dumpOf({ socket }: MariadbServer, name: string): Promise<string> {
  const args = ["--routines", "--events", "--skip-comments", "--skip-dump-date", name];
  const { stdout } = await new Deno.Command("mariadb-dump", {
    args: ["--no-defaults", `--socket=${socket}`, "--user=root", ...args],
  }).output();
  return new TextDecoder().decode(stdout);
}

async function schemas(database: MariadbServer): Promise<string> {
  return await database.sql(
    "mysql",
    "select schema_name from information_schema.schemata where schema_name regexp '^(mine|store)' order by 1",
  );
}

async function ended(api: ApiCaller, id: number) {
  const log = `/backup-task-logs/${id}`;
  for await (const event of api.events(`${log}/stream`)) if (event.event === "finished") break;
  return (await api.call("GET", log)).body.data;
}

Deno.test("an agent is killed while it swaps a MySQL database: the next restore mends it first", (t) =>
  staged(mysql, async ({ api, database, backupId, killAgent }) => {
    const sql = database.sql.bind(database);
    await sql("mysql", "create database mine character set latin1");
    await sql("mine", OLD);
    const [before, after] = [await dumpOf(database, "mine"), await dumpOf(database, "store")];
    const path = `/backups/${backupId}/restore`;
    const restoring = async () => {
      const { body } = await api.call("POST", path, { database_name: "mine", overwrite: true });
      return body.backup_task_log_id as number;
    };
    const assertMended = async (killed: number, how: RegExp, dump: string) => {
      const log = await ended(api, killed);
      assert.equal(log.status, "failed");
      assert.match(log.reason, /The agent was restarted while the run was active/);
      assert.notEqual(await dumpOf(database, "mine"), dump);
      const refused = await api.carryOut(path, { database_name: "mine" });
      assert.match(refused.reason!, /database mine is there already and not empty/);
      assert.match(refused.output, how);
      assert.equal(await dumpOf(database, "mine"), dump);
      assert.equal(await schemas(database), "mine\nstore\n");
    };

    await t.step("before the tables have moved: what was there is put back", async () => {
      const held = await holding(database, "mine", "start transaction; select * from child");
      const killed = await restoring();
      const connection = await waiting({ sql }, "rename table%");
      await killAgent();
      await end({ sql }, connection);
      await held[Symbol.asyncDispose]();
      await assertMended(killed, /while it put database mine into its place\. Putting back first/, before);
    });

    await t.step("after the tables have moved: it is finished", async () => {
      const held = await holding(database, "mine", "start transaction; select * from child");
      const killed = await restoring();
      await waiting({ sql }, "rename table%");
      const routines = await holding(database, "mysql", "lock tables proc read");
      await held[Symbol.asyncDispose]();
      const connection = await waiting({ sql }, "drop procedure%");
      await killAgent();
      await end({ sql }, connection);
      await routines[Symbol.asyncDispose]();
      await assertMended(killed, /while it put database mine into its place\. Finishing that first/, after);
    });
  }));

Deno.test("an agent is killed while it drills a MySQL database: the next drill drops what is left", () =>
  staged(() => mysql(FILLER), async ({ api, database, backupId, killAgent }) => {
    const sql = database.sql.bind(database);
    const described = () => sql("store", "checksum table parent, filler; show create function one");
    const before = await described();
    const { body } = await api.call("POST", `/backups/${backupId}/drill`);
    const connected =
      "select count(*) from information_schema.processlist where db = 'store_rearguard_drill' and info like 'insert%'";
    await until(async () => await sql("mysql", connected) !== "0\n");
    // A drill restores routines last, so this lock stops the drill just before its end.
    const routines = await holding(database, "mysql", "lock tables proc read");
    const connection = await waiting({ sql }, "%drop function%");
    await killAgent();
    assert.equal((await ended(api, body.backup_task_log_id)).status, "failed");
    await end({ sql }, connection);
    await routines[Symbol.asyncDispose]();
    assert.equal(await schemas(database), "store\nstore_rearguard_drill\n");
    const log = await api.carryOut(`/backups/${backupId}/drill`);
    assert.equal(log.status, "successful", log.output);
    assert.equal(await schemas(database), "store\n");
    assert.equal(await described(), before);
  }));

Deno.test("an agent is killed while it drills a PostgreSQL database: the next drill drops what is left", () =>
  staged(postgresql, async ({ api, database, backupId, killAgent }) => {
    const sql = database.sql.bind(database, "postgres");
    const names = () => sql("select datname from pg_database where datname like 'store%' order by 1");
    await sql("create role hold");
    const { body } = await api.call("POST", `/backups/${backupId}/drill`);
    const held = "datname = 'store_rearguard_drill' and wait_event = 'PgSleep'";
    await until(async () => await sql(`select count(*) from pg_stat_activity where ${held}`) === "1\n");
    await killAgent();
    assert.equal((await ended(api, body.backup_task_log_id)).status, "failed");
    await sql(`drop role hold; select pg_terminate_backend(pid, 10000) from pg_stat_activity where ${held}`);
    assert.equal(await names(), "store\nstore_rearguard_drill\n");
    const log = await api.carryOut(`/backups/${backupId}/drill`);
    assert.equal(log.status, "successful", log.output);
    assert.equal(await names(), "store\n");
  }));
