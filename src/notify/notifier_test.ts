import assert from "node:assert/strict";
import { type TestServices, testServices } from "../../tests/support/fixtures/database.ts";
import { newStream } from "../../tests/support/fixtures/notified.ts";
import { plant } from "../../tests/support/fixtures/planted.ts";
import { HttpReceiver, type ReceivedRequest } from "../../tests/support/servers/receivers.ts";
import { until } from "../../tests/support/assertions/until.ts";
import { Messenger } from "../dispatcher/messenger.ts";
import type { NotificationEvent } from "../domain/notifications/notification.ts";
import { transaction } from "../store/database/database.ts";
import { claimDeliveries } from "../store/notifications/notification_deliveries.ts";
import { insertDeliveries } from "../store/notifications/new_deliveries.ts";
import { notify } from "../store/database/event_bus.ts";
import { RUN_FOLLOWERS } from "./channels/registry.ts";
import { Notifier } from "./notifier.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const LIMITS = { streams: 20, failing: true, types: ["webhook"], except: [], events: () => 20 };

interface Bench extends TestServices {
  receiver: HttpReceiver;
  taskId: number;
  userId: number;
  /**
   * Creates another notifier on the same database. `random` replaces the random number in the delay of
   * retries.
   */
  notifier(random?: number): Notifier;
  /** Creates a stream that sends to this path of the receiver. Returns the stream's id. */
  stream(path: string): Promise<number>;
  tell(key: string): Promise<void>;
  rows(): Promise<
    { event_key: string; state: string; attempts: number; due_at: Date; error: string | null }[]
  >;
}

async function bench(): Promise<Bench & AsyncDisposable> {
  const test = await testServices();
  const { services, database, clock } = test;
  const receiver = new HttpReceiver();
  const { caller: { userId }, taskId } = await plant(services);
  return {
    ...test,
    receiver,
    taskId,
    userId,
    notifier: (random = 0.5) => new Notifier({ ...services, smtp: null, random: () => random }),
    stream: (path) => newStream(services, { userId, taskId }, { value: `${receiver.url}${path}` }),
    tell: (key) =>
      transaction(database, async (sql) => {
        const event: NotificationEvent = {
          event: "backup.failed",
          occurred_at: "2026-01-05T12:00:00Z",
          timezone: "UTC",
          task: { id: taskId, label: key, type: "files" },
          server: null,
          run: null,
          backup: null,
          reason: null,
        };
        const followers = { types: RUN_FOLLOWERS, isFor: false };
        await insertDeliveries(
          sql,
          { recipients: { taskId }, classes: ["failure"], followers, key, event },
          clock.now(),
        );
        await notify(sql, { topic: "notification_due" });
      }),
    rows: () =>
      database`select event_key, state, attempts, due_at, error from notification_deliveries order by id`,
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

const taskLabels = ({ body }: ReceivedRequest): string =>
  // deno-lint-ignore no-explicit-any
  (body.events ?? [body]).map(({ task }: any) => task.label).join("+");

Deno.test("a failed message is retried as the same message, with growing delays, and its state is shown", async () => {
  await using at = await bench();
  const { receiver, clock, database } = at;
  const id = await at.stream("/s3cret");
  const last = async () => {
    const [row] =
      await database`select last_delivery_at as at, last_delivery_error as error from notification_streams`;
    return { ...row };
  };
  await at.tell("one");
  const notifier = at.notifier();
  assert.deepEqual(await notifier.nextDue(), clock.now());
  receiver.answer = () => new Response(null, { status: 500 });
  assert.equal(await notifier.deliverDue(), 1);
  assert.deepEqual(await last(), { at: clock.now(), error: "It answered 500." });
  // Half of the delay before a retry is fixed, and half is random.
  const wait = async () => (await notifier.nextDue())!.getTime() - clock.now().getTime();
  assert.equal(await wait(), 22_500);
  await clock.advance(22_499);
  assert.equal(await notifier.deliverDue(), 0);
  await clock.advance(1);
  assert.equal(await notifier.deliverDue(), 1);
  assert.equal(await wait(), 45_000);
  await clock.advance(45_000);
  receiver.answer = () => new Response();
  assert.equal(await notifier.deliverDue(), 1);
  assert.deepEqual(await last(), { at: clock.now(), error: null });
  assert.equal(await notifier.nextDue(), null);
  assert.equal(new Set(receiver.received.map(({ body }) => body.id)).size, 1);
  assert.equal(receiver.received[0]!.headers.get("idempotency-key"), receiver.received[0]!.body.id);
  assert.equal(receiver.received.length, 3);
  assert.ok(id > 0);
});

Deno.test("a message is tried for more than a day, then given up and shown as such", async () => {
  await using at = await bench();
  const { receiver, clock, database } = at;
  await at.stream("/hook");
  await at.tell("one");
  receiver.answer = () => new Response(null, { status: 404 });
  const notifier = at.notifier();
  const start = clock.now().getTime();
  // A message is given up 26 hours after its first attempt, however old the message is. So a message that
  // waited while the control plane was down for days is still sent.
  await clock.advance(50 * HOUR);
  let lastTry = 0;
  for (let tries = 0; await notifier.nextDue() !== null; tries++) {
    assert.ok(tries < 40, "it is never given up");
    await clock.set(new Date(Math.max((await notifier.nextDue())!.getTime(), clock.now().getTime())));
    assert.equal(await notifier.deliverDue(), 1);
    lastTry = clock.now().getTime();
  }
  const hours = (lastTry - start) / HOUR - 50;
  assert.ok(hours >= 24 && hours < 30, `${hours} h`);
  const [row] = await at.rows();
  const tries = receiver.received.length;
  assert.ok(tries >= 15 && tries <= 30, `${tries} tries`);
  const error =
    `Given up after ${tries} tries. It answered 404: check the stream's value, it may have been revoked.`;
  assert.deepEqual([row!.state, row!.error], ["given_up", error]);
  const [stream] = await database`select last_delivery_error from notification_streams`;
  assert.equal(stream!.last_delivery_error, error);
});

Deno.test("a receiver's Retry-After delays all messages of its stream", async () => {
  await using at = await bench();
  const { receiver, clock } = at;
  await at.stream("/hook");
  for (const key of ["one", "two"]) await at.tell(key);
  receiver.answer = () => new Response(null, { status: 429, headers: { "Retry-After": "600" } });
  const notifier = at.notifier();
  while (await notifier.deliverDue() > 0);
  assert.equal(receiver.received.length, 1);
  await clock.advance(599_999);
  assert.equal(await notifier.deliverDue(), 0);
  await clock.advance(1);
  receiver.answer = () => new Response();
  while (await notifier.deliverDue() > 0);
  assert.deepEqual(receiver.received.map(taskLabels), ["one+two", "one+two"]);
  assert.equal(receiver.received[0]!.body.id, receiver.received[1]!.body.id);
});

Deno.test("a stop aborts the message in progress, and the next start sends it", async () => {
  await using at = await bench();
  const { receiver, clock, services } = at;
  await at.stream("/hook");
  const answer = Promise.withResolvers<Response>();
  receiver.answer = () => answer.promise;
  const messenger = new Messenger(services, at.notifier());
  messenger.start();
  // The test clock does not move, so only the `notify` of the transaction in `tell` can wake the messenger.
  await at.tell("one");
  await until(() => receiver.received.length === 1);
  await messenger.stop();
  answer.resolve(new Response());
  assert.deepEqual((await at.rows()).map(({ state, attempts }) => [state, attempts]), [["waiting", 0]]);
  receiver.answer = () => new Response();
  const next = new Messenger(services, at.notifier());
  next.start();
  await until(async () => (await at.rows())[0]!.state === "sent");
  await next.stop();
  await clock.advance(60_000);
  assert.equal(receiver.received.length, 2);
  // A notifier that was killed holds its message until the lease ends.
  await at.tell("two");
  const lease = new Date(clock.now().getTime() + 120_000);
  assert.equal((await claimDeliveries(at.database, clock.now(), lease, LIMITS)).length, 1);
  await at.tell("three");
  const notifier = at.notifier();
  assert.equal(await notifier.deliverDue(), 0);
  // The next message is due at the end of the lease. If it were due now, the messenger's loop would spin.
  assert.deepEqual(await notifier.nextDue(), lease);
  await clock.advance(120_000);
  while (await notifier.deliverDue() > 0);
  await clock.advance(60_000);
  while (await notifier.deliverDue() > 0);
  assert.deepEqual(receiver.received.map(taskLabels), ["one", "one", "two", "three"]);
});

Deno.test("parallel notifiers deliver each event once, and each stream's events in order", async () => {
  await using at = await bench();
  const { clock, receiver } = at;
  const paths = ["/a", "/b", "/c"];
  for (const path of paths) await at.stream(path);
  const keys = Array.from({ length: 12 }, (_, i) => `event ${i}`);
  const notifiers = [at.notifier(), at.notifier(), at.notifier()];
  for (const key of keys) {
    await at.tell(key);
    await Promise.all(notifiers.map((notifier) => notifier.deliverDue()));
    await clock.advance(MINUTE / 4);
  }
  await clock.advance(MINUTE);
  await Promise.all(notifiers.map((notifier) => notifier.deliverDue()));
  for (const path of paths) {
    const messages = receiver.received.filter((each) => each.path === path).map(taskLabels);
    assert.deepEqual(messages.flatMap((message) => message.split("+")), keys);
  }
});

Deno.test("a failing stream does not affect others", async () => {
  await using at = await bench();
  const { clock, receiver } = at;
  await at.stream("/broken");
  await at.stream("/whole");
  receiver.answer = ({ path }) => new Response(null, { status: path === "/broken" ? 500 : 200 });
  const notifier = at.notifier();
  for (const key of ["one", "two"]) {
    await at.tell(key);
    await notifier.deliverDue();
    await clock.advance(MINUTE);
  }
  assert.deepEqual(receiver.received.filter(({ path }) => path === "/whole").map(taskLabels), ["one", "two"]);
});

Deno.test("streams that never respond do not delay the others' messages", async () => {
  await using at = await bench();
  const { receiver, services } = at;
  const silence = Promise.withResolvers<Response>();
  using _ = { [Symbol.dispose]: () => silence.resolve(new Response()) };
  receiver.answer = ({ path }) => path === "/working" ? new Response() : silence.promise;
  for (let i = 0; i < 30; i++) await at.stream(`/silent/${i}`);
  await at.stream("/working");
  const messenger = new Messenger(services, at.notifier());
  messenger.start();
  const working = () => receiver.received.filter(({ path }) => path === "/working");
  for (const [count, key] of ["one", "two", "three"].entries()) {
    await at.tell(key);
    const isSent = async () => (await at.rows()).filter(({ state }) => state === "sent").length === count + 1;
    await until(isSent, 10_000);
    assert.equal(working().length, count + 1);
    await at.clock.advance(MINUTE);
  }
  await messenger.stop();
});

Deno.test("a failing stream is tried less and less often, however many events it gets", async () => {
  await using at = await bench();
  const { clock, receiver, database } = at;
  await at.stream("/broken");
  receiver.answer = () => new Response(null, { status: 500 });
  const notifier = at.notifier(1);
  for (let minute = 0; minute < 60; minute++) {
    await at.tell(`event ${minute}`);
    await notifier.deliverDue();
    await clock.advance(MINUTE);
  }
  assert.ok(receiver.received.length <= 7, `${receiver.received.length} attempts`);
  const [stream] = await database`select failures, failing_since from notification_streams`;
  assert.equal(stream!.failures, receiver.received.length);
  assert.deepEqual(stream!.failing_since, new Date("2026-01-05T12:00:00Z"));
  receiver.received.length = 0;
  receiver.answer = () => new Response();
  // The first message repeats the message that failed. The second message combines all later events.
  await clock.advance(2 * HOUR);
  await notifier.deliverDue();
  await clock.advance(MINUTE);
  await notifier.deliverDue();
  assert.deepEqual(receiver.received.map(taskLabels).map((message) => message.split("+").length), [1, 59]);
});

Deno.test("failing streams leave capacity for working ones", async () => {
  await using at = await bench();
  const { receiver, database } = at;
  const silence = Promise.withResolvers<Response>();
  using _ = { [Symbol.dispose]: () => silence.resolve(new Response()) };
  receiver.answer = () => silence.promise;
  for (let i = 0; i < 60; i++) await at.stream(`/silent/${i}`);
  await database`update notification_streams set failures = 3`;
  await at.tell("one");
  const notifier = at.notifier();
  assert.equal(await notifier.startDue(), 10);
  assert.equal(await notifier.startDue(), 0);
  // The due messages wait for messages in flight. If `nextDue` returned their due time, which has passed, the
  // messenger's loop would spin.
  assert.equal(await notifier.nextDue(), null);
  await at.stream("/working");
  await at.tell("two");
  assert.equal(await notifier.startDue(), 1);
  await until(() => receiver.received.some(({ path }) => path === "/working"));
  await notifier.stop();
});

Deno.test("200 tasks that fail within a minute make two messages a stream that list all of them", async () => {
  for (const type of ["telegram", "pushover", "ntfy", "webhook"] as const) {
    await using at = await bench();
    const { clock, receiver } = at;
    const value = {
      telegram: `123456:${"x".repeat(35)}/-100`,
      pushover: `${"a".repeat(30)}/${"b".repeat(30)}`,
      ntfy: `${receiver.url}/topic`,
      webhook: `${receiver.url}/hook`,
    };
    await newStream(at.services, at, { type, value: value[type] });
    const addresses = { pushover: receiver.url, telegram: receiver.url };
    const notifier = new Notifier({ ...at.services, smtp: null, addresses });
    const keys = Array.from({ length: 200 }, (_, i) => `nightly backup of shop number ${i}.`);
    for (const key of keys) {
      await at.tell(key);
      await notifier.deliverDue();
    }
    const first = receiver.received.length;
    assert.equal(first, 1);
    while (await notifier.nextDue() !== null) {
      await clock.set((await notifier.nextDue())!);
      const before = receiver.received.length;
      await notifier.deliverDue();
      assert.equal(receiver.received.length, before + 1);
    }
    const text = receiver.received.map(({ body }) => body.text ?? body.message).join("\n") +
      receiver.received.map(({ body }) => body.title).join("\n");
    for (const key of keys) assert.ok(text.includes(key), `${type} does not name ${key}`);
    assert.ok(receiver.received.length <= { telegram: 7, pushover: 25, ntfy: 20, webhook: 2 }[type]);
  }
});

Deno.test("a stream value that can't be decrypted fails with that reason", async () => {
  await using at = await bench();
  await at.stream("/hook");
  await at.database`update notification_streams set value_encrypted = 'v1:00000000:AAAA'`;
  await at.tell("one");
  await at.notifier().deliverDue();
  assert.match((await at.rows())[0]!.error!, /^Cannot read a stored secret: it was sealed with key 00000000/);
});

Deno.test("a stream of a type that only a newer version knows is left to a replica of that version", async () => {
  await using at = await bench();
  const unknown = await at.stream("/unknown");
  await at.database`update notification_streams set type = 'carrier_pigeon' where id = ${unknown}`;
  await at.stream("/known");
  await at.tell("one");
  const notifier = at.notifier();
  assert.equal(await notifier.deliverDue(), 1);
  assert.deepEqual(at.receiver.received.map(({ path }) => path), ["/known"]);
  assert.equal(await notifier.nextDue(), null);
  assert.equal(await notifier.deliverDue(), 0);
  // The message to the stream of an unknown type stays unchanged, so that a newer replica can send it.
  await at.database`update notification_streams set type = 'webhook' where id = ${unknown}`;
  assert.equal(await notifier.deliverDue(), 1);
  assert.deepEqual(at.receiver.received.map(({ path }) => path), ["/known", "/unknown"]);
});

Deno.test("an event for which a service has no use does not count as a delivered message", async () => {
  await using at = await bench();
  const id = await at.stream("/api/push/t0ken");
  await at.tell("one");
  await at.database`update notification_streams set type = 'healthchecks' where id = ${id}`;
  await at.database`update notification_deliveries set event = event || '{"event": "backup.started"}'`;
  const notifier = at.notifier();
  assert.equal(await notifier.deliverDue(), 1);
  assert.deepEqual((await at.rows()).map(({ state }) => state), ["sent"]);
  const [stream] = await at.database`select last_delivery_at, next_attempt_at from notification_streams`;
  assert.deepEqual({ ...stream }, { last_delivery_at: null, next_attempt_at: null });
  assert.equal(at.receiver.received.length, 0);
});
