import assert from "node:assert/strict";
import { isLostConnection } from "./lost_connections.ts";
import { systemClock } from "../../domain/clock.ts";
import { freePort } from "../../../tests/support/servers/ports.ts";
import { Balancer } from "../../../tests/support/servers/balancer.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { openDatabase, transaction } from "./database.ts";
import type { Database } from "./sql.ts";
import { type EmbeddedPostgres, startEmbedded } from "../embedded/embedded.ts";
import { notify, openEventBus } from "./event_bus.ts";

/**
 * Runs `work` with a Postgres server that `kill` kills and starts again. The server can be reached by its
 * socket and by TCP.
 */
async function withPostgres(
  work: (postgres: EmbeddedPostgres, kill: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "rearguard-outage-" });
  await Deno.chmod(parent, 0o755);
  const directory = `${parent}/postgres`;
  const postgres = await startEmbedded({ directory, clock: systemClock, port: freePort(), durable: false });
  const awake = setInterval(() => {}, 1000); // keeps the process alive, which the clock's own timers do not
  const kill = async () => {
    const [pid] = (await Deno.readTextFile(`${directory}/data/postmaster.pid`)).split("\n");
    Deno.kill(Number(pid), "SIGKILL");
    while (!await postgres.revive()) await systemClock.sleep(10);
  };
  try {
    await work(postgres, kill);
  } finally {
    clearInterval(awake);
    await postgres.stop();
    await Deno.remove(parent, { recursive: true });
  }
}

/** Runs ten callers until `signal` aborts. Each sends a query, and retries after a rejection. */
function hammer(database: Database, signal: AbortSignal): Promise<void[]> {
  return Promise.all(Array.from({ length: 10 }, async () => {
    while (!signal.aborted) {
      try {
        await database`select pg_sleep(0.001)`;
      } catch {
        await systemClock.sleep(1);
      }
    }
  }));
}

Deno.test("every query settles, however its connection breaks", () =>
  withPostgres(async (postgres, kill) => {
    const { host, port, username, password, database: name } = postgres.connection;
    const database = openDatabase(`postgres://${username}:${password}@${host}:${port}/${name}`);
    // Prevents lost connections from failing the test, as src/process/lost_connections.ts does for a control
    // plane.
    const lost = (event: PromiseRejectionEvent) => event.preventDefault();
    globalThis.addEventListener("unhandledrejection", lost);
    for (let round = 0; round < 3; round++) {
      const stopped = new AbortController();
      const callers = hammer(database, stopped.signal);
      await systemClock.sleep(50);
      await kill();
      stopped.abort();
      await callers;
    }
    await database.end();
    globalThis.removeEventListener("unhandledrejection", lost);
  }));

Deno.test("a transaction whose connection is closed without an error is rejected, and the next one works", () =>
  withPostgres(async (postgres) => {
    const { port, username, password, database: name } = postgres.connection;
    await using way = new Balancer([port]);
    const database = openDatabase(`postgres://${username}:${password}@${new URL(way.url).host}/${name}`);
    const watching = openDatabase(`postgres://${username}:${password}@127.0.0.1:${port}/${name}`);
    for (let round = 0; round < 5; round++) {
      const refused = assert.rejects(
        transaction(database, async (sql) => {
          await sql`select 1`;
          await sql`select pg_sleep(10)`;
        }),
        isLostConnection,
      );
      await until(async () =>
        (await watching`select from pg_stat_activity where query like 'select pg_sleep%'`).length > 0
      );
      way.cut();
      await refused;
      assert.equal((await database`select 1 as one`)[0]!.one, 1);
      // The server has not noticed yet that the connection was closed.
      await watching`select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'select pg_sleep%'`;
    }
    await database.end({ timeout: 1 });
    await watching.end();
  }));

Deno.test("a transaction whose connection is closed while it waits for something else sends nothing more", () =>
  withPostgres(async (postgres) => {
    const { port, username, password, database: name } = postgres.connection;
    const url = `postgres://${username}:${password}@127.0.0.1:${port}/${name}`;
    const [database, other] = [openDatabase(url, { max: 1 }), openDatabase(url, { max: 1 })];
    await other`create table noted (of text)`;
    // If `isTaken` is true, another session has taken the place of the lost session.
    for (const isTaken of [false, true]) {
      for (const way of ["query", "commit", "rollback"]) {
        const lost = Promise.withResolvers<void>();
        const ended = Promise.withResolvers<void>();
        const refused = assert.rejects(
          transaction(database, async (sql) => {
            await sql`insert into noted values ('first')`;
            const [{ pid }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
            await other`select pg_terminate_backend(${pid}, 5000)`;
            await lost.promise;
            try {
              if (way === "query") await sql`insert into noted values ('second')`;
              if (way === "rollback") throw new Error("rolled back");
            } finally {
              ended.resolve();
            }
          }),
          isLostConnection,
        );
        await refused;
        let inner: Promise<unknown> = Promise.resolve();
        if (isTaken) {
          const begun = Promise.withResolvers<void>();
          inner = transaction(database, async (sql) => {
            await sql`insert into noted values (${way})`;
            begun.resolve();
            await sql`select pg_sleep(0.1)`;
          });
          await begun.promise;
        }
        lost.resolve();
        await ended.promise;
        await inner;
      }
    }
    assert.deepEqual(
      (await other<{ of: string }[]>`select of from noted`).map((row) => row.of),
      ["query", "commit", "rollback"],
    );
    await Promise.all([database.end(), other.end()]);
  }));

Deno.test("notifications resume after an outage of Postgres", () =>
  withPostgres(async (postgres) => {
    const database = openDatabase(null, { ...postgres.connection });
    const bus = await openEventBus(database);
    const topics: string[] = [];
    let heard = () => {};
    bus.subscribe(({ topic }) => {
      topics.push(topic);
      heard();
    });
    const next = () => new Promise<void>((resolve) => heard = resolve);
    await postgres.stop();
    await systemClock.sleep(1500); // longer than the bus waits before its first attempt to connect again
    const reconnected = next();
    await postgres.revive();
    await reconnected;
    assert.deepEqual(topics, ["reconnected"]);
    const notified = next();
    await notify(database, { topic: "schedule_changed" });
    await notified;
    assert.deepEqual(topics, ["reconnected", "schedule_changed"]);
    await bus.close();
    await database.end();
  }));
