import assert from "node:assert/strict";
import { Report } from "./report.ts";
import { parseResult, parseSummary } from "./results.ts";

const CLEAR = "\r\x1b[K";
const LINES = `./src/a_test.ts => quick ... ok (3ms)
./src/a_test.ts => with steps ... first step ... ok (59s)
./src/a_test.ts => with steps ... ok (1m2s)
------- output -------
a line of its own
./src/b_test.ts => wrong ... FAILED (due to 1 failed step) (2s)
./src/b_test.ts => left out ... ignored (0ms)

FAILED | 2 passed (1 step) | 1 failed (1 step) | 1 ignored (1m5s)
`;

function reportOf(columns: number | null): { report: Report; written: () => string } {
  let written = "";
  const output = { write: (text: string) => void (written += text), columns: () => columns };
  const report = new Report(output, 7);
  // A piece of the output might end in the middle of a line.
  for (let at = 0; at < LINES.length; at += 50) report.add(LINES.slice(at, at + 50));
  report.end();
  return { report, written: () => written };
}

const SLOWEST = `The slowest tests:
   62.0 s  src/a_test.ts => with steps
    2.0 s  src/b_test.ts => wrong
`;

Deno.test("without a terminal all output is forwarded, and the slowest tests follow", () => {
  const { report, written } = reportOf(null);
  assert.equal(written(), `${LINES}${SLOWEST}`);
  assert.deepEqual(report.summary, { passed: 2, failed: 1, ignored: 1 });
});

Deno.test("a terminal shows one line of progress, and of the tests those that did not pass", () => {
  const { written } = reportOf(80);
  // A terminal shows only a part of each line: the text after the last code that clears the line.
  const shown = written().split("\n").map((line) => line.split(CLEAR).at(-1)).join("\n");
  const others = LINES.split("\n").filter((line) => !/ ok \(/.test(line)).join("\n");
  assert.equal(shown, `${others}${SLOWEST}`);
  assert.ok(written().includes(`${CLEAR}0:00  2 of 7 files, 2 passed, 1 failed, 1 skipped${CLEAR}`));
});

Deno.test("a line of progress is never wider than the terminal", () => {
  const lines = reportOf(20).written().split("\n").flatMap((line) => line.split(CLEAR))
    .filter((line) => line.startsWith("0:"));
  assert.deepEqual(lines.filter((line) => line.length >= 20), []);
});

Deno.test("durations and counts are read as Deno writes them", () => {
  const durations = { "489µs": 0.489, "7ms": 7, "1m2s": 62_000, "1h1m": 3_660_000 };
  for (const [text, milliseconds] of Object.entries(durations)) {
    assert.equal(parseResult(`./a_test.ts => b ... ok (${text})`)?.milliseconds, milliseconds);
  }
  assert.equal(parseResult("a line => with an arrow ... ok (1s)"), null);
  assert.deepEqual(parseSummary("ok | 3 passed (2 steps) | 0 failed (1s)"), {
    passed: 3,
    failed: 0,
    ignored: 0,
  });
  assert.equal(parseSummary("3 passed"), null);
});
