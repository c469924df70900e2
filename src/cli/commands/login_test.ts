import assert from "node:assert/strict";
import { freePort } from "../../../tests/support/servers/ports.ts";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { CommandLines } from "../../../tests/support/assertions/command_lines.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("login checks the token and stores it readable for its owner only; logout deletes it", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  using commandLines = new CommandLines();
  const { code, stdout, stderr } = await home.run(["login", "--url", `${api.url}/api/`, "--token-stdin"], {
    stdin: `${api.token}\n`,
  });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout, `Logged in at ${api.url} as ada@example.test; stored in ${home.loginPath}\n`);
  assert.equal((await Deno.stat(home.loginPath)).mode! & 0o777, 0o600);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(home.loginPath)), { url: api.url, token: api.token });
  const listed = await home.run(["servers", "list"]);
  assert.deepEqual(listed, { code: 0, stdout: "None.\n", stderr: "" });
  assert.equal((await home.run(["logout"])).stdout, "Logged out.\n");
  const after = await home.run(["servers", "list"]);
  assert.equal(after.code, 4);
  assert.equal(
    after.stderr,
    "Cannot call the control plane: there is no token; log in with: rearguard login\n",
  );
  const seen = commandLines.seen();
  assert.ok(seen.some((line) => line.includes("--token-stdin")), "The command was not seen");
  assert.ok(!seen.some((line) => line.includes(api.token)), "The token is in a command line");
});

Deno.test("login takes the token from a terminal without showing it, or from RG_TOKEN", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const { code, stdout } = await home.atTerminal(["login", "--url", api.url], [["API token", api.token]]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /Logged in at /);
  assert.ok(!stdout.includes(api.token) && !stdout.includes(api.token.slice(0, 8)), "The token is shown");
  await home.run(["logout"]);
  const env = { RG_TOKEN: api.token, REARGUARD_URL: api.url };
  const answer = await home.run(["login", "--json"], { env });
  assert.equal(answer.code, 0, answer.stderr);
  assert.equal(JSON.parse(answer.stdout).data.personal_info.email, "ada@example.test");
});

Deno.test("login does not store a token that does not work", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const login = (url: string, env: Record<string, string>) => home.run(["login", "--url", url], { env });
  const refused = await login(api.url, { RG_TOKEN: "rg_wrong" });
  assert.deepEqual([refused.code, refused.stdout], [4, ""]);
  assert.match(refused.stderr, /^Cannot log in: the token is unknown, expired or revoked; .*\n$/);
  const port = freePort();
  const closed = await login(`http://127.0.0.1:${port}`, { RG_TOKEN: "rg_wrong" });
  assert.equal(closed.code, 3);
  assert.equal(
    closed.stderr,
    `Cannot log in: the control plane at http://127.0.0.1:${port} can't be reached (connection refused)\n`,
  );
  await using other = Deno.serve(
    { port: 0, onListen() {} },
    () => new Response("<h1>It works</h1>"),
  );
  const elsewhere = await login(`http://127.0.0.1:${other.addr.port}`, { RG_TOKEN: "rg_wrong" });
  assert.equal(elsewhere.code, 3);
  assert.match(elsewhere.stderr, /is not a control plane\n$/);
  const silent = await login(api.url, {});
  assert.deepEqual(
    silent,
    { code: 2, stdout: "", stderr: "Cannot prompt for the API token: standard input is not a terminal\n" },
  );
  await assert.rejects(Deno.stat(home.loginPath), Deno.errors.NotFound);
});

Deno.test("a stored token is sent to its own control plane only, and the environment overrides it", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  let requests = 0;
  await using other = Deno.serve({ port: 0, onListen() {} }, () => {
    requests++;
    return new Response("{}");
  });
  const otherUrl = `http://127.0.0.1:${other.addr.port}`;
  await home.run(["login", "--url", api.url], { env: { RG_TOKEN: api.token } });
  const list = (env: Record<string, string>) => home.run(["tasks", "list"], { env });
  const elsewhere = await list({ REARGUARD_URL: otherUrl });
  assert.deepEqual([elsewhere.code, requests], [4, 0]);
  assert.match(elsewhere.stderr, /^Cannot call .*: the stored token is for .*; set REARGUARD_API_TOKEN/);
  assert.equal((await list({ REARGUARD_API_TOKEN: "rg_wrong" })).code, 4);
  const both = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  await home.run(["logout"]);
  assert.equal((await list(both)).code, 0);
  await home.run(["login", "--url", api.url], { env: { RG_TOKEN: api.token } });
  await Deno.chmod(home.loginPath, 0o644);
  const open = await list({});
  assert.equal(open.code, 4);
  assert.match(open.stderr, /^Cannot use .*: other users can read it; .* chmod 600 /);
});
