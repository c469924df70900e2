import assert from "node:assert/strict";
import { systemClock } from "../domain/clock.ts";
import { freePort } from "../../tests/support/ports.ts";
import { type Database, openDatabase } from "./database.ts";
import { type EmbeddedPostgres, startEmbedded } from "./embedded.ts";
import { notify, openBus } from "./notifications.ts";

/** A Postgres that a test may kill, reached by its socket and by TCP. */
async function withPostgres(
  work: (postgres: EmbeddedPostgres, kill: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "rearguard-outage-" });
  await Deno.chmod(parent, 0o755);
  const directory = `${parent}/postgres`;
  const postgres = await startEmbedded({ directory, clock: systemClock, port: freePort(), durable: false });
  const awake = setInterval(() => {}, 1000); // the clock's own timers keep no process alive
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

/** Ten callers that ask again at once whenever they are refused, until `signal` aborts. */
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
    // As src/process/lost_connections.ts does.
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

Deno.test("notifications come again after Postgres was away for a while", () =>
  withPostgres(async (postgres) => {
    const database = openDatabase(null, { ...postgres.connection });
    const bus = await openBus(database);
    const topics: string[] = [];
    let heard = () => {};
    bus.subscribe(({ topic }) => {
      topics.push(topic);
      heard();
    });
    const next = () => new Promise<void>((resolve) => heard = resolve);
    await postgres.stop();
    await systemClock.sleep(1500); // longer than the first try to connect again
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
