/** Tests what counts as progress, how a stalled run is reported, and how it is ended. */
import assert from "node:assert/strict";
import { TestClock } from "../tests/support/fixtures/clock.ts";
import { PendingCalls } from "./engine/pending_calls.ts";
import type { Destination, RunPorts } from "./engine/ports.ts";
import { RunWatch } from "./run_watch.ts";

const SECOND = 1000;
const WATCH = { stall_warning_ms: 60 * SECOND, stall_timeout_ms: 600 * SECOND };
const STATS = {
  bytes_read: 0,
  bytes_written: 0,
  files_count: null,
  bytes_per_second: 0,
  eta_seconds: null,
};

function startWatch(watch: typeof WATCH | undefined = WATCH) {
  const clock = new TestClock();
  const pending = new PendingCalls(clock);
  const abort = new AbortController();
  const lines: string[] = [];
  const reports: { stalled_ms?: number; waits_for?: string | null }[] = [];
  const job = { kind: "backup", source: { type: "files" }, watch } as never;
  const runWatch = new RunWatch({
    job,
    clock,
    pending,
    abort,
    report: (stats) => reports.push(stats),
    line: (text) => lines.push(text),
  });
  const over = new AbortController();
  const running = runWatch.run({ signal: abort.signal, clock } as unknown as RunPorts, over.signal);
  return {
    watch: runWatch,
    pending,
    abort,
    lines,
    reports,
    output: runWatch.output({ line: () => {}, warning: () => {} }),
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        await clock.advance(SECOND);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await running;
    },
  };
}

Deno.test("bytes, files and lines count as progress; repeated numbers and waiting lines do not", async () => {
  for (
    const [name, moves, act] of [
      ["bytes read", true, (at, i) => at.watch.progress({ ...STATS, bytes_read: i })],
      ["bytes written", true, (at, i) => at.watch.progress({ ...STATS, bytes_written: i })],
      ["files", true, (at, i) => at.watch.progress({ ...STATS, files_count: i })],
      ["a line", true, (at) => at.output.line("Stored it")],
      ["a warning", true, (at) => at.output.warning("It changed")],
      ["the same numbers", false, (at) => at.watch.progress(STATS)],
      ["a line of progress", false, (at) => at.output.line("Progress: 0 B read")],
      ["a line of waiting", false, (at) => at.output.line("Waiting: no answer")],
    ] as [string, boolean, (at: ReturnType<typeof startWatch>, i: number) => void][]
  ) {
    await using at = startWatch();
    for (let i = 0; i < 70; i++) {
      act(at, i);
      await at.pass(1);
    }
    assert.equal(at.lines.length, moves ? 0 : 1, name);
  }
});

Deno.test("a stalled run is reported as waiting for an unanswered destination call until it progresses again", async () => {
  await using at = startWatch();
  const answer = Promise.withResolvers<void>();
  const writer = {
    write: () => answer.promise,
    commit: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  };
  const silent = { description: "SFTP", create: () => Promise.resolve(writer) } as unknown as Destination;
  const destination = at.pending.watch(silent);
  assert.equal(destination.description, "SFTP");
  const object = await destination.create("a", null);
  const writing = object.write(new Uint8Array(1));
  await at.pass(75);
  const expected =
    /^It has made no progress for 1 min \d+ s\. It waits for the destination to take bytes of an object, for 1 min \d+ s\.$/;
  assert.match(at.lines.join("\n"), expected);
  const last = at.reports.at(-1)!;
  assert.ok(last.stalled_ms! >= 60_000);
  assert.match(last.waits_for!, /^It waits for the destination to take bytes/);
  answer.resolve();
  await writing;
  assert.equal(at.pending.oldest(), null);
  at.output.line("Stored it");
  at.watch.progress(STATS);
  assert.deepEqual([at.reports.at(-1)!.stalled_ms, at.reports.at(-1)!.waits_for], [0, null]);
});

Deno.test("a run without progress fails at its limit with the reason", async () => {
  await using at = startWatch();
  await at.pass(595);
  assert.equal(at.abort.signal.aborted, false);
  await at.pass(15);
  assert.deepEqual(
    [
      at.abort.signal.reason.outcome,
      /^Cannot go on: there was no progress for 10 min \d+ s\. It waits for/.test(
        at.abort.signal.reason.message,
      ),
    ],
    ["failed", true],
  );
});

Deno.test("a run whose numbers don't change is still reported; a job without limits is not watched", async () => {
  await using at = startWatch();
  for (let i = 0; i < 100; i++) {
    at.output.line("Preparing");
    await at.pass(1);
  }
  assert.ok(at.reports.length >= 2 && at.reports.every(({ stalled_ms }) => stalled_ms! <= 10_000));
  await using none = startWatch(undefined);
  none.pending.oldest();
});
