/**
 * Opens the control plane's database with the current schema. This is the operator's database if DATABASE_URL
 * is set, and the embedded one if not.
 */
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import { tlsReason } from "../domain/tls_fault.ts";
import { openDatabase } from "../store/database/database.ts";
import type { Database } from "../store/database/sql.ts";
import { type EmbeddedPostgres, startEmbedded } from "../store/embedded/embedded.ts";
import { migrate, readMigrations } from "../store/database/migrate.ts";
import { keepsSessions } from "../store/database/session_check.ts";
import { logger } from "../telemetry/logging.ts";
import { StartError } from "./start_error.ts";

export interface ControlDatabase extends AsyncDisposable {
  readonly database: Database;
}

const MIGRATIONS = new URL("../../migrations", import.meta.url);
/** Interval between two checks of the embedded Postgres, in milliseconds. */
const WATCH_INTERVAL = 1000;
const log = logger("database");

/**
 * Opens the database, and applies missing migrations. If that fails, rejects with an error whose message is
 * one line that says what to do. Disposing the result also stops the embedded Postgres.
 */
export async function openControlDatabase(config: Config, clock: Clock): Promise<ControlDatabase> {
  await using opening = new AsyncDisposableStack();
  const opened = opening.use(await connectControlDatabase(config, clock));
  await applyMigrations(opened.database, clock);
  const parts = opening.move();
  return { database: opened.database, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

export async function applyMigrations(database: Database, clock: Clock): Promise<void> {
  const applied = await migrate(database, await readMigrations(MIGRATIONS), clock);
  if (applied.length === 0) return;
  log.info("Applied migrations {first} to {last}", { first: applied[0], last: applied.at(-1) });
}

/**
 * Connects to the database without checking its schema. Disposing the result also stops the embedded
 * Postgres.
 */
export async function connectControlDatabase(config: Config, clock: Clock): Promise<ControlDatabase> {
  await using opening = new AsyncDisposableStack();
  const database = config.databaseUrl === null
    ? await openEmbedded(config.dataDirectory, clock, opening)
    : openDatabase(config.databaseUrl, { connect_timeout: 10 });
  opening.defer(() => database.end({ timeout: 5 }));
  await checkConnection(database);
  if (config.databaseUrl !== null) await requireSessions(database);
  const opened = opening.move();
  return { database, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/**
 * Connects to the embedded database of a running control plane. Disposing the result does not stop Postgres.
 */
export async function joinControlDatabase(config: Config, clock: Clock): Promise<ControlDatabase> {
  const directory = join(config.dataDirectory, "postgres");
  const { connection } = await startEmbedded({ directory, clock, port: null, durable: true });
  const database = openDatabase(null, { ...connection });
  return { database, [Symbol.asyncDispose]: () => database.end({ timeout: 5 }) };
}

async function openEmbedded(
  dataDirectory: string,
  clock: Clock,
  opening: AsyncDisposableStack,
): Promise<Database> {
  const directory = join(dataDirectory, "postgres");
  const postgres = await startEmbedded({ directory, clock, port: null, durable: true });
  opening.defer(() => postgres.stop());
  const stopping = new AbortController();
  const watching = watchOver(postgres, clock, stopping.signal);
  opening.defer(async () => {
    stopping.abort();
    await watching;
  });
  if (postgres.adopted) log.info("The embedded Postgres still runs (process {pid})", { pid: postgres.pid });
  else log.info("The embedded Postgres is started (process {pid})", { pid: postgres.pid });
  if (postgres.location !== directory) {
    log.info("Its files are in {place}, because the user that runs it can't enter {directory}", {
      place: postgres.location,
      directory: dataDirectory,
    });
  }
  return openDatabase(null, { ...postgres.connection });
}

/**
 * Starts Postgres again after it was killed, for example by the kernel when memory ran out. The pool then
 * connects again by itself.
 */
async function watchOver(postgres: EmbeddedPostgres, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(WATCH_INTERVAL, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      if (await postgres.revive()) log.warn("The embedded Postgres had ended; it is started again");
    } catch (error) {
      log.error("The embedded Postgres has ended and can't be started; it is tried again", { error });
    }
  }
}

/**
 * Sends a query to test the connection. Errors of postgres.js name the server and the user, never the
 * password.
 */
async function checkConnection(database: Database): Promise<void> {
  try {
    await database`select 1`;
  } catch (cause) {
    const { message, code } = cause as { message: string; code?: string };
    // If the server is a standby, postgres.js closes the connection and reports this code.
    const reason = code === "CONNECTION_DESTROYED"
      ? "the server is a standby, it takes no writes"
      : tlsReason(cause) ?? (message || code);
    if (/unsupported startup parameter/.test(reason ?? "")) {
      throw new StartError(
        `Cannot use the database: a connection pooler is between, which refuses keepalive settings (${reason}). Connect to ` +
          "PostgreSQL directly, or to a pool in session mode with " +
          "ignore_startup_parameters = tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count",
        { cause },
      );
    }
    throw new StartError(`Cannot reach the database: ${reason}; check DATABASE_URL, or unset it`, { cause });
  }
}

/**
 * Rejects if commands on one connection might run in different sessions. Some connection poolers cause this.
 * Notifications and prepared statements need one session.
 */
async function requireSessions(database: Database): Promise<void> {
  if (await keepsSessions(database)) return;
  throw new StartError(
    "Cannot use the database: notifications do not arrive, as through a connection pooler in transaction mode (PgBouncer's " +
      "pool_mode = transaction). Connect to PostgreSQL directly, or to a pool in session mode",
  );
}
