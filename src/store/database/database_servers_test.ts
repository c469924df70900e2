import assert from "node:assert/strict";
import { systemClock } from "../../domain/clock.ts";
import { FreezingRelay } from "../../../tests/support/servers/freezing_relay.ts";
import { PostgresqlServer } from "../../../tests/support/servers/postgresql.ts";
import { turnTlsOn } from "../../../tests/support/servers/postgresql_tls.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { openDatabase } from "./database.ts";
import type { Database } from "./sql.ts";
import { type EventBus, notify, openEventBus } from "./event_bus.ts";

const QUICK = { checkMs: 50, patienceMs: 400 };

/**
 * Prevents lost connections from failing the test, as src/process/lost_connections.ts does for a control
 * plane.
 */
async function ignoringLostConnections(work: () => Promise<void>): Promise<void> {
  const lost = (event: PromiseRejectionEvent) => event.preventDefault();
  const awake = setInterval(() => {}, 1000); // keeps the process alive, which the clock's own timers do not
  globalThis.addEventListener("unhandledrejection", lost);
  try {
    await work();
  } finally {
    globalThis.removeEventListener("unhandledrejection", lost);
    clearInterval(awake);
  }
}

/** Opens several connections and returns the ports of the servers that they reach. */
async function portsOf(database: Database): Promise<Set<number>> {
  const rows = await Promise.all(Array.from({ length: 4 }, () =>
    database<{ port: number }[]>`
      select inet_server_port() as port, pg_sleep(0.05)`));
  return new Set(rows.map(([row]) => row!.port));
}

/** Returns how many connections of the pool work at the same time, four at most. */
async function workingConnections(database: Database): Promise<number> {
  const rows = await Promise.all(Array.from({ length: 4 }, () =>
    database<{ pid: number }[]>`
      select pg_backend_pid() as pid, pg_sleep(0.3)`));
  return new Set(rows.map(([row]) => row!.pid)).size;
}

const canWrite = (database: Database) =>
  database`create temporary table t (x int) on commit drop`.then(() => true, () => false);

function reconnections(bus: EventBus): { next(): Promise<void> } {
  let count = 0;
  let seen = 0;
  bus.subscribe(({ topic }) => void (topic === "reconnected" && count++));
  return { next: () => until(() => count > seen).then(() => void (seen = count)) };
}

Deno.test("of several servers the writable one is used, and the next one when it is gone", () =>
  ignoringLostConnections(async () => {
    await using primary = await PostgresqlServer.open();
    await using standby = await PostgresqlServer.open({ standbyOf: primary });
    const database = openDatabase(`${standby.url("postgres", [primary])}?target_session_attrs=read-write`, {
      max: 4,
    });
    assert.deepEqual(await portsOf(database), new Set([primary.port]));
    const [row] = await database`select current_setting('tcp_keepalives_idle') as idle`;
    assert.equal(row!.idle, "30");
    const bus = await openEventBus(database, QUICK);
    const reconnected = reconnections(bus);

    await primary.kill();
    // There are more attempts than connections in the pool. So the attempts show that the pool loses no
    // connection.
    for (let i = 0; i < 12; i++) {
      const refused = await database`select 1`.then(() => null, (error) => error as Error & { code: string });
      if (i < 4) continue; // the first queries report that their open connections broke
      assert.equal(refused?.code, "CONNECTION_READ_ONLY");
      assert.match(refused.message, /^none of the servers takes writes \(.*: it is read-only/);
      // A connection that was being opened when the server was killed is reset, not refused.
      assert.match(refused.message, new RegExp(`${primary.address}: .*(ECONNREFUSED|ECONNRESET)`));
      assert.ok(!refused.message.includes(primary.password));
    }
    await standby.promote();
    await reconnected.next();
    assert.deepEqual(await portsOf(database), new Set([standby.port]));
    const notified = new Promise<void>((resolve) =>
      bus.subscribe(({ topic }) => topic === "schedule_changed" && resolve())
    );
    await notify(database, { topic: "schedule_changed" });
    await notified;

    // The old primary is started again, and is the first to answer.
    await primary.restart();
    const later = openDatabase(primary.url("postgres", [standby]), { max: 4 });
    assert.deepEqual(await portsOf(later), new Set([standby.port]));
    await Promise.all([bus.close(), later.end(), database.end()]);
  }));

Deno.test("connections to a server that became read-only are replaced by connections to the writable one", () =>
  ignoringLostConnections(async () => {
    await using primary = await PostgresqlServer.open();
    await using standby = await PostgresqlServer.open({ standbyOf: primary });
    const database = openDatabase(primary.url("postgres", [standby]), { max: 4 });
    const bus = await openEventBus(database, QUICK);
    const reconnected = reconnections(bus);
    assert.deepEqual(await portsOf(database), new Set([primary.port]));
    await primary.sql("postgres", "alter system set default_transaction_read_only = on");
    await primary.sql("postgres", "select pg_reload_conf()");
    await standby.promote();
    await reconnected.next();
    await until(() => canWrite(database));
    assert.deepEqual(await portsOf(database), new Set([standby.port]));
    await Promise.all([bus.close(), database.end()]);
  }));

Deno.test("a silent server is detected: its queries are rejected and its connections replaced", () =>
  ignoringLostConnections(async () => {
    await using server = await PostgresqlServer.open();
    await using relay = new FreezingRelay(server.port);
    const url = new URL(server.url("postgres"));
    url.port = String(relay.port);
    const database = openDatabase(url.href, { max: 2, connect_timeout: 1 });
    const bus = await openEventBus(database, QUICK);
    const reconnected = reconnections(bus);
    let refusal: string | null = null;
    void database`select pg_sleep(600)`.catch((error) => refusal = error.code);
    const sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    await until(async () => await server.sql("postgres", sleeping) === "1\n");
    relay.freeze();
    await until(() => refusal === "CONNECTION_CLOSED");
    relay.thaw();
    await reconnected.next();
    assert.equal((await database`select 1 as one`)[0]!.one, 1);
    await Promise.all([bus.close(), database.end({ timeout: 1 })]);
  }));

Deno.test("connections to a slow server are kept", () =>
  ignoringLostConnections(async () => {
    await using server = await PostgresqlServer.open();
    const database = openDatabase(server.url("postgres"), { max: 2 });
    const bus = await openEventBus(database, QUICK);
    const [row] = await database`select pg_sleep(1.5), 1 as one`;
    assert.equal(row!.one, 1);
    await systemClock.sleep(0);
    await Promise.all([bus.close(), database.end()]);
  }));

for (const tls of [false, true]) {
  const way = tls ? ", over TLS" : "";
  Deno.test(`connections that break during queries can be replaced${way}`, () =>
    ignoringLostConnections(async () => {
      await using server = await PostgresqlServer.open();
      if (tls) await turnTlsOn(server);
      const url = `${server.url("postgres")}?sslmode=${tls ? "require" : "disable"}`;
      const database = openDatabase(url, { max: 4, connect_timeout: 1 });
      const stopped = new AbortController();
      const refusals = new Set<string>();
      const callers = Promise.all(Array.from({ length: 40 }, async () => {
        while (!stopped.signal.aborted) {
          await database`select 1`.catch(({ code }) => refusals.add(code));
          await systemClock.sleep(0);
        }
      }));
      for (let round = 0; round < 30; round++) {
        await server.sql(
          "postgres",
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rearguard'",
        );
      }
      await systemClock.sleep(1500); // longer than the pool takes to give up a connection
      stopped.abort();
      await callers;
      assert.ok(refusals.size > 0);
      assert.equal(await workingConnections(database), 4);
      await database.end({ timeout: 1 });
    }));
}

Deno.test("connections are encrypted as configured, and the server's certificate is checked", () =>
  ignoringLostConnections(async () => {
    await using server = await PostgresqlServer.open();
    const plain = server.url("postgres").replace("127.0.0.1", "localhost");
    const isEncrypted = async (options: string): Promise<boolean | string> => {
      const database = openDatabase(`${plain}?${options}`, { max: 1 });
      try {
        const [row] = await database`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
        return row!.ssl;
      } catch (error) {
        return (error as Error).message;
      } finally {
        await database.end();
      }
    };
    assert.equal(await isEncrypted("sslmode=prefer"), false);
    assert.equal(await isEncrypted("sslmode=require"), "the server has no TLS");
    const authority = await turnTlsOn(server);
    assert.equal(await isEncrypted(""), false);
    assert.equal(await isEncrypted("sslmode=prefer"), true);
    assert.equal(await isEncrypted("sslmode=require"), true);
    assert.equal(await isEncrypted(`sslmode=verify-full&sslrootcert=${authority}`), true);
    assert.match(String(await isEncrypted("sslmode=verify-full")), /UnknownIssuer|unable.to|self.signed/i);
  }));
