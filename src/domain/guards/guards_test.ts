import assert from "node:assert/strict";
import { hasSharpRise } from "./incompressible.ts";
import { shrunkStats } from "./shrink.ts";

const MB = 1_000_000;
const usual = {
  backups_count: 7,
  size: 30 * MB,
  bytes_read: 100 * MB,
  files_count: 1000,
  incompressible_share: 0.1,
  compression: 0.3,
};
const { backups_count: _, compression: __, ...same } = usual;

Deno.test("a value below half of the median has shrunk, exactly half has not", () => {
  assert.deepEqual(shrunkStats(same, usual), []);
  assert.deepEqual(shrunkStats({ ...same, files_count: 500, size: 15 * MB }, usual), []);
  assert.deepEqual(shrunkStats({ ...same, files_count: 499 }, usual), ["files_count"]);
  assert.deepEqual(shrunkStats({ ...same, size: 15 * MB - 1 }, usual), ["size"]);
  assert.deepEqual(shrunkStats({ ...same, files_count: 0, bytes_read: 1, size: 1 }, usual), [
    "files_count",
    "bytes_read",
    "size",
  ]);
});

Deno.test("files are compared only where both are counted", () => {
  assert.deepEqual(shrunkStats({ ...same, files_count: null }, usual), []);
  assert.deepEqual(shrunkStats({ ...same, files_count: 1 }, { ...usual, files_count: null }), []);
});

Deno.test("a rise of the ratio, or of the incompressible share, is sharp from a quarter on", () => {
  assert.equal(hasSharpRise(same, usual), false);
  assert.equal(hasSharpRise({ ...same, size: 54 * MB }, usual), false);
  assert.equal(hasSharpRise({ ...same, size: 55 * MB }, usual), true);
  assert.equal(hasSharpRise({ ...same, size: 31 * MB, incompressible_share: 0.34 }, usual), false);
  assert.equal(hasSharpRise({ ...same, size: 31 * MB, incompressible_share: 0.36 }, usual), true);
});

Deno.test("without a measured share, the whole ratio is still compared", () => {
  const unmeasured = { ...usual, incompressible_share: null };
  assert.equal(hasSharpRise({ ...same, incompressible_share: 1 }, unmeasured), false);
  assert.equal(hasSharpRise({ ...same, size: 90 * MB, incompressible_share: 1 }, unmeasured), true);
});

Deno.test("deleting texts among pictures is not a rise", () => {
  const deleted = { ...same, bytes_read: 12 * MB, size: 11 * MB, incompressible_share: 0.9 };
  assert.equal(hasSharpRise(deleted, usual), false);
});

Deno.test("the compression of a tiny backup is not compared", () => {
  const tiny = { ...usual, size: 10_000, bytes_read: 100_000 };
  const picture = { size: 600_000, bytes_read: 700_000, files_count: 4, incompressible_share: 1 };
  assert.equal(hasSharpRise(picture, tiny), false);
});
