/**
 * Serves the whole application. For comparison, can also serve a bare Hono server that sends the same queries
 * to the same database. Prints the server's port.
 *
 *     deno run -A bench/http_server.ts rearguard|bare
 */
import { createHash, randomBytes } from "node:crypto";
import { Hono } from "hono";
import { systemClock } from "../src/domain/clock.ts";
import { DEFAULT_RUN_TIMES } from "../src/domain/run.ts";
import { createApp } from "../src/http/app.ts";
import { AddressPolicy } from "../src/network/address_policy.ts";
import { Network } from "../src/network/network.ts";
import { Keyring } from "../src/secrets/keyring.ts";
import { findBackupTaskDetail, listBackupTasks } from "../src/store/tasks/backup_tasks.ts";
import { openDatabase } from "../src/store/database/database.ts";
import { Notifier } from "../src/notify/notifier.ts";
import { openContext } from "../src/services/open_context.ts";
import { openEventBus } from "../src/store/database/event_bus.ts";
import { findCaller } from "../src/store/access/tokens.ts";

const database = openDatabase(Deno.env.get("BENCH_DATABASE_URL")!);

function bare(): Hono {
  const app = new Hono();
  const caller = async (authorization: string | undefined) => {
    const hash = createHash("sha256").update(authorization?.slice("Bearer ".length) ?? "").digest("hex");
    return await findCaller(database, hash);
  };
  app.get("/api/backup-tasks", async (c) => {
    const user = await caller(c.req.header("authorization"));
    if (user === undefined) return c.json({}, 401);
    return c.json(await listBackupTasks(database, user.workspace_id, 0, 15));
  });
  app.get("/api/backup-tasks/:id", async (c) => {
    const user = await caller(c.req.header("authorization"));
    if (user === undefined) return c.json({}, 401);
    return c.json({
      data: await findBackupTaskDetail(database, user.workspace_id, Number(c.req.param("id"))),
    });
  });
  return app;
}

async function whole() {
  const bus = await openEventBus(database);
  const keyring = new Keyring([randomBytes(32)]);
  const network = new Network(AddressPolicy.publicOnly);
  const notifier = new Notifier({ database, keyring, clock: systemClock, network, smtp: null });
  const parts = {
    database,
    bus,
    keyring,
    clock: systemClock,
    notifier,
    network,
    runTimes: DEFAULT_RUN_TIMES,
  };
  return createApp({ services: openContext(parts).services, rateLimitPerMinute: 1_000_000_000 });
}

const app = Deno.args[0] === "bare" ? bare() : await whole();
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen({ port }) {
    Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
  },
}, (request) => app.fetch(request));
