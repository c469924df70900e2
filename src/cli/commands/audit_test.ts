import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("only an administrator can list the audit log", async () => {
  await using plane = await startApi();
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: plane.url, REARGUARD_API_TOKEN: plane.token };
  const run = (...args: string[]) => home.run(["audit", ...args], { env });
  assert.equal((await run()).code, 4);
  await plane.services.database`update users set is_admin = true`;
  const tag = await plane.api.create("/tags", { label: "a" });
  await plane.api.create("/tags", { label: "b" });
  await plane.api.call("PUT", `/tags/${tag}`, { label: "c" });
  const { stdout } = await run("--resource", "tags", "--action", "createTag");
  const [head, ...lines] = stdout.trimEnd().split("\n");
  assert.match(head!, /^ID +At +Who +Action +Of +Result +From +Reason$/);
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /Z {2}ada@example\.test {2}createTag {2}tags 1 {2}done +127\.0\.0\.1/);
  const json = JSON.parse((await run("--resource-id", String(tag), "--json")).stdout);
  assert.deepEqual(json.data.map(({ action }: { action: string }) => action), ["createTag", "updateTag"]);
  assert.equal(
    JSON.parse((await run("--result", "refused", "--json")).stdout).data[0].action,
    "listAuditLog",
  );
  assert.equal((await run("--result", "maybe")).code, 7);
});
