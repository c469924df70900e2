import assert from "node:assert/strict";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { LineCount } from "../programs/line_count.ts";
import type { RunPorts } from "../ports.ts";
import { formatBytes } from "../../../src/domain/byte_size.ts";
import { formatSeconds, Progress } from "./progress.ts";

type ProgressStats = Parameters<RunPorts["progress"]>[0];

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, "it took too long");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function fixture(last: { bytes_read: number; size: number } | null) {
  const clock = new TestClock();
  const reports: ProgressStats[] = [];
  const lines: string[] = [];
  const ports = {
    clock,
    progress: (newest: ProgressStats) => reports.push(newest),
    output: { line: (text: string) => lines.push(text), warning: () => {} },
  } as unknown as RunPorts;
  const progress = new Progress(ports, last);
  const over = new AbortController();
  const reporting = progress.report(over.signal);
  const reader = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  const input = reader.stdin.getWriter();
  const path = await Deno.makeTempFile();
  const index = new LineCount(path, 1);
  return {
    progress,
    reports,
    lines,
    path,
    reading: { pid: reader.pid, index },
    read: (bytes: number) => input.write(new Uint8Array(bytes)),
    /** Advances the clock by one second and waits for the next report. */
    second: async () => {
      await until(() => clock.sleeping > 0);
      const before = reports.length;
      await clock.advance(1000);
      await until(() => reports.length > before);
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await reporting;
      await index[Symbol.asyncDispose]();
      await input.close();
      await reader.status;
      await Deno.remove(path);
    },
  };
}

Deno.test("each second reports the bytes read and written, the rate, and the remaining time", async () => {
  await using at = await fixture({ bytes_read: 5_000_000, size: 1 });
  at.progress.begin(at.reading);
  await at.read(1_000_000);
  at.progress.bytesWritten = 300_000;
  await Deno.writeTextFile(at.path, "./\nfirst\nsecond\n");
  await at.second();
  const [first] = at.reports;
  // The kernel's count `rchar` includes what the program reads to start, such as its libraries. So the number
  // is not exact.
  assert.ok(first!.bytes_read >= 900_000 && first!.bytes_read < 1_100_000, String(first!.bytes_read));
  assert.equal(first!.bytes_written, 300_000);
  assert.equal(first!.files_count, 2);
  assert.equal(first!.bytes_per_second, first!.bytes_read);
  assert.ok(first!.eta_seconds! >= 3 && first!.eta_seconds! <= 5);
  assert.match(at.lines[0]!, /^Progress: .* read, 300\.0 kB written, 2 files, .*\/s, about \d s left$/);
  await at.second();
  assert.ok(at.reports[1]!.bytes_per_second < first!.bytes_per_second);
});

Deno.test("a completed part counts exactly, and no remaining time is estimated beyond the last run's size", async () => {
  await using at = await fixture({ bytes_read: 1000, size: 1 });
  at.progress.begin(at.reading);
  at.progress.finish(123_456);
  assert.equal(at.progress.bytesRead, 123_456);
  at.progress.begin({ ...at.reading, index: null });
  await at.second();
  assert.ok(at.reports[0]!.bytes_read >= 123_456);
  assert.equal(at.reports[0]!.eta_seconds, null);
  assert.equal(at.reports[0]!.files_count, null);
});

Deno.test("after a minute only every tenth report writes a line", async () => {
  await using at = await fixture(null);
  at.progress.begin(at.reading);
  for (let second = 0; second < 100; second++) await at.second();
  assert.equal(at.reports.length, 100);
  assert.equal(at.lines.length, 59 + 5);
});

Deno.test("bytes and seconds are formatted with units", () => {
  assert.deepEqual([0, 999, 1000, 1_250_000, 4e9, 1e18].map(formatBytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "1.3 MB",
    "4.0 GB",
    "1000.0 PB",
  ]);
  assert.deepEqual([5, 65, 3725].map(formatSeconds), ["5 s", "1 min 5 s", "1 h 2 min"]);
});
