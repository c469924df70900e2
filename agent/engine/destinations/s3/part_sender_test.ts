/**
 * Tests the time limits for the upload of a part on a slow link. The link is simulated; the tests in
 * put_test.ts use real connections.
 */
import assert from "node:assert/strict";
import { TestClock } from "../../../../tests/support/fixtures/clock.ts";
import { RunFailedError } from "../../ports.ts";
import { PartSender } from "./part_sender.ts";
import type { PartUrls } from "./part_urls.ts";
import type { PutConnections, PutLimits, PutOutcome } from "./put.ts";

const STORED: PutOutcome = { kind: "stored", etag: '"e"' };
const UNANSWERED: PutOutcome = { kind: "lost", reason: "no answer came", isFinal: false, isUnanswered: true };
const MINUTE = 60_000;

/**
 * Returns a sender of parts on a simulated link. The response to each part takes `answerAfter` milliseconds.
 */
function slowLink(answerAfter: number) {
  const clock = new TestClock();
  const limits: PutLimits[] = [];
  let now = 0;
  let most = 0;
  const put = async (_url: string, _part: unknown, limit: PutLimits) => {
    limits.push(limit);
    most = Math.max(most, ++now);
    await clock.sleep(Math.min(answerAfter, limit.answerMs));
    now--;
    return answerAfter <= limit.answerMs ? STORED : UNANSWERED;
  };
  const urls = { of: () => Promise.resolve({ url: "u", signedAt: 0 }), done() {}, forget() {} };
  const { signal } = new AbortController();
  const lines: string[] = [];
  const sender = new PartSender({
    description: "bucket b",
    urls: urls as unknown as PartUrls,
    connections: { put } as unknown as PutConnections,
    clock,
    signal,
    onTrouble: (text) => void lines.push(text),
  });
  const part = new Uint8Array(1);
  const work = async <T>(promise: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = () => isOver = true;
    promise.then(over, over);
    while (!isOver) await clock.advance(10_000);
    return await promise;
  };
  return {
    clock,
    limits,
    lines,
    most: () => most,
    send: (...numbers: number[]) =>
      work(Promise.all(numbers.map((number) => sender.send(number, part, "md5")))),
    reset: () => most = 0,
  };
}

Deno.test("a part that goes unanswered has twice the time at its next try, and goes alone", async () => {
  const link = slowLink(14 * MINUTE);
  assert.deepEqual(await link.send(1, 2), ['"e"', '"e"']);
  assert.deepEqual(link.limits.slice(0, 2).map(({ answerMs }) => answerMs / MINUTE), [3, 3]);
  assert.equal(Math.max(...link.limits.map(({ answerMs }) => answerMs)) / MINUTE, 24);
  link.reset();
  await link.send(3, 4);
  assert.equal(link.most(), 1);
  assert.match(link.lines[0]!, /^Part \d did not get into bucket b \(no answer came\); trying again$/);
});

Deno.test("a bucket that never answers fails the run", async () => {
  const link = slowLink(Infinity);
  await assert.rejects(link.send(1), RunFailedError);
  const minutes = link.clock.monotonic() / MINUTE;
  assert.ok(minutes > 30 && minutes < 100, `${minutes} minutes`);
});
