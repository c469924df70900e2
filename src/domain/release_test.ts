import assert from "node:assert/strict";
import { RELEASE } from "./release.ts";

Deno.test("the release equals the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assert.equal(RELEASE, config.version);
});
