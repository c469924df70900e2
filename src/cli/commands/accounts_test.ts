import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { newPasskey, newSession } from "../../../tests/support/fixtures/records.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";
import { systemClock } from "../../domain/clock.ts";

async function setUp(stack: AsyncDisposableStack) {
  const plane = stack.use(await startApi());
  const home = stack.use(await CliHome.open());
  const { database } = plane.services;
  await database`update users set is_admin = true`;
  const [user] = await database<{ id: number }[]>`select id from users`;
  const env = { REARGUARD_URL: plane.url, REARGUARD_API_TOKEN: plane.token };
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await home.run(args, { env });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  return { database, userId: user!.id, url: plane.url, run };
}

Deno.test("sessions and passkeys are listed, and ended or deleted", async () => {
  await using stack = new AsyncDisposableStack();
  const { database, userId, run } = await setUp(stack);
  assert.equal(await run("sessions", "list"), "None.\n");
  const session = await newSession(database, userId, systemClock.now());
  assert.match(
    await run("sessions", "list"),
    new RegExp(`^ *ID {2}Address +Browser +Began +Last used +Ends\\n *${session} `),
  );
  assert.equal(await run("sessions", "end", `${session}`), `Session ${session} ended\n`);
  assert.match(await run("sessions", "end", `${session}`), /^5: Cannot end session \d+: /);
  assert.equal(await run("sessions", "list"), "None.\n");

  const passkey = await newPasskey(database, userId, systemClock.now());
  assert.match(
    await run("passkeys", "list"),
    new RegExp(`^ *ID {2}Name +Added +Last used\\n *${passkey} {2}phone `),
  );
  assert.equal(await run("passkeys", "delete", `${passkey}`), "Passkey successfully deleted\n");
  assert.equal(await run("passkeys", "list"), "None.\n");
});

Deno.test("an administrator creates a user, makes a set-up link and requires second factors", async () => {
  await using stack = new AsyncDisposableStack();
  const { url, run } = await setUp(stack);
  const created = await run("users", "create", "--name", "Grace Hopper", "--email", "grace@example.test");
  const id = /^User (\d+) created: grace@example\.test\n$/.exec(created)![1]!;
  assert.match(
    await run("users", "list", "--search", "Grace"),
    new RegExp(`^ *ID .*\\n *${id} {2}Grace Hopper {2}grace@example\\.test +2\\d{3}-[^\\n]+\\n$`),
  );
  const link = await run("users", "setup-link", id, "--reset-second-factor");
  assert.match(link, /^http:\/\/\S+\/login\/setup\?token=rgl_[\w-]+\n$/);
  assert.ok(link.startsWith(url));
  const setup_token = new URL(link.trim()).searchParams.get("token");
  const headers = { "Content-Type": "application/json", Origin: url };
  const body = JSON.stringify({ setup_token, password: "hollow acorn under the eaves" });
  const opened = await fetch(`${url}/api/login/setup`, { method: "POST", headers, body });
  assert.equal(opened.status, 200, await opened.text());

  assert.match(await run("login-settings", "show"), /^Second factor required +no\n$/);
  const require = ["login-settings", "update", "--second-factor-required"];
  assert.match(await run(...require, "true"), /^Second factor required +yes\n$/);
  assert.match(await run(...require, "false"), /^Second factor required +no\n$/);
  assert.match(await run(...require, "maybe"), /^2: .*Allowed choices/);
});
