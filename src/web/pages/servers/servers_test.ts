import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { sayHello } from "../../../../tests/support/fixtures/planted.ts";
import { newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("a server is added by a form, which then shows the command that installs its agent", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  assert.match((await browser.call("GET", "/servers")).text, /No server yet\./);
  const form = (await browser.call("GET", "/servers/new")).text;
  const shown = [...form.matchAll(/name="shown_fields\[\]" value="(\w+)"/g)].map(([, name]) => name!);
  assert.ok(shown.includes("ip_address") && shown.includes("runs_at_once"));
  const send = (fields: Record<string, string>) =>
    browser.send(
      "POST",
      "/servers/new",
      new URLSearchParams([
        ["csrf_token", browser.csrf],
        ...shown.map((name) => ["shown_fields[]", name]),
        ...Object.entries(fields),
      ]).toString(),
      { "Content-Type": "application/x-www-form-urlencoded" },
    );
  const wrong = await send({
    label: "<b>web</b>",
    ip_address: "not an address",
    database_password: "hidden one",
  });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /id="ip_address-error"/);
  assert.match(wrong.text, /value="&lt;b&gt;web&lt;\/b&gt;"/);
  assert.ok(!wrong.text.includes("hidden one"), "a secret is not sent back");

  const made = await send({ label: "<b>web</b>", ip_address: "192.0.2.44", database_password: "hidden one" });
  assert.equal(made.status, 200);
  assert.match(made.text, /curl [^<]*install\.sh/);
  assert.match(made.text, /Waiting for the agent/);
  const id = Number(/id="agent-state"[^>]*hx-get="\/servers\/(\d+)"/.exec(made.text)![1]);
  await sayHello(api.services, id);
  const page = (await browser.call("GET", `/servers/${id}`)).text;
  assert.match(page, /Connected/);
  assert.match(page, /Nothing on this server is backed up\./);

  const edit = (await browser.call("GET", `/servers/${id}/edit`)).text;
  assert.match(edit, /One is stored\. Leave this empty to keep it\./);
  const changed = await browser.submit(`/servers/${id}/edit`, {
    csrf_token: browser.csrf,
    "shown_fields[]": "label",
    label: "renamed",
  });
  assert.equal(changed.headers.get("location"), `/servers/${id}`);
  const { data } = (await browser.call("GET", `/api/remote-servers/${id}`)).body;
  assert.deepEqual([data.label, data.connection.is_database_password_set], ["renamed", true]);
});

Deno.test("a server that is used is not deleted, and a stale log-in is asked for again", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newServer(browser, { label: "used" });
  await newTask(browser, { label: "Its task", remote_server_id: id });
  assert.match((await browser.call("GET", `/servers/${id}`)).text, /Its task/);
  const csrf_token = browser.csrf;
  const remove = () => browser.submit(`/servers/${id}/delete`, { csrf_token, next: `/servers/${id}` });
  assert.equal((await remove()).headers.get("location"), `/servers/${id}`);
  assert.match((await browser.call("GET", `/servers/${id}`)).text, /class="notice bad" role="alert"/);
  await api.clock.advance(601_000);
  assert.equal(
    (await remove()).headers.get("location"),
    `/login/step-up?next=${encodeURIComponent(`/servers/${id}`)}`,
  );
  assert.equal((await browser.call("GET", "/servers/999999")).status, 404);
});

Deno.test("a server's page lists what no task covers, and when its agent was absent", async () => {
  await using api = await open();
  const { clock, database } = api;
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newServer(browser, { label: "web" });
  await sayHello(api.services, id);
  assert.match((await browser.call("GET", `/servers/${id}`)).text, /The agent has not looked yet\./);
  const data = "/srv/<b>data</b>";
  const directory = { kind: "directory", engine: null, name: data, path: data, size: null };
  await database`insert into server_inventories ${
    database({
      remote_server_id: id,
      requested_at: clock.now(),
      inventoried_at: clock.now(),
      notes: database.json(["MySQL: log-in refused."]),
      items: database.json([directory]),
    })
  }`;
  const page = (await browser.call("GET", `/servers/${id}`)).text;
  assert.match(page, /\/srv\/&lt;b&gt;data&lt;\/b&gt;/);
  assert.match(page, /href="\/tasks\/new\?remote_server_id=\d+&amp;[^"]*source_path=%2Fsrv%2F%3Cb%3Edata/);
  assert.match(
    (await browser.call("GET", "/servers")).text,
    new RegExp(`href="/servers/${id}#unprotected">1<`),
  );
  assert.match(
    (await browser.call("GET", "/")).text,
    /<a href="\/servers">1 thing on 1 server is not protected<\/a>/,
  );
  const item = /name="item" value="([^"]+)"/.exec(page)![1]!.replaceAll("&lt;", "<").replaceAll("&gt;", ">");
  const form = { csrf_token: browser.csrf, next: `/servers/${id}`, item };
  await browser.submit(`/servers/${id}/unprotected/dismiss`, form);
  const after = (await browser.call("GET", `/servers/${id}`)).text;
  assert.match(after, /Everything that the agent has seen is backed up\./);
  assert.match(after, /1 thing that need/);
});
