import assert from "node:assert/strict";
import { CliHome } from "../../../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../../../tests/support/servers/control_plane.ts";

Deno.test("tags are created, changed, listed and deleted", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const { url, token } = plane.api;
  const run = (...args: string[]) =>
    home.run(["tags", ...args], { env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token } });
  assert.equal((await run("list")).stdout, "None.\n");
  assert.equal(
    (await run("create", "--label", "live", "--colour", "#FF0000")).stdout,
    "Tag 1 created: live\n",
  );
  const wrong = await run("create", "--label", "other", "--colour", "red");
  assert.equal(wrong.code, 7);
  assert.match(wrong.stderr, /must be a colour such as #1f2937/);
  assert.equal((await run("update", "1", "--label", "Live")).stdout, "Tag 1 updated: Live\n");
  assert.match((await run("list")).stdout, /^ID {2}Label {2}Colour +Description\n 1 {2}Live {3}#ff0000/);
  assert.equal(JSON.parse((await run("show", "1", "--json")).stdout).data.label, "Live");
  assert.equal((await run("delete", "1")).code, 0);
  assert.equal((await run("show", "1")).code, 5);
});
