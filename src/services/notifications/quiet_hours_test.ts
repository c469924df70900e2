import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream, type StreamFields } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { HttpReceiver } from "../../../tests/support/servers/receivers.ts";
import type { ClassedEvent } from "../../domain/notifications/event_classes.ts";
import { Notifier } from "../../notify/notifier.ts";
import { writeDeliveries } from "./alerts.ts";
import { updateNotificationStream } from "./notification_streams.ts";

const MINUTE = 60_000;

/**
 * Creates a task, and a stream that is quiet from 13:00 to 15:00 UTC. The clock shows 12:00 UTC on a Monday.
 */
async function setUp(quiet: Record<string, unknown> = {}, fields: StreamFields = {}) {
  const test = await testServices();
  const { clock, database, services } = test;
  const receiver = new HttpReceiver();
  const { caller, serverId, taskId } = await plant(services);
  const { userId, workspaceId } = caller;
  const id = await newStream(services, { userId, taskId }, { value: receiver.url, ...fields });
  const hours = { quiet_from: "13:00", quiet_to: "15:00", ...quiet };
  await database`update notification_streams set ${database(hours)} where id = ${id}`;
  let messages = 0;
  let taken = 0;
  return {
    ...test,
    caller,
    id,
    pass: (minutes: number) => clock.advance(minutes * MINUTE),
    tell: (name: ClassedEvent, isForFollowers = false) =>
      writeDeliveries(services, database, {
        ...{ name, userId, workspaceId, taskId, serverId, backupId: null, run: null },
        reason: null,
        isForFollowers,
        key: `message ${++messages}`,
      }),
    /** Returns the events of each message that a new notifier sends. */
    sent: async () => {
      await new Notifier({ ...services, smtp: null }).deliverDue();
      const bodies = receiver.received.slice(taken).map(({ body }) => body);
      taken = receiver.received.length;
      // deno-lint-ignore no-explicit-any
      return bodies.map((body) => (body?.events ?? [body]).map(({ event }: any) => event).join("+"));
    },
    next: () => new Notifier({ ...services, smtp: null }).nextDue(),
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

Deno.test("messages of quiet hours are kept over restarts, and sent as one message at their end", async () => {
  await using test = await setUp();
  await test.tell("backup.late");
  assert.deepEqual(await test.sent(), ["backup.late"]);
  await test.pass(70);
  for (const name of ["backup.failed", "agent.gone", "agent.back"] as const) {
    await test.tell(name);
    await test.pass(30);
    assert.deepEqual(await test.sent(), []);
  }
  assert.equal((await test.next())?.toISOString(), "2026-01-05T15:00:00.000Z");
  await test.pass(20);
  assert.deepEqual(await test.sent(), ["backup.failed+agent.gone+agent.back"]);
  assert.deepEqual(await test.sent(), []);
});

Deno.test("excepted classes are sent at once, other messages still wait", async () => {
  await using test = await setUp({ quiet_except: ["damaged", "late"] });
  await test.pass(70);
  await test.tell("backup.failed");
  await test.tell("backup.damaged");
  assert.deepEqual(await test.sent(), ["backup.damaged"]);
  await test.pass(110);
  assert.deepEqual(await test.sent(), ["backup.failed"]);
});

Deno.test("other days are not quiet", async () => {
  await using test = await setUp({ quiet_days: [0, 6] });
  await test.pass(70);
  await test.tell("backup.failed");
  assert.deepEqual(await test.sent(), ["backup.failed"]);
});

Deno.test("a change of the quiet hours applies to the messages that wait", async () => {
  await using test = await setUp();
  await test.pass(70);
  await test.tell("backup.failed");
  await test.tell("backup.late");
  const { database, services } = test;
  const [{ value }] = await database<[{ value: string }]>`
    select value_encrypted as value from notification_streams`;
  const setValue = (sealed: string) => database`update notification_streams set value_encrypted = ${sealed}`;
  const change = async (fields: Parameters<typeof updateNotificationStream>[3]) => {
    // `updateNotificationStream` requires an https address, but the test's receiver has an http address.
    await setValue(services.keyring.encrypt("https://example.test/hook"));
    await updateNotificationStream(services, test.caller, test.id, fields);
    await setValue(value);
  };
  await change({ quiet_to: "17:00" });
  await test.pass(120);
  assert.deepEqual(await test.sent(), []);
  await change({ quiet_except: ["late"] });
  assert.deepEqual(await test.sent(), ["backup.late"]);
  await test.pass(1);
  await change({ label: "Renamed" });
  assert.deepEqual(await test.sent(), []);
  await change({ quiet_from: null, quiet_to: null });
  await test.pass(1);
  assert.deepEqual(await test.sent(), ["backup.failed"]);
});

Deno.test("a dead man's switch gets its pings in quiet hours too", async () => {
  await using test = await setUp({}, { type: "healthchecks" });
  await test.pass(70);
  await test.tell("backup.failed", true);
  assert.equal((await test.sent()).length, 1);
});
