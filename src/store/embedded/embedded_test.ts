import assert from "node:assert/strict";
import { systemClock } from "../../domain/clock.ts";
import { openDatabase } from "../database/database.ts";
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbedded } from "./embedded.ts";

/** Returns the default settings, with smaller buffers. */
function options(directory: string): EmbeddedOptions {
  return { directory, clock: systemClock, port: null, durable: true, settings: { shared_buffers: "16MB" } };
}

async function query(postgres: EmbeddedPostgres, statement: string): Promise<Record<string, unknown>[]> {
  const sql = openDatabase(null, { ...postgres.connection, max: 1 });
  try {
    return [...await sql.unsafe(statement)];
  } finally {
    await sql.end();
  }
}

/**
 * Runs `work` with a new directory. Then stops the Postgres of this directory if it is still running, and
 * deletes the directory.
 */
async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "rearguard-embedded-" });
  await Deno.chmod(parent, 0o755);
  const directory = `${parent}/postgres`;
  const awake = setInterval(() => {}, 1000); // keeps the process alive, which the clock's own timers do not
  try {
    await work(directory);
  } finally {
    clearInterval(awake);
    const link = await Deno.realPath(directory);
    const text = await Deno.readTextFile(`${link}/data/postmaster.pid`).catch(() => null);
    if (text !== null) await (await startEmbedded(options(directory))).stop();
    if (link !== directory) await Deno.remove(link, { recursive: true });
    await Deno.remove(parent, { recursive: true });
  }
}

/** Resolves once the process has ended. `Deno.kill` returns earlier. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const status = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => null);
    if (status === null || / Z /.test(status)) return;
    await systemClock.sleep(10);
  }
}

Deno.test("a cluster keeps its data after a stop", () =>
  withDirectory(async (directory) => {
    const first = await startEmbedded(options(directory));
    assert.equal(first.adopted, false);
    await query(first, "create table t as select 1 as n");
    await first.stop();
    const second = await startEmbedded(options(directory));
    assert.equal(second.adopted, false);
    assert.deepEqual(await query(second, "select n from t"), [{ n: 1 }]);
  }));

Deno.test("a cluster that still runs is adopted", () =>
  withDirectory(async (directory) => {
    const first = await startEmbedded(options(directory));
    const second = await startEmbedded(options(directory));
    assert.equal(second.adopted, true);
    assert.equal(second.pid, first.pid);
    assert.deepEqual(await query(second, "select 1 as n"), [{ n: 1 }]);
  }));

Deno.test("committed data survives a kill -9 of Postgres", () =>
  withDirectory(async (directory) => {
    const first = await startEmbedded(options(directory));
    await query(first, "create table t as select 1 as n");
    Deno.kill(first.pid, "SIGKILL");
    await gone(first.pid);
    const second = await startEmbedded(options(directory));
    assert.equal(second.adopted, false);
    assert.deepEqual(await query(second, "select n from t"), [{ n: 1 }]);
  }));

Deno.test("a pid file left by a power cut does not prevent the start, even if another process has the pid now", () =>
  withDirectory(async (directory) => {
    const first = await startEmbedded(options(directory));
    const file = `${directory}/data/postmaster.pid`;
    const left = await Deno.readTextFile(file);
    await first.stop();
    await Deno.writeTextFile(file, left.replace(/^\d+/, String(Deno.pid)));
    assert.equal((await startEmbedded(options(directory))).adopted, false);
  }));

Deno.test("connections need the password, and nothing listens on the network", () =>
  withDirectory(async (directory) => {
    const postgres = await startEmbedded(options(directory));
    const stranger = { ...postgres, connection: { ...postgres.connection, password: "" } };
    await assert.rejects(query(stranger, "select 1"), /password/);
    assert.deepEqual(await query(postgres, "show listen_addresses"), [{ listen_addresses: "" }]);
    assert.equal((await Deno.stat(`${directory}/password`)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(`${directory}/socket`)).mode! & 0o777, 0o700);
    assert.equal((await Deno.stat(`${directory}/data`)).mode! & 0o777, 0o700);
  }));

Deno.test("a path too long for a socket works", () =>
  withDirectory(async (directory) => {
    const long = `${directory}/${"long".repeat(30)}/postgres`;
    const postgres = await startEmbedded(options(long));
    assert.match(postgres.connection.host, /^\/tmp\/rearguard-/);
    assert.deepEqual(await query(postgres, "select 1 as n"), [{ n: 1 }]);
    await postgres.stop();
    await assert.rejects(Deno.stat(postgres.connection.host), Deno.errors.NotFound);
  }));

Deno.test("data of another major version is refused", () =>
  withDirectory(async (directory) => {
    await (await startEmbedded(options(directory))).stop();
    await Deno.writeTextFile(`${directory}/data/PG_VERSION`, "17\n");
    await assert.rejects(
      startEmbedded(options(directory)),
      /^EmbeddedPostgresError: Cannot start the embedded Postgres: .* was made by Postgres 17, this is 18/,
    );
  }));

Deno.test("the error of a broken cluster contains Postgres's own message", () =>
  withDirectory(async (directory) => {
    await (await startEmbedded(options(directory))).stop();
    await Deno.remove(`${directory}/data/global/pg_control`);
    await assert.rejects(
      startEmbedded(options(directory)),
      /Cannot start the embedded Postgres: .*pg_control/,
    );
  }));

Deno.test("a cluster below a directory that only root may enter is stored elsewhere for root, but not for another user", () =>
  withDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/private/data`, { recursive: true });
    await Deno.chmod(`${directory}/private`, 0o700);
    const inside = `${directory}/private/data/postgres`;
    const postgres = await startEmbedded(options(inside));
    try {
      if (Deno.uid() === 0) assert.equal(await Deno.readLink(inside), postgres.location);
      else assert.equal(postgres.location, inside);
      assert.deepEqual(await query(postgres, "select 1 as n"), [{ n: 1 }]);
      await postgres.stop();
      const again = await startEmbedded(options(inside));
      assert.equal(again.location, postgres.location);
    } finally {
      await postgres.stop();
      await Deno.remove(postgres.location, { recursive: true });
    }
  }));
