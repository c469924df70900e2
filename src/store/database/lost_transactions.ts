/** Runs transactions that end with their connection. */
import { setImmediate } from "node:timers";
import type { Database, Sql } from "./sql.ts";
import { isLostConnection, settleConnections } from "./lost_connections.ts";
import { recordWriteTrouble } from "./write_trouble.ts";

/** Turns of the event loop within which a broken connection is also closed. */
const CLOSING = 4;

/** A query of a transaction whose connection is gone. The server rolls back its earlier statements. */
export class TransactionLostError extends Error {
  override readonly name = "TransactionLostError";
  readonly code = "CONNECTION_CLOSED";
  readonly errno = this.code;
}

/**
 * Runs `work` in a transaction that ends when its connection closes. Its next query is then rejected with a
 * {@link TransactionLostError}, and nothing more is sent. With postgres.js 3.4.9 alone, the later queries and
 * the final `commit` or `rollback` would go to the session that has replaced the connection in the pool, and
 * take effect there. Without such a session, they would end the process.
 */
export async function beginOnce<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  let isBegun = false;
  const begin = () =>
    beginOn(database, (sql) => {
      isBegun = true;
      return work(sql);
    });
  try {
    return await begin();
  } catch (error) {
    recordWriteTrouble(database, error);
    // Nothing was done yet: `begin` failed on a connection that the server had closed.
    if (isBegun || !isLostConnection(error)) throw error;
    await settleConnections(database);
    return await begin();
  }
}

function beginOn<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  let isLost = false;
  const begun = database.begin(async (sql) => {
    try {
      const result = await work(refusing(sql, () => isLost));
      return isLost ? await never() : result;
    } catch (error) {
      await turns(CLOSING);
      if (isLost) return await never();
      throw error;
    }
  }) as Promise<T>;
  // Rejects when the connection closes, whatever the work waits for.
  begun.catch(() => isLost = true);
  return begun;
}

/** A transaction that its holder uses until it is disposed. */
export interface HeldTransaction extends AsyncDisposable {
  readonly sql: Sql;
}

/**
 * Begins a transaction that is committed when it is disposed. It ends with its connection as in {@link
 * beginOnce}; a reserved connection would not. It may be idle for any time, whatever the server's settings
 * say.
 */
export async function holdTransaction(database: Database): Promise<HeldTransaction> {
  const opened = Promise.withResolvers<Sql>();
  const left = Promise.withResolvers<void>();
  const ended = beginOnce(database, async (sql) => {
    await sql`set local idle_in_transaction_session_timeout = 0`;
    opened.resolve(sql);
    await left.promise;
  });
  ended.catch(opened.reject);
  const sql = await opened.promise;
  return {
    sql,
    async [Symbol.asyncDispose]() {
      left.resolve();
      // Its queries have reported the error.
      await ended.catch(() => {});
    },
  };
}

function refusing(sql: Sql, isLost: () => boolean): Sql {
  const checked = <F extends (...values: never[]) => unknown>(call: F, owner: unknown) =>
    new Proxy(call, {
      apply: (target, _, values: never[]) => {
        if (isLost()) throw new TransactionLostError("the connection of the transaction was closed");
        return Reflect.apply(target, owner, values);
      },
    });
  const unsafe = checked(sql.unsafe, sql);
  return new Proxy(checked(sql as never, undefined) as Sql, {
    get: (_, name) => name === "unsafe" ? unsafe : Reflect.get(sql, name),
  });
}

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const turn = (left: number) => left === 0 ? resolve() : void setImmediate(() => turn(left - 1));
    turn(count);
  });
}

/** Never resolves: postgres.js waits for the work before it reports how the transaction ends. */
function never(): Promise<never> {
  return new Promise(() => {});
}
