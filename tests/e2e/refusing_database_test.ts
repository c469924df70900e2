/**
 * Tests a database server that refuses connections. The control plane reports the reason, continues to run,
 * and recovers by itself.
 */
import assert from "node:assert/strict";
import { databaseTrouble } from "../../src/domain/database/database_trouble.ts";
import { until } from "../support/assertions/until.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { ServerProcess } from "../support/servers/server.ts";

const TOKEN = "a-token-for-the-tests";
const END_ALL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rearguard'";

interface Plane {
  readonly api: ApiCaller;
  stop(): Promise<unknown>;
  /** Returns the status and the message of `/readyz`. */
  ready(): Promise<[status: number, message: string | undefined]>;
  log(): string;
}

async function withPlane(work: (plane: Plane, postgres: PostgresqlServer) => Promise<void>): Promise<void> {
  await using postgres = await PostgresqlServer.open();
  await postgres.sql("postgres", "create database plane");
  const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-refused-" });
  try {
    const env = { DATABASE_URL: postgres.url("plane"), LOCAL_AGENT: "0", BOOTSTRAP_TOKEN: TOKEN };
    await using server = new ServerProcess({ dataDirectory, env });
    const url = await server.ready();
    const ready = async (): Promise<[number, string | undefined]> => {
      const response = await fetch(`${url}/readyz`);
      return [response.status, (await response.json()).message];
    };
    const stop = () => server.stop();
    await work({ api: new ApiCaller(url, TOKEN), ready, stop, log: () => server.stderr }, postgres);
  } finally {
    await Deno.remove(dataDirectory, { recursive: true });
  }
}

async function worksAgain({ api, ready }: Plane): Promise<void> {
  await until(async () => (await ready())[0] === 200);
  assert.equal((await api.call("POST", "/tags", { label: "after" })).status, 201);
}

Deno.test("a server that refuses the log-in is named by /readyz and the API, and logged once", () =>
  withPlane(async (plane, postgres) => {
    await postgres.sql("postgres", `alter role postgres password 'another'; ${END_ALL}`);
    await until(async () => {
      const [, message] = await plane.ready();
      if (/refuses the log-in: check .* DATABASE_URL/.test(message ?? "")) return true;
      // A log-in that was in progress might have succeeded on any of the connections, so the test ends all
      // connections again.
      await postgres.sql("postgres", END_ALL);
      return false;
    });
    for (const [method, body] of [["GET", undefined], ["POST", { label: "x" }]] as const) {
      // Repeats the request until the API reports the refusal. Earlier requests might have other results: a
      // log-in that is in progress might still succeed, and a connection that breaks gives a less precise
      // error.
      await until(async () => {
        const answer = await plane.api.call(method, "/tags", body);
        if (answer.status !== 503) await postgres.sql("postgres", END_ALL);
        return answer.status === 503 && /refuses the log-in/.test(answer.body.message);
      });
    }
    await until(() => plane.log().includes("password authentication failed"));
    assert.equal(plane.log().split("password authentication failed").length, 2, plane.log());
    await postgres.sql("postgres", `alter role postgres password $$${postgres.password}$$`);
    await worksAgain(plane);
  }));

Deno.test("a query whose connection breaks and is then refused settles: the control plane stops meanwhile", () =>
  withPlane(async ({ api, ready, stop }, postgres) => {
    await postgres.sql("postgres", `alter role postgres password 'another'; ${END_ALL}`);
    const end = performance.now() + 3000;
    while (performance.now() < end) await Promise.all([ready(), api.call("POST", "/tags", { label: "x" })]);
    let isStopped = false;
    void stop().then(() => isStopped = true);
    await until(() => isStopped);
  }));

Deno.test("a database that is renamed or takes no connections is named, and used again when it is back", () =>
  withPlane(async (plane, postgres) => {
    await postgres.sql("postgres", "alter database plane allow_connections false");
    await postgres.sql("postgres", END_ALL);
    await until(async () => /accepts no connections now/.test((await plane.ready())[1] ?? ""));
    await postgres.sql("postgres", "alter database plane rename to moved");
    await until(async () => /does not exist on its server/.test((await plane.ready())[1] ?? ""));
    await postgres.sql(
      "postgres",
      "alter database moved rename to plane; alter database plane allow_connections true",
    );
    await worksAgain(plane);
  }));

Deno.test("a time limit that ends a query of the database library does not end the control plane", () =>
  withPlane(async (plane, postgres) => {
    await postgres.sql("postgres", "alter database plane set statement_timeout = '200ms'");
    // On every new connection, postgres.js queries pg_type. Nothing awaits the promise of this query. The
    // test locks pg_type, so that the query exceeds its time limit.
    const held = postgres.sql(
      "plane",
      "set statement_timeout = 0; begin; lock table pg_catalog.pg_type; select pg_sleep(2); commit",
    );
    await until(async () =>
      (await postgres.sql("postgres", "select count(*) from pg_locks where mode = 'AccessExclusiveLock'"))
        .trim() !== "0"
    );
    await postgres.sql("postgres", END_ALL);
    await held;
    await worksAgain(plane);
  }));

Deno.test("every code is explained by itself, by its family, or not at all", () => {
  const sentence = (name: string, code: string) =>
    databaseTrouble(Object.assign(new Error("x"), { name, code }))?.sentence ?? null;
  assert.match(sentence("PostgresError", "28P01")!, /refuses the log-in/);
  assert.match(sentence("PostgresError", "28000")!, /refuses the log-in/);
  assert.match(sentence("PostgresError", "57P03")!, /can't be reached/);
  assert.match(sentence("PostgresError", "53300")!, /max_connections/);
  assert.match(sentence("PostgresError", "53000")!, /no resources/);
  assert.equal(sentence("PostgresError", "23505"), null);
  assert.equal(sentence("PostgresError", "57P99"), sentence("PostgresError", "57P01"));
  assert.equal(sentence("Error", "ECONNREFUSED"), null);
});
