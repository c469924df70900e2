import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../../tests/support/servers/control_plane.ts";

Deno.test("notification streams are listed, shown and tested, and the exit code shows whether the message was accepted", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const { url, token } = plane.api;
  const run = (...args: string[]) =>
    home.run(["streams", ...args], { env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token } });
  assert.equal((await run("list")).stdout, "None.\n");
  await plane.api.create("/notification-streams", {
    label: "On call",
    type: "webhook",
    value: "https://127.0.0.1:9/secret-path",
    notifications: { on_success: false, on_failure: true },
  });
  const listed = await run("list");
  assert.match(
    listed.stdout,
    /^ID {2}Label +Type +Told of +Last delivery +Status\n 1 {2}On call {2}Webhook {2}failure\n$/,
  );
  const tried = await run("test", "1");
  assert.deepEqual([tried.code, tried.stdout], [1, ""]);
  assert.match(tried.stderr, /^Cannot use notification stream 1: Cannot send the message\. [^\n]+\n$/);
  assert.doesNotMatch(tried.stderr, /secret-path/);
  const json = await run("test", "1", "--json");
  assert.deepEqual([json.code, JSON.parse(json.stdout).data.ok], [1, false]);
  assert.match((await run("show", "1")).stdout, /^Label +On call$/m);
  assert.equal(JSON.parse((await run("show", "1", "--json")).stdout).data.is_value_set, true);
  assert.equal((await run("show", "99")).code, 5);
  assert.equal((await run("test", "99")).code, 5);
});

Deno.test("the control plane's message about an accepted test is printed", async () => {
  const answer = { data: { ok: true, message: "The message was taken." } };
  const requests: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ method, url }) => {
    requests.push(`${method} ${new URL(url).pathname}`);
    return Response.json(answer);
  });
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: `http://127.0.0.1:${server.addr.port}`, REARGUARD_API_TOKEN: "rg_test" };
  const { code, stdout, stderr } = await home.run(["streams", "test", "3"], { env });
  assert.deepEqual([code, stdout, stderr], [0, "The message was taken.\n", ""]);
  const json = await home.run(["streams", "test", "3", "--json"], { env });
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, answer]);
  assert.deepEqual(new Set(requests), new Set(["POST /api/notification-streams/3/test"]));
});
