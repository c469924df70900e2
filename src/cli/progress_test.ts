import assert from "node:assert/strict";
import { humanSize, progressLine, transferLine } from "./progress.ts";

Deno.test("a bar is drawn once the total is known", () => {
  const progress = {
    bytes_read: 3e6,
    bytes_written: 1e6,
    files_count: 12,
    bytes_per_second: null,
    eta_seconds: null,
  };
  assert.equal(progressLine(progress), "3.00 MB read, 1.00 MB written, 12 files");
  // A restore writes nothing to a destination.
  assert.equal(progressLine({ ...progress, bytes_written: 0, files_count: null }), "3.00 MB read");
  assert.equal(
    progressLine({ ...progress, bytes_per_second: 1e6, eta_seconds: 9 }),
    "[======>                 ]  25%  3.00 MB read, 1.00 MB written, 12 files, 1.00 MB/s, 9 s left",
  );
});

Deno.test("a transfer is at 100% at its end, even an empty one, and never above", () => {
  const full = "[========================] 100%";
  assert.equal(transferLine(5, 5, null), `${full}  5 B of 5 B`);
  assert.equal(transferLine(0, 0, null), `${full}  0 B of 0 B`);
  assert.equal(transferLine(6, 5, 1000), `${full}  6 B of 5 B, 1.00 kB/s`);
});

Deno.test("sizes have three digits", () => {
  assert.deepEqual([0, 999, 999.5, 12_345, 999_499_999, 5e15].map(humanSize), [
    "0 B",
    "999 B",
    "1.00 kB",
    "12.3 kB",
    "999 MB",
    "5000 TB",
  ]);
});
