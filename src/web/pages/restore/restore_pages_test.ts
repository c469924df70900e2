import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import type { Browser } from "../../../../tests/support/clients/browser.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

interface Site extends AsyncDisposable {
  readonly api: TestApi;
  readonly browser: Browser;
  readonly task: number;
  /** Returns the page's text, with its status if that is not 200. */
  readonly show: (path: string) => Promise<string>;
}

const SOURCE = { type: "files", kind: "directory", path: "/var/www" };

async function openSite(): Promise<Site> {
  const api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const server = await newServer(browser as never, { label: "web-1" });
  const [replica, now] = [crypto.randomUUID(), api.clock.now()];
  await api.database`insert into replicas (id, started_at, heartbeat_at) values (${replica}, ${now}, ${now})`;
  await api.database`
    update remote_servers set connection_id = ${crypto.randomUUID()}, connection_replica_id = ${replica},
      last_connected_at = ${now}
    where id = ${server}`;
  return {
    api,
    browser,
    task: await newTask(browser as never, { label: "Website", remote_server_id: server }),
    show: async (path) => {
      const { status, text } = await browser.call("GET", path);
      return status === 200 ? text : `${status} ${text}`;
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

function hiddenFields(page: string): Record<string, string> {
  const [, form] = /<form method="post" action="\/restore\/start".*?>(.*?)<\/form>/s.exec(page)!;
  const inputs = form!.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
  return Object.fromEntries([...inputs].map(([, name, value]) => [name, value!.replaceAll("&amp;", "&")]));
}

Deno.test("a person chooses a task, then one of its backups by date, then what and where, and starts", async () => {
  await using site = await openSite();
  const { api, task, show, browser } = site;
  const old = await newBackup(api.database, task, new Date("2026-01-02T23:30:00Z"), { source: SOURCE });
  const id = await newBackup(api.database, task, new Date("2026-01-04T02:00:00Z"), { source: SOURCE });
  assert.match(await show("/restore"), new RegExp(`href="/restore\\?task_id=${task}"`));
  const backups = await show(`/restore?task_id=${task}`);
  assert.ok(backups.indexOf(`backup_id=${id}"`) < backups.indexOf(`backup_id=${old}"`), "the newest first");
  const then = await show(`/restore?task_id=${task}&date=2026-01-02`);
  assert.ok(then.includes(`backup_id=${old}"`) && !then.includes(`backup_id=${id}"`));
  assert.match(await show(`/restore?task_id=${task}&date=2026-01-01`), /no backup as old as that/);

  const where = await show(`/restore?backup_id=${id}&paths[]=etc/nginx&paths[]=index.html`);
  assert.match(where, /<option value="\d+" selected="">web-1 \(made this backup\)/);
  assert.ok(where.includes(">/var/www/etc/nginx<") && where.includes(">/var/www/index.html<"));
  const query = `backup_id=${id}&paths[]=etc/nginx&place=elsewhere&target_path=/srv/back`;
  assert.ok((await show(`/restore?${query}&step=where`)).includes(">/srv/back/etc/nginx<"));
  const check = await show(`/restore?${query}&step=check`);
  assert.ok(check.includes(">/srv/back/etc/nginx<"));
  assert.ok(check.includes(`rearguard backups restore ${id} --path etc/nginx --target-path /srv/back`));
  assert.match(check, /Nothing is replaced/);
  const started = await browser.submit("/restore/start", hiddenFields(check));
  assert.equal(started.status, 303);
  const [run] = await api.database`select id, options from runs where kind = 'restore'`;
  assert.equal(started.headers.get("location"), `/runs/${run!.id}`);
  assert.deepEqual(run!.options, {
    type: "files",
    target_path: "/srv/back",
    paths: ["etc/nginx"],
    overwrite: false,
  });
});

Deno.test("what is wrong is said at its field, and what was typed is kept", async () => {
  await using site = await openSite();
  const { api, task, show, browser } = site;
  const id = await newBackup(api.database, task, api.clock.now());
  const unknown = await show(`/restore?backup_id=${id}&step=where`);
  assert.match(unknown, /Enter a directory\./, "the original directory is not known");
  assert.match(await show(`/restore?backup_id=${id}&step=check`), /^422 .*id="target_path-error">Enter the/s);
  const sent = {
    csrf_token: browser.csrf,
    backup_id: String(id),
    place: "elsewhere",
    target_path: "srv/<b>",
    "paths[]": "etc",
  };
  const refused = await browser.submit("/restore/start", sent);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /id="target_path-error">The target path field/);
  assert.ok(
    refused.text.includes('value="srv/&lt;b&gt;"') && refused.text.includes('name="paths[]" value="etc"'),
  );
  assert.equal((await browser.submit("/restore/start", { ...sent, csrf_token: "" })).status, 303);
  await api.clock.advance(601_000);
  const over = await browser.submit("/restore/start", { ...sent, target_path: "/srv", overwrite: "1" });
  const next = new URL(over.headers.get("location")!, "http://localhost");
  assert.equal(next.pathname, "/login/step-up");
  const back = new URL(next.searchParams.get("next")!, "http://localhost").searchParams;
  assert.deepEqual([back.get("step"), back.get("target_path"), back.get("overwrite")], [
    "check",
    "/srv",
    "1",
  ]);
});

Deno.test("a database is restored under another name; servers that are not connected are named with the reason", async () => {
  await using site = await openSite();
  const { api, task, show, browser } = site;
  await newServer(browser as never, { label: "db-2" });
  const id = await newBackup(api.database, task, api.clock.now(), { engine: "pg_dump" });
  await api.database`update backup_objects set database_name = 'shop' where backup_id = ${id}`;
  assert.match(await show(`/restore?backup_id=${id}`), /name="databases\[\]" value="shop" checked/);
  const where = await show(`/restore?backup_id=${id}&step=where&databases[]=shop&database_name=shop_copy`);
  assert.match(where, /disabled="">db-2: its agent has never connected/);
  assert.match(where, />shop_copy<\/bdi> on the database server of its task/);
  const check = await show(
    `/restore?backup_id=${id}&step=check&databases[]=shop&database_name=shop_copy&without_owners=1`,
  );
  const started = await browser.submit("/restore/start", hiddenFields(check));
  assert.match(started.headers.get("location") ?? "", /^\/runs\/\d+$/, started.text);
  const [run] = await api.database`select options from runs where kind = 'restore'`;
  assert.deepEqual([run!.options.database_name, run!.options.load], ["shop_copy", { owners: false }]);
});

Deno.test("the key of a recipient is asked for in a field, and is in no address", async () => {
  await using site = await openSite();
  const { api, task, show, browser } = site;
  const id = await newBackup(api.database, task, api.clock.now(), {
    source: SOURCE,
    encrypted: true,
    encryption: "recipients",
    encryption_recipients: ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudf54ds0spqxm6"],
  });
  const check = await show(`/restore?backup_id=${id}&step=check`);
  assert.match(check, /<textarea id="identity"/);
  const wrong = await browser.submit("/restore/start", {
    ...hiddenFields(check),
    identity: "AGE-SECRET-KEY-X",
  });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /id="identity-error">The identity field must be/);
  assert.ok(!wrong.text.includes("AGE-SECRET-KEY-X"));
  const none = await browser.submit("/restore/start", hiddenFields(check));
  assert.match(none.text, /role="alert">.*Send the identity of one of them/s);
});

Deno.test("only restorers and managers see the steps of a restore", async () => {
  await using site = await openSite();
  const { api, browser } = site;
  const { id } = (await browser.call("GET", "/api/session")).body.data.workspace;
  const account = await newAccount(api);
  await api.database`
    insert into workspace_members (workspace_id, user_id, role, created_at)
    values (${id}, ${account.id}, 'operator', ${api.clock.now()})`;
  const operator = await loggedIn(api, account);
  await operator.call("PUT", "/api/session/workspace", { workspace_id: id });
  assert.equal((await operator.call("GET", "/restore")).status, 403);
});
