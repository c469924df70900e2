import assert from "node:assert/strict";
import { TestClock } from "../tests/support/fixtures/clock.ts";
import { RunOutput } from "./run_output.ts";

function collectEvents() {
  const clock = new TestClock("2026-01-05T12:00:00Z");
  const events: string[] = [];
  return { clock, events, output: new RunOutput(clock, (text) => events.push(text)) };
}

Deno.test("the first line is emitted at once and the following lines in one batch", async () => {
  const { clock, events, output } = collectEvents();
  output.line("one");
  assert.deepEqual(events, ["2026-01-05T12:00:00.000Z one\n"]);
  output.line("two");
  output.line("three");
  assert.equal(events.length, 1);
  await clock.advance(100);
  assert.deepEqual(events.slice(1), ["2026-01-05T12:00:00.000Z two\n2026-01-05T12:00:00.000Z three\n"]);
  output.close();
});

Deno.test("control characters are escaped, so that a line stays one line", () => {
  const { events, output } = collectEvents();
  output.line("a\nb\r\u001b[31m\u2028ü");
  assert.equal(events[0], "2026-01-05T12:00:00.000Z a\\nb\\x0d\\x1b[31m\\x2028ü\n");
  output.close();
});

Deno.test("warnings are counted", () => {
  const { events, output } = collectEvents();
  output.warning("x");
  output.close();
  assert.equal(output.warningsCount, 1);
  assert.match(events[0]!, /Warning: x\n$/);
});

Deno.test("warnings are also reported apart, none of them lost to the rate limit, up to 4 million characters", async () => {
  const clock = new TestClock("2026-01-05T12:00:00Z");
  const reported: string[][] = [];
  const output = new RunOutput(clock, (_text, warnings) => void (warnings && reported.push(warnings)));
  output.warning("line\nbreak");
  assert.deepEqual(reported, [["line\\nbreak"]]);
  for (let i = 0; i < 50_000; i++) output.warning(`${i}`.padEnd(100));
  await clock.advance(100);
  output.close();
  const all = reported.flat();
  assert.equal(all.length, 1 + Math.floor((4 * 1024 * 1024 - 11) / 100));
  assert.equal(all.at(-1), `${all.length - 2}`.padEnd(100));
  assert.ok(reported.every((warnings) => warnings.join("").length <= 64 * 1024));
  assert.equal(output.warningsCount, 50_001);
});

Deno.test("a gigabyte of lines is cut to its first and last lines and reports how many were dropped", async () => {
  const { clock, events, output } = collectEvents();
  const count = 1_000_000;
  for (let i = 0; i < count; i++) {
    output.line(`${i} ${"x".repeat(1000)}`);
    if (i % 100_000 === 0) await clock.advance(100);
  }
  output.close();
  const size = events.reduce((sum, text) => sum + text.length, 0);
  assert.ok(size < 5_000_000, `${size}`);
  assert.ok(events.every((text) => text.length <= 64 * 1024 && text.endsWith("\n")));
  const lines = events.join("").trimEnd().split("\n");
  assert.match(lines[0]!, /Z 0 x/);
  assert.match(lines.at(-1)!, new RegExp(`Z ${count - 1} x`));
  let missing = 0;
  let seen = 0;
  for (const line of lines) {
    const left = /\[(\d+) lines \(\d+ characters\) were left out here\]$/.exec(line);
    if (left === null) seen++;
    else missing += Number(left[1]);
  }
  assert.equal(seen + missing, count);
});

Deno.test("lines over the rate limit are emitted later, at that rate", async () => {
  const { clock, events, output } = collectEvents();
  const size = () => events.reduce((sum, text) => sum + text.length, 0);
  for (let i = 0; i < 3000; i++) output.line("y".repeat(1000));
  await clock.advance(100);
  const first = size();
  assert.ok(first > 2_000_000 && first < 2_200_000, `${first}`);
  for (let i = 0; i < 10; i++) await clock.advance(100);
  const second = size() - first;
  assert.ok(second > 200_000 && second < 350_000, `${second}`);
  output.close();
  assert.ok(size() > 3_000_000 || events.join("").includes("were left out here"));
});
