/** The connection to Postgres and the types every store file speaks in. */
import { connect, type Socket } from "node:net";
import postgres from "postgres";
import { auditedRequest } from "./audited_request.ts";

/** A pool, or a transaction of it: store functions take either. */
export type Sql = postgres.Sql<{ bigint: number }> | postgres.TransactionSql<{ bigint: number }>;
/** The pool itself, which can begin transactions and listen. */
export type Database = postgres.Sql<{ bigint: number }>;

/**
 * Opens a pool. `int8` comes back as a number (ids and byte counts stay under 2^53), `timestamptz` as a `Date`.
 *
 * @param url A `postgres://` URL, or null for the options' own host (a socket directory).
 */
export function openDatabase(
  url: string | null,
  options: postgres.Options<Record<string, postgres.PostgresType>> = {},
): Database {
  const settings = {
    max: 10,
    connection: { application_name: "rearguard" },
    onnotice: () => {},
    ...options,
    types: {
      bigint: {
        to: 20,
        from: [20],
        serialize: (value: number) => String(value),
        parse: (text: string) => Number(text),
      },
    },
  };
  const database = (url === null ? postgres(settings) : postgres(url, settings)) as unknown as Database;
  const { host, ssl } = database.options;
  if (host.length === 1 && !ssl) Object.assign(database.options, { socket: openSocket });
  return database;
}

/**
 * postgres.js 3.4.9 forgets queries that come between a socket's `error` and its `close(hadError: true)`: they never
 * settle. After a `close` without an error it rejects them, so that is what it is told.
 */
function openSocket({ path, host, port }: { path: string | false; host: string[]; port: number[] }): Socket {
  const socket = path ? connect({ path }) : connect({ host: host[0]!, port: port[0]! });
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  socket.emit = (event: string, ...values: unknown[]) =>
    event === "close" ? emit(event, false) : emit(event, ...values);
  return socket;
}

/**
 * Runs `work` in one transaction. No network call but to Postgres may happen inside. Where it makes the change that a request
 * under way is for, the audit log's entry goes with it.
 */
export function transaction<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  const begin = (work: (sql: Sql) => Promise<T>) =>
    database.begin((sql) => work(sql as unknown as Sql)) as Promise<T>;
  return auditedRequest()?.within(begin, work) ?? begin(work);
}
