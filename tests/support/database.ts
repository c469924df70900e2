/** A migrated database a test, cloned from one template, and the services over it. */
import { createHash, randomBytes } from "node:crypto";
import { systemClock } from "../../src/domain/clock.ts";
import { DEFAULT_RUN_TIMES, type RunTimes } from "../../src/domain/run.ts";
import { Notifier } from "../../src/notify/notifier.ts";
import { Keyring } from "../../src/secrets/keyring.ts";
import { AgentStreams } from "../../src/services/agent_streams.ts";
import type { Services } from "../../src/services/context.ts";
import { Health } from "../../src/services/health.ts";
import { PassedSecrets } from "../../src/services/passed_secrets.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { migrate, type Migration, readMigrations } from "../../src/store/migrate.ts";
import { openBus } from "../../src/store/notifications.ts";
import { TestClock } from "./clock.ts";
import { loopback } from "./loopback.ts";
import { testPostgresUrl } from "./postgres.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly database: Database;
  /** `postgres://…` of this very database, for other processes. */
  readonly url: string;
}

/** An empty database without any migration, dropped at the end. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return await createDatabase(await testPostgresUrl(), "template0");
}

/** A migrated database of its own, dropped at the end: `await using db = await testDatabase()`. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await testPostgresUrl();
  return await createDatabase(server, await template(server));
}

export interface TestServices extends TestDatabase {
  readonly services: Services;
  readonly clock: TestClock;
}

/** Services over a database of their own, with a random key and a clock that the test moves. */
export async function testServices(
  options: { now?: Date | string; runTimes?: Partial<RunTimes> } = {},
): Promise<TestServices> {
  const { database, url, [Symbol.asyncDispose]: drop } = await testDatabase();
  const clock = new TestClock(options.now);
  const bus = await openBus(database);
  const runTimes = { ...DEFAULT_RUN_TIMES, ...options.runTimes };
  const keyring = new Keyring([randomBytes(32)]);
  const passedSecrets = new PassedSecrets({ bus, clock, keyring, database });
  const streams = new AgentStreams(clock);
  const notifier = new Notifier({ database, clock, keyring, network: loopback, smtp: null });
  const health = new Health(clock);
  health.serve();
  const services: Services = {
    database,
    clock,
    health,
    keyring,
    bus,
    passedSecrets,
    streams,
    notifier,
    network: loopback,
    runTimes,
  };
  return {
    services,
    clock,
    database,
    url,
    async [Symbol.asyncDispose]() {
      passedSecrets.close();
      await bus.close();
      await drop();
    },
  };
}

/** The same, in real time. */
export function onSystemClock(services: Services): { services: Services } & Disposable {
  const { bus, database, keyring } = services;
  const passedSecrets = new PassedSecrets({ bus, clock: systemClock, keyring, database });
  return {
    services: { ...services, clock: systemClock, passedSecrets, streams: new AgentStreams(systemClock) },
    [Symbol.dispose]: () => passedSecrets.close(),
  };
}

async function createDatabase(server: string, from: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await asOwner(server, (sql) => sql.unsafe(`create database ${name} template ${from}`));
  const url = withDatabase(server, name);
  const database = openDatabase(url);
  return {
    database,
    url,
    async [Symbol.asyncDispose]() {
      await database.end();
      await asOwner(server, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

/** Makes the template once a server, whoever comes first; its name tells the migrations it holds. */
async function template(server: string): Promise<string> {
  const migrations = await readMigrations(new URL("../../migrations", import.meta.url));
  const name = `template_${digest(migrations)}`;
  await asOwner(server, async (sql) => {
    await sql`select pg_advisory_lock(7310868735954236780)`; // freed with the connection
    const [known] = await sql`select 1 from pg_database where datname = ${name}`;
    if (known !== undefined) return;
    const partial = `${name}_partial`;
    await sql.unsafe(`drop database if exists ${partial} with (force)`);
    await sql.unsafe(`create database ${partial} template template0`);
    const database = openDatabase(withDatabase(server, partial), { max: 1 });
    await migrate(database, migrations, systemClock);
    await database.end();
    await sql.unsafe(`alter database ${partial} rename to ${name}`);
  });
  return name;
}

function digest(migrations: Migration[]): string {
  const hash = createHash("sha256");
  for (const migration of migrations) hash.update(migration.checksum);
  return hash.digest("hex").slice(0, 16);
}

async function asOwner(server: string, work: (sql: Database) => Promise<unknown>): Promise<void> {
  const sql = openDatabase(server, { max: 1 });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
