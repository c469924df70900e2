/** Tests a control plane with a connection pooler in front of its database. */
import assert from "node:assert/strict";
import { ApiCaller } from "../support/clients/client.ts";
import { Pgbouncer, type PgbouncerOptions } from "../support/servers/pgbouncer.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { ServerProcess } from "../support/servers/server.ts";

const TOKEN = "a-token-for-the-tests";

async function withPooler(
  options: PgbouncerOptions,
  work: (start: (env?: Record<string, string>) => ServerProcess) => Promise<void>,
): Promise<void> {
  await using postgres = await PostgresqlServer.open();
  await postgres.sql("postgres", "create database plane");
  await using pooler = await Pgbouncer.open(postgres, options);
  const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-pooler-" });
  try {
    const env = { LOCAL_AGENT: "0", BOOTSTRAP_TOKEN: TOKEN, DATABASE_URL: pooler.url("plane") };
    await work((more = {}) => new ServerProcess({ dataDirectory, env: { ...env, ...more } }));
    // A pooler in an unsuitable mode is rejected before anything is created in the database.
    if (options.mode !== "session") {
      assert.equal(
        (await postgres.sql("plane", "select count(*) from pg_tables where schemaname = 'public'")).trim(),
        "0",
      );
    }
  } finally {
    await Deno.remove(dataDirectory, { recursive: true });
  }
}

async function refusal(server: ServerProcess): Promise<string> {
  assert.equal((await server.ended()).code, 1, server.stdout);
  assert.equal(server.stderr.trimEnd().split("\n").length, 1, server.stderr);
  return server.stderr;
}

for (const mode of ["transaction", "statement"] as const) {
  Deno.test(`a pooler in ${mode} mode is refused at the start, in one line that says what to do`, () =>
    withPooler({ mode }, async (start) => {
      assert.match(
        await refusal(start({ LOG_LEVEL: "fatal" })),
        /^Cannot use the database: notifications do not arrive, as through a connection pooler .* Connect to PostgreSQL directly/,
      );
    }));
}

Deno.test("a pooler that refuses what is asked for at the start of a session is named, with its setting", () =>
  withPooler({ mode: "transaction", ignoredStartupParameters: "extra_float_digits" }, async (start) => {
    assert.match(
      await refusal(start({ LOG_LEVEL: "fatal" })),
      /^Cannot use the database: a connection pooler is between.*ignore_startup_parameters = tcp_keepalives_idle/,
    );
  }));

Deno.test("a pooler in session mode serves", () =>
  withPooler({ mode: "session" }, async (start) => {
    await using server = start();
    const url = await server.ready();
    const api = new ApiCaller(url, TOKEN);
    for (let at = 0; at < 20; at++) {
      assert.equal((await api.call("POST", "/tags", { label: `tag ${at}` })).status, 201);
    }
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    assert.doesNotMatch(server.stderr, /error/);
  }));
