import assert from "node:assert/strict";
import { isOlderVersion, RELEASE } from "./release.ts";

Deno.test("the release equals the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assert.equal(RELEASE, config.version);
});

Deno.test("versions are compared by their numbers", () => {
  const older = [["0.9.9", "0.10.0"], ["0.1", "0.1.1"], ["v1.2.3", "2.0.0"], ["1.0.0-rc1", "1.0.1"]] as const;
  for (const [a, b] of older) {
    assert.deepEqual([isOlderVersion(a, b), isOlderVersion(b, a)], [true, false], a);
  }
  assert.equal(isOlderVersion("0.1.0", "0.1"), false);
});
