import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("members get a role, change it and are removed; others see who they are, and change nothing", async () => {
  await using api = await open();
  const manager = await loggedIn(api, await newAccount(api));
  const other = await newAccount(api);
  const { csrf: csrf_token } = manager;
  const missing = await manager.submit("/security/members", { csrf_token, email: "no", role: "viewer" });
  assert.equal(missing.status, 422);
  assert.match(missing.text, /value="no"/);
  const added = await manager.submit("/security/members", { csrf_token, email: other.email, role: "viewer" });
  assert.equal(added.headers.get("location"), "/security");
  const member = await loggedIn(api, other);
  const workspaces = (await member.call("GET", "/security")).text;
  const id = /action="\/security\/workspaces\/(\d+)\/open"/.exec(workspaces)![1]!;
  await member.submit(`/security/workspaces/${id}/open`, { csrf_token: member.csrf });
  const seen = (await member.call("GET", "/security")).text;
  assert.ok(seen.includes(other.email) && !seen.includes("/security/members"), "a viewer changes no member");
  assert.ok(!seen.includes("/security/audit"));

  const path = `/security/members/${other.id}`;
  await manager.submit(path, { csrf_token, role: "operator" });
  assert.match((await manager.call("GET", "/security")).text, /value="operator" selected/);
  await manager.submit(`${path}/remove`, { csrf_token });
  assert.ok(!(await manager.call("GET", "/security")).text.includes(other.email));
  assert.match((await manager.call("GET", "/security/audit")).text, /removeWorkspaceMember/);
});

Deno.test("a token is shown once, allows what was chosen, and is revoked", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const { csrf: csrf_token } = browser;
  const none = await browser.submit("/security/tokens", { csrf_token, name: "<i>cron</i>", days: "30" });
  assert.equal(none.status, 422);
  assert.match(none.text, /class="error"/);
  const fields = { csrf_token, name: "<i>cron</i>", days: "30", "abilities[]": "view-backup-tasks" };
  const made = await browser.submit("/security/tokens", fields);
  const token = /<code[^>]*>([^<]+)<\/code>/.exec(made.text)![1]!;
  const call = () =>
    api.app.request("http://localhost/api/backup-tasks", { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await call()).status, 200);
  const list = (await browser.call("GET", "/security/tokens")).text;
  assert.ok(!list.includes(token) && list.includes("&lt;i&gt;cron&lt;/i&gt;"));
  const revoke = /action="(\/security\/tokens\/\d+\/revoke)"/.exec(list)![1]!;
  await browser.submit(revoke, { csrf_token });
  assert.equal((await call()).status, 401);
});

Deno.test("administrators add users and give them set-up links; others find no such page", async () => {
  await using api = await open();
  const admin = await loggedIn(api, await newAccount(api, true));
  const { csrf: csrf_token } = admin;
  const wrong = await admin.submit("/security/users", { csrf_token, name: "Grace", email: "nobody" });
  assert.equal(wrong.status, 422);
  const made = await admin.submit("/security/users", {
    csrf_token,
    name: "Grace",
    email: "grace@example.com",
  });
  assert.match(made.text, /login\/setup\?token=rgl_/);
  assert.match((await admin.call("GET", "/security/users")).text, /grace@example\.com/);
  const user = await loggedIn(api, await newAccount(api));
  assert.equal((await user.call("GET", "/security/users")).status, 403);
  assert.ok(!(await user.call("GET", "/security")).text.includes("/security/users"));
});

Deno.test("the pages show times in the zone of the account", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const { csrf: csrf_token } = browser;
  const wrong = await browser.submit("/account/profile", { csrf_token, name: "Ada", timezone: "Mars" });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /id="timezone-error"/);
  await browser.submit("/account/profile", { csrf_token, name: "Ada", timezone: "Asia/Tokyo" });
  assert.match((await browser.call("GET", "/account")).text, /title="[^"]*GMT\+9"/);
});
