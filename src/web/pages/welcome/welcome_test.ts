import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { sayHello } from "../../../../tests/support/fixtures/planted.ts";
import { newPasskey, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("the first steps say what is done, and lead to the recovery kit until a copy is kept", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api, true));
  const welcome = async () => (await browser.call("GET", "/welcome")).text;
  assert.match(await welcome(), /0 of 6 done\./);
  assert.match(await welcome(), /href="\/installation\/recovery-kit"/);
  const kit = await browser.call("GET", "/installation/recovery-kit");
  assert.match(kit.text, /Nobody has confirmed yet that a copy is kept\./);
  assert.match(kit.text, /deno task admin recover --from PLACE/);
  const kept = await browser.submit("/installation/recovery-kit/kept", { csrf_token: browser.csrf });
  assert.deepEqual([kept.status, kept.headers.get("location")], [303, "/welcome"]);
  const next = await welcome();
  assert.match(next, /Noted\. You are reminded when a destination or the secret key changes\./);
  assert.match(next, /1 of 6 done\./);
  assert.ok(!(await welcome()).includes("Noted."), "a message is shown once");

  await newTask(browser);
  assert.match(
    (await browser.call("GET", "/")).text,
    /First steps<\/a>: make your log-in safe, connect a server/,
  );
  await api.clock.advance(601_000);
  assert.equal(
    (await browser.call("GET", "/installation/recovery-kit")).headers.get("location"),
    "/login/step-up?next=/installation/recovery-kit",
  );
});

Deno.test("a passkey makes the log-in safe only if the password alone is not enough any more", async () => {
  await using api = await open();
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const isDone = async () =>
    /Make your log-in safe<span class="hidden">: done/.test((await browser.call("GET", "/welcome")).text);
  await newPasskey(api.database, account.id, api.clock.now());
  assert.equal(await isDone(), false);
  await api.database`update login_settings set second_factor_required = true`;
  assert.equal(await isDone(), true);
});

Deno.test("the form of the first backup keeps what was typed, and says what is wrong field by field", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newServer(browser);
  await sayHello(api.services, id);
  const form = await browser.call("GET", "/welcome");
  assert.match(form.text, /value="\/etc"/);
  const fields = {
    csrf_token: browser.csrf,
    remote_server_id: String(id),
    source_path: "relative",
    local_path: "/backups",
  };
  const refused = await browser.submit("/welcome/backup", fields);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /id="source_path-error"/);
  assert.match(refused.text, /value="relative"/);
  const made = await browser.submit("/welcome/backup", { ...fields, source_path: "/srv" });
  assert.match(made.headers.get("location")!, /^\/runs\/\d+$/);
  const { data } = (await browser.call("GET", "/api/backup-destinations")).body;
  assert.equal(data.length, 1, "the second attempt uses the destination of the first");
  assert.match((await browser.call("GET", "/welcome")).text, /The first run has begun/);
  const forged = { ...fields, csrf_token: "" };
  assert.equal((await browser.submit("/welcome/backup", forged)).headers.get("location"), "/");
});
