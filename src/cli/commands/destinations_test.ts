import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../../tests/support/servers/control_plane.ts";

Deno.test("destinations are listed, and checked step by step", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const { url, token } = plane.api;
  const run = (...args: string[]) =>
    home.run(["destinations", ...args], { env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token } });
  const good = `${home.directory}/stored`;
  await plane.api.create("/backup-destinations", { label: "Good", type: "local", local_path: good });
  await plane.api.create("/backup-destinations", { label: "Bad", type: "local", local_path: "/proc/none" });
  const { stdout } = await run("list");
  assert.match(
    stdout,
    /^ID {2}Label {2}Type +Place\n 1 {2}Good +Local +\S+\/stored\n 2 {2}Bad +Local +\/proc\/none\n$/,
  );
  assert.match((await run("show", "1")).stdout, /^Local path +\S+\/stored$/m);

  const unused = (await run("usage", "1")).stdout;
  assert.match(unused, /^None\.\nStored bytes +0\nBackups count +0\n$/);

  const server = ["--server", `${plane.serverId}`];
  const checked = await run("check", "1", ...server);
  assert.deepEqual([checked.code, checked.stderr], [0, ""]);
  assert.match(checked.stdout, /^ok {6}write: .*\(\d+ ms\)$/m);
  assert.match(checked.stdout, /^ok {6}delete: /m);
  assert.match(
    (await run("show", "1")).stdout,
    /^Space free bytes +\d+\nSpace total bytes +\d+\nSpace measured at /m,
  );
  const failed = await run("check", "2", ...server);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /^failed {2}\w/m);
  assert.match(failed.stderr, /^Cannot use destination 2: [^\n]+\n$/);
  const json = await run("check", "2", ...server, "--json");
  assert.deepEqual([json.code, JSON.parse(json.stdout).data.ok], [1, false]);
  const unnamed = await run("check", "1");
  assert.equal(unnamed.code, 7);
  assert.match(
    unnamed.stderr,
    /^Cannot check destination 1: remote_server_id: The remote server id field is required/,
  );

  const local = ["--type", "local", "--local-path", `${home.directory}/unsaved`];
  const unsaved = await run("check", ...local, ...server);
  assert.deepEqual([unsaved.code, unsaved.stderr], [0, ""]);
  assert.match(unsaved.stdout, /^ok {6}delete: /m);
  const change = await run("check", "2", "--local-path", good, ...server);
  assert.deepEqual([change.code, change.stderr], [0, ""]);
  assert.match((await run("show", "2")).stdout, /^Local path +\/proc\/none$/m);
  const broken = await run("check", "--type", "local", "--local-path", "/proc/none", ...server);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^Cannot use the destination: /);
  assert.equal((await run("check", ...server)).code, 7);
});
