import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Keyring } from "../../src/secrets/keyring.ts";
import { claimAssignments } from "../../src/services/runs/dispatch.ts";
import { recordEvents } from "../../src/services/runs/run_events.ts";
import { startRun } from "../../src/services/runs/runs.ts";
import { until } from "../support/assertions/until.ts";
import { event, success } from "../support/clients/events.ts";
import { onSystemClock, testServices } from "../support/fixtures/database.ts";
import { newStream } from "../support/fixtures/notified.ts";
import { plant, sayHello } from "../support/fixtures/planted.ts";
import { HttpReceiver } from "../support/servers/receivers.ts";
import { ServerProcess } from "../support/servers/server.ts";

const KEY = "ab".repeat(32);
const DAY = 24 * 3_600_000;

Deno.test("late tasks and absent agents are reported once, and so are their ends, though every control plane is killed between", async () => {
  await using stack = new AsyncDisposableStack();
  const receiver = stack.use(new HttpReceiver());
  const { database, services: frozen, url } = stack.use(await testServices());
  const keyring = new Keyring([Buffer.from(KEY, "hex")]);
  const { services } = stack.use(onSystemClock({ ...frozen, keyring }));
  const root = await Deno.makeTempDir({ prefix: "rearguard-alerts-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));

  // The task has no next run, as if no scheduler ran. The agent of the task's server is disconnected.
  const before = new Date(Date.now() - 3 * DAY);
  const at = await plant(services, { label: "Home", promised_at: before, created_at: before });
  const asleep = await plant(services, { label: "Laptop" });
  await database`
    update remote_servers set agent_key_hash = 'hash ' || id, last_connected_at = ${before},
      class = case when id = ${asleep.serverId} then 'intermittent' else 'always_on' end,
      offline_alert_after = case when id = ${asleep.serverId} then null else 1 end`;
  for (const { caller: { userId }, taskId } of [at, asleep]) {
    await newStream(services, { userId, taskId }, { value: receiver.url, on_success: false });
  }
  const running: ServerProcess[] = [];
  const startAll = async () => {
    for (const name of ["first", "second"]) {
      const env = {
        DATABASE_URL: url,
        SECRET_KEY: KEY,
        LOCAL_AGENT: "0",
        NOTIFICATION_INTERVAL_SECONDS: "1",
      };
      running.push(stack.use(new ServerProcess({ dataDirectory: `${root}/${name}`, env })));
    }
    await Promise.all(running.map((each) => each.ready()));
  };
  const killAll = async () => {
    await Promise.all(running.splice(0).map((each) => each.stop("SIGKILL")));
  };
  const received = () =>
    // deno-lint-ignore no-explicit-any
    receiver.received.flatMap(({ body }) => (body.events ?? [body]).map(({ event }: any) => event)).sort();
  /** Resolves when a control plane has seen after the time `since` that a backup is still late. */
  const looked = (since: Date) =>
    until(async () => {
      const rows = await database`
        select from alerts where closed_at is null and kind = 'backup.late' and last_occurred_at > ${since}`;
      return rows.length > 0;
    });

  /** Resolves when `count` events are received, and the database records them as sent. */
  const sent = async (count: number) => {
    await until(() => received().length >= count);
    await until(async () =>
      (await database`select from notification_deliveries where state <> 'sent'`).length === 0
    );
  };

  await startAll();
  await sent(2);
  assert.deepEqual(received(), ["agent.gone", "backup.late"]);
  await killAll();
  const restarted = new Date();
  await startAll();
  await looked(restarted);
  await killAll();
  assert.deepEqual(received(), ["agent.gone", "backup.late"]);

  // The run ends while no control plane is running that could send messages. The run's message waits in the
  // database.
  await sayHello(services, at.serverId);
  await startRun(services, at.caller, at.taskId);
  const [run] = await claimAssignments(services, [at.serverId]);
  await recordEvents(services, [event(at.serverId, run!, 1, { kind: "accepted" })]);
  await recordEvents(services, [event(at.serverId, run!, 2, success())]);
  await startAll();
  const ends = ["agent.back", "agent.gone", "backup.late", "backup.recovered"];
  await sent(ends.length);
  await killAll();
  assert.deepEqual(received(), ends);
});
