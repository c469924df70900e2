import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../../tests/support/servers/control_plane.ts";

Deno.test("the installation lists the control planes, and says what happens if one stops", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  await plane.services.database`update users set is_admin = true`;
  const env = { REARGUARD_URL: plane.api.url, REARGUARD_API_TOKEN: plane.api.token };
  const { code, stdout } = await home.run(["installation"], { env });
  assert.equal(code, 0);
  assert.match(stdout, /^Control plane +Version +Started +Status +Agents +Runs +Safe to stop +If it stops$/m);
  assert.match(stdout, / running +\d+ +0 +no +It is the only control plane: /);
  assert.match(stdout, /^Database size bytes +[\d.]+ MB$/m);
  assert.match(stdout, /^Migrations newest +\d{4}_\w+$/m);
});
