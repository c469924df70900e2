import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { HttpReceiver } from "../../../tests/support/servers/receivers.ts";
import { RELEASE } from "../../domain/release.ts";
import type { Network } from "../../network/network.ts";
import { watchUpdates } from "./update_watch.ts";

const HOUR = 3_600_000;
const NOTES = "https://example.com/notes";

const release = (version: string) => Response.json({ version, url: NOTES, more: [] });

/**
 * Creates two administrators and a user, each with a stream that chooses the event `update.available`. Starts
 * a server that serves the document about the newest version.
 */
async function stage() {
  const parts = new AsyncDisposableStack();
  const receiver = parts.use(new HttpReceiver());
  const test = parts.use(await testServices());
  const { clock, database, services } = test;
  for (const isAdmin of [true, true, false]) {
    const { caller: { userId } } = await plant(services);
    await newStream(services, { userId, taskId: null }, { events: { update_available: true } });
    await newStream(services, { userId, taskId: null });
    await database`update users set is_admin = ${isAdmin} where id = ${userId}`;
  }
  const url = `${receiver.url}/newest.json?key=secret`;
  return {
    ...test,
    receiver,
    url,
    /**
     * Advances the clock by a day, then checks for updates. The server responds with `answer`. Returns the
     * reason in each notification event that the check caused.
     */
    async check(answer: HttpReceiver["answer"]): Promise<string[]> {
      receiver.answer = answer;
      await clock.advance(24 * HOUR);
      await watchUpdates(services, url, 500);
      const rows = await database<{ reason: string }[]>`
        delete from notification_deliveries
        where event->>'event' = 'update.available' and event->'server' = 'null'
        returning event->>'reason' as reason`;
      return rows.map(({ reason }) => reason);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

Deno.test("administrators learn of each newer version once, by the streams that choose it", async () => {
  await using test = await stage();
  const { check, database } = test;
  const news = (version: string) =>
    Array(2).fill(
      `Version ${version} is available; this control plane has ${RELEASE}. What is new: ${NOTES}`,
    );
  assert.deepEqual(await check(() => release(RELEASE)), []);
  assert.deepEqual(await check(() => release("0.0.9")), []);
  assert.deepEqual(await check(() => release("v99.0.0")), news("99.0.0"));
  for (let day = 0; day < 3; day++) assert.deepEqual(await check(() => release("99.0.0")), []);
  assert.deepEqual(await check(() => release("99.1.0")), news("99.1.0"));
  // If the document names a reported version again, the version is not reported again.
  assert.deepEqual(await check(() => release("99.0.0")), []);
  // After an upgrade, an alert ends if its version is not newer than the running version.
  await database`update alerts set subject = replace(subject, '99.0.0', ${RELEASE})`;
  assert.deepEqual(await check(() => release("99.1.0")), []);
  const open = await database<{ subject: string }[]>`select subject from alerts where closed_at is null`;
  assert.deepEqual(open.map(({ subject }) => subject.split(" ").at(-1)), ["99.1.0", "99.1.0"]);
});

Deno.test("all control planes together read the document once a day, and without a URL never", async () => {
  await using test = await stage();
  const { check, clock, receiver, services, url } = test;
  await check(() => release(RELEASE));
  assert.equal(receiver.received.length, 1);
  assert.equal(receiver.received[0]!.headers.get("user-agent"), `Rearguard/${RELEASE}`);
  await clock.advance(23 * HOUR);
  await watchUpdates(services, url);
  assert.equal(receiver.received.length, 1);
  await clock.advance(HOUR);
  await Promise.all(Array.from({ length: 8 }, () => watchUpdates(services, url)));
  assert.equal(receiver.received.length, 2);
  await clock.advance(48 * HOUR);
  await watchUpdates(services, null);
  assert.equal(receiver.received.length, 2);
});

Deno.test("redirects are followed, but not without end, and not to addresses that are refused", async () => {
  await using test = await stage();
  const { check, receiver } = test;
  const to = (location: string) => new Response(null, { status: 302, headers: { location } });
  const messages = await check(({ path }) => path === "/there" ? release("99.0.0") : to("/there"));
  assert.equal(messages.length, 2);
  receiver.received.length = 0;
  assert.deepEqual(await check(() => to("/again")), []);
  assert.equal(receiver.received.length, 5);
  for (const location of ["http://169.254.169.254/latest", "ftp://example.com/", "http://["]) {
    assert.deepEqual(await check(() => to(location)), [], location);
  }
  const requested: string[] = [];
  const network = {
    fetch(address: string) {
      requested.push(address);
      return Promise.resolve(address.startsWith("https:") ? to(test.url) : release("99.9.9"));
    },
  } as unknown as Network;
  await test.clock.advance(24 * HOUR);
  await watchUpdates({ ...test.services, network }, "https://example.com/newest.json");
  assert.deepEqual(requested, ["https://example.com/newest.json"]);
});

Deno.test("an answer that can't be used raises no alert, and logs one line without the URL", async () => {
  await using test = await stage();
  const { check } = test;
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { kept: (record) => void records.push(record) },
    loggers: [
      { category: ["rearguard", "updates"], lowestLevel: "info", sinks: ["kept"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    const json = (body: unknown) => () => Response.json(body);
    const endless = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4096)) }));
    const stalled = () => new Response(new ReadableStream({ start: (it) => it.enqueue(new Uint8Array(1)) }));
    const { promise: silence, resolve: end } = Promise.withResolvers<Response>();
    const cases: [RegExp, HttpReceiver["answer"]][] = [
      [/names version 0\.0\.9/, () => release("0.0.9")],
      [/is not JSON/, () => new Response("<html>key=secret")],
      [/no version/, json(null)],
      [/no version/, json([])],
      [/no version/, json({ version: 99, url: NOTES })],
      [/no version/, json({ version: "99", url: NOTES })],
      [/no version/, json({ version: "99.0.0\nx", url: NOTES })],
      [/no https url/, json({ version: "99.0.0" })],
      [/no https url/, json({ version: "99.0.0", url: "http://example.com" })],
      [/no https url/, json({ version: "99.0.0", url: `${NOTES}/${"a".repeat(500)}` })],
      [/exceeds 16384 bytes/, endless],
      [/answered 404/, () => new Response(null, { status: 404 })],
      [/did not answer within 0\.5 s/, stalled],
      [/did not answer within 0\.5 s/, () => silence],
    ];
    for (const [line, answer] of cases) {
      assert.deepEqual(await check(answer), []);
      const [record, ...more] = records.splice(0);
      assert.deepEqual(more, []);
      const text = record!.message.join("");
      assert.match(text, line);
      assert.doesNotMatch(text, /secret|newest/);
    }
    end(new Response());
  } finally {
    await reset();
  }
});
