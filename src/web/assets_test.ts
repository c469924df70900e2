import assert from "node:assert/strict";
import { Assets } from "./assets.ts";

Deno.test("the pages have their files also in an installation without the documentation's pictures", () => {
  const bare = new Assets(new URL("./no-such-folder/", import.meta.url));
  assert.match(bare.path("app.js"), /^\/assets\/app\.js\?v=/);
  assert.equal(bare.has("images/overview-1280-light.png"), false);
  assert.equal(new Assets().has("images/overview-1280-light.png"), true);
});
