/**
 * Tests a database server whose disk is full. The control plane reports the full disk once, and recovers as
 * soon as there is space.
 */
import assert from "node:assert/strict";
import { ApiCaller } from "../support/clients/client.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { mountTmpfs } from "../support/fixtures/tmpfs.ts";
import { until } from "../support/assertions/until.ts";
import { shell } from "../support/fixtures/backup_run.ts";

const TOKEN = "a-token-for-the-tests";
const FULL = /^The disk of the database server is full: nothing can be stored/;

/**
 * Fills the disk under a control plane's database, frees it, and checks what is reported.
 *
 * @param disk The path of a small disk.
 */
async function fillAndFree(disk: string, dataDirectory: string, env: Record<string, string>): Promise<void> {
  await using server = new ServerProcess({
    dataDirectory,
    env: { LOCAL_AGENT: "0", BOOTSTRAP_TOKEN: TOKEN, RATE_LIMIT_PER_MINUTE: "0", ...env },
  });
  const url = await server.ready();
  const api = new ApiCaller(url, TOKEN);
  const ready = async () => {
    const answer = await fetch(`${url}/readyz`);
    return { status: answer.status, message: (await answer.json()).message };
  };
  let count = 0;
  const store = () => api.call("POST", "/tags", { label: `tag ${count++}`, description: "x".repeat(250) });
  assert.equal((await store()).status, 201);
  await shell('dd if=/dev/zero of="$1/filler" bs=64k 2>/dev/null || true', disk);
  let refused = await store();
  await until(async () => (refused = await store()).status !== 201);
  for (let more = 0; more < 50; more++) await store();
  assert.equal(refused.status, 503);
  assert.match(refused.body.message, FULL);
  const { status, message } = await ready();
  assert.equal(status, 503);
  assert.match(message, FULL);
  assert.equal((await api.call("GET", "/tags")).status, 200, "What is there can't be read");
  const lines = server.stderr.split("\n");
  assert.equal(
    lines.filter((line) => FULL.test(line.replace(/^.*?The disk/, "The disk"))).length,
    1,
    server.stderr,
  );
  assert.ok(lines.filter((line) => line.includes("No space left")).length <= 3, server.stderr);
  assert.doesNotMatch(server.stderr, /^ +at .*postgres/m);
  await Deno.remove(`${disk}/filler`);
  await until(async () => (await ready()).status === 200);
  assert.equal((await store()).status, 201);
  assert.match(server.stderr, /The database stores again/);
}

const ignore = Deno.uid() !== 0;

Deno.test({
  name:
    "an embedded Postgres whose disk is full: not ready, named by requests and one line of the log, back by itself",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const parent = await Deno.makeTempDir({ prefix: "rearguard-full-", dir: "/var/tmp" });
    stack.defer(() => Deno.remove(parent, { recursive: true }));
    await Deno.chmod(parent, 0o755);
    stack.use(await mountTmpfs(`${parent}/data`, 160 * 2 ** 20));
    await fillAndFree(`${parent}/data`, `${parent}/data`, {});
  },
});

Deno.test({
  name: "a database elsewhere whose tablespace is full: the same",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const parent = await Deno.makeTempDir({ prefix: "rearguard-full-", dir: "/var/tmp" });
    stack.defer(() => Deno.remove(parent, { recursive: true }));
    await Deno.chmod(parent, 0o755);
    stack.use(await mountTmpfs(`${parent}/disk`, 40 * 2 ** 20));
    await shell('mkdir "$1/space" && chown -R postgres "$1"', `${parent}/disk`);
    const postgres = stack.use(await PostgresqlServer.open());
    await postgres.sql("postgres", `create tablespace small location '${parent}/disk/space'`);
    await postgres.sql("postgres", "create database plane tablespace small");
    await fillAndFree(`${parent}/disk`, `${parent}/data`, { DATABASE_URL: postgres.url("plane") });
  },
});
