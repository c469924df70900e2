/**
 * Keeps a connection open to a database that Rearguard made, while the run uses the database. Without the
 * connection, other restores and drills would assume that a killed agent left the database behind. When the
 * agent ends, psql's input ends. Then psql closes the connection.
 */
import type { ProgramContext } from "../../run_context.ts";
import type { PostgresqlClient } from "./connection.ts";

const UNLIMITED = `set statement_timeout = 0;
select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings where name = 'idle_session_timeout';
select 'connected';
`;

export class Keeper {
  readonly #released = Promise.withResolvers<void>();
  #ended: Promise<unknown> = Promise.resolve();

  private constructor() {}

  /**
   * Opens the connection. Resolves once the connection is open. Also resolves if the connection fails,
   * because the run then continues without it.
   */
  static async open(
    { connection, psql }: PostgresqlClient,
    database: string,
    { children }: Pick<ProgramContext, "children">,
  ): Promise<Keeper> {
    const keeper = new Keeper();
    const child = children.spawn(connection.scriptCommand(psql, database), {
      stdin: "piped",
      stdout: "piped",
      onMessage: () => {},
    });
    const released = keeper.#released.promise;
    const fed = child.feed(async function* () {
      yield new TextEncoder().encode(UNLIMITED);
      await released;
    }());
    const connected = Promise.withResolvers<void>();
    const read = (async () => {
      for await (const _ of child.stdout!) connected.resolve();
    })();
    child.exited.then(() => keeper.#released.resolve(), () => keeper.#released.resolve());
    keeper.#ended = Promise.allSettled([fed, read, child.exited]);
    await Promise.race([connected.promise, keeper.#ended]);
    return keeper;
  }

  /** Closes the connection and resolves once it is closed. Never rejects. */
  async release(): Promise<void> {
    this.#released.resolve();
    await this.#ended;
  }
}
