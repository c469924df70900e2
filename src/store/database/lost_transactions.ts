/** Runs transactions that end when their connection is closed. */
import { setImmediate } from "node:timers";
import type { Database, Sql } from "./sql.ts";
import { isLostConnection, settleConnections } from "./lost_connections.ts";
import { recordWriteTrouble } from "./write_trouble.ts";

/** Number of turns of the event loop within which postgres.js closes a connection that broke. */
const CLOSING = 4;

/**
 * The error of a query in a transaction whose connection is lost. The server rolls back such a transaction.
 */
export class TransactionLostError extends Error {
  override readonly name = "TransactionLostError";
  readonly code = "CONNECTION_CLOSED";
  readonly errno = this.code;
}

/**
 * Runs `work` in a transaction that ends when its connection closes. After the connection has closed, the
 * transaction's next query is rejected with a {@link TransactionLostError}, and the transaction sends nothing
 * more.
 *
 * This function works around a defect of postgres.js 3.4.9. After a connection is lost, postgres.js still
 * sends the transaction's later queries and its `commit` or `rollback`. It sends them on the connection's
 * replacement in the pool, so they take effect outside the transaction. If the pool has no replacement yet,
 * sending them ends the process.
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
    // Begin again only if `work` was not called. Then the server had closed the connection before `begin`,
    // and nothing was done.
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
  // When the connection closes, the promise of `database.begin` rejects at once, even if `work` still
  // waits for something else.
  begun.catch(() => isLost = true);
  return begun;
}

/** A transaction that stays open until it is disposed. */
export interface HeldTransaction extends AsyncDisposable {
  readonly sql: Sql;
}

/**
 * Begins a transaction that is committed when it is disposed. If its connection is lost, the transaction
 * ends, as in {@link beginOnce}. A reserved connection of postgres.js would not ensure that the transaction
 * ends. The server's limit on idle time does not apply to the transaction.
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
      // The queries of the transaction have already reported the error.
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

/**
 * Returns a promise that never resolves. The callback of `database.begin` awaits it if the transaction is
 * lost: postgres.js waits until the callback ends, and only then reports how the transaction ends. So the
 * callback of a lost transaction must not end.
 */
function never(): Promise<never> {
  return new Promise(() => {});
}
