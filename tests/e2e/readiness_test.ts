/**
 * Tests readiness. A control plane that reports that it is ready must serve the next request, even right
 * after a failure of the database.
 */
import assert from "node:assert/strict";
import { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const TOKEN = "a-token-for-the-tests";
/** The number of simultaneous requests: twice the number of connections in the pool. */
const AT_ONCE = 20;

interface Plane {
  url: string;
  dataDirectory: string;
  /** Sends a burst of reads and writes. Returns the different statuses of the responses, sorted. */
  burst(): Promise<number[]>;
  isReady(): Promise<boolean>;
}

async function withPlane(env: Record<string, string>, work: (plane: Plane) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "rearguard-ready-", dir: "/var/tmp" });
  await Deno.chmod(parent, 0o755);
  const dataDirectory = `${parent}/data`;
  try {
    const options = {
      LOCAL_AGENT: "0",
      BOOTSTRAP_TOKEN: TOKEN,
      RATE_LIMIT_PER_MINUTE: "0",
      LOG_LEVEL: "fatal",
    };
    await using server = new ServerProcess({ dataDirectory, env: { ...options, ...env } });
    const url = await server.ready();
    const api = new ApiCaller(url, TOKEN);
    let count = 0;
    await work({
      url,
      dataDirectory,
      async burst() {
        const answers = await Promise.all(
          Array.from(
            { length: AT_ONCE },
            (_, at) =>
              at % 2 === 0
                ? api.call("GET", "/tags")
                : api.call("POST", "/tags", { label: `tag ${count++}` }),
          ),
        );
        return [...new Set(answers.map(({ status }) => status))].sort();
      },
      async isReady() {
        const answer = await fetch(`${url}/readyz`);
        await answer.body?.cancel();
        return answer.ok;
      },
    });
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

const GOOD = [200, 201];

/**
 * Sends bursts of requests for `ms` milliseconds. This gives a background loop or the listening connection
 * enough time to notice that a connection was lost.
 */
async function workFor(plane: Plane, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) assert.deepEqual(await plane.burst(), GOOD);
}

Deno.test("after an embedded Postgres is killed, no request fails once the control plane is ready", () =>
  withPlane({}, async (plane) => {
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await plane.burst(), GOOD);
      const file = `${plane.dataDirectory}/postgres/data/postmaster.pid`;
      Deno.kill(Number((await Deno.readTextFile(file)).split("\n")[0]), "SIGKILL");
      await until(async () => !await plane.isReady());
      await until(() => plane.isReady());
      await workFor(plane, 800);
    }
  }));

Deno.test("after a Postgres elsewhere is killed and back, no request fails once the control plane is ready", async () => {
  await using postgres = await PostgresqlServer.open();
  await withPlane({ DATABASE_URL: postgres.url("postgres") }, async (plane) => {
    for (const quiet of [false, true]) {
      assert.deepEqual(await plane.burst(), GOOD);
      await postgres.kill();
      // If `quiet`, the test sends no request until the database is back. Otherwise it also polls readiness
      // while the database is down.
      if (!quiet) await until(async () => !await plane.isReady());
      await postgres.restart();
      await until(() => plane.isReady());
      await workFor(plane, 800);
    }
  });
});

Deno.test("connections that the server closes while they are idle cost no request", async () => {
  await using db = await emptyDatabase();
  await withPlane({ DATABASE_URL: db.url }, async (plane) => {
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(await plane.burst(), GOOD);
      await db.database`
        select count(pg_terminate_backend(pid)) from pg_stat_activity
        where application_name = 'rearguard' and pid <> pg_backend_pid() and datname = current_database()`;
    }
    assert.deepEqual(await plane.burst(), GOOD);
    await until(() => plane.isReady());
    // Simulates a database server that ends idle connections.
    await db.database.unsafe(
      `alter role current_user in database ${
        new URL(db.url).pathname.slice(1)
      } set idle_session_timeout = '200ms'`,
    );
    await db.database`
      select count(pg_terminate_backend(pid)) from pg_stat_activity
      where application_name = 'rearguard' and pid <> pg_backend_pid() and datname = current_database()`;
    for (let round = 0; round < 4; round++) {
      assert.deepEqual(await plane.burst(), GOOD);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    // The control plane is ready only while the connection on which it listens for notifications is open.
    await until(() => plane.isReady());
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(await plane.isReady(), true);
  });
});
