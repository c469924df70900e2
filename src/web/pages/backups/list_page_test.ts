import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

/** Returns the ids of the backups whose rows are on the page, from the top. */
function idsOn(page: string): number[] {
  return [...page.matchAll(/<tr id="row-(\d+)"/g)].map(([, id]) => Number(id));
}

Deno.test("the backups of all tasks are in one table, narrowed by filters that the address keeps", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const show = async (query: string) => (await browser.call("GET", `/backups${query}`)).text;
  assert.match(await show(""), /There is no backup yet\.[^]*href="\/tasks"/);
  const server = await newServer(browser as never, { label: "web-1" });
  const web = await newTask(browser as never, { label: "<i>Web</i>", remote_server_id: server });
  const home = await newTask(browser as never, { label: "Home" });
  const at = (day: number) => new Date(Date.UTC(2026, 0, day, 23, 30));
  const old = await newBackup(api.database, web, at(1), { size: 900, verified_at: at(2) });
  const young = await newBackup(api.database, web, at(3), { size: 1100, encrypted: true });
  const other = await newBackup(api.database, home, at(2), { damaged_at: at(3), damage_reason: "Bits." });
  const all = await show("");
  assert.deepEqual(idsOn(all), [young, other, old], "the newest first");
  assert.ok(all.includes("&lt;i&gt;Web&lt;/i&gt;") && !all.includes("<i>Web"));
  assert.match(all, /\+<span class="number" title="200 bytes">/);
  assert.match(all, new RegExp(`<tr id="row-${other}" class="bad">`));
  for (
    const [query, expected] of [
      ["?status=unverified", [young, other]],
      ["?status=damaged", [other]],
      [`?remote_server_id=${server}&sort=size`, [old, young]],
      [`?backup_task_id=${home}`, [other]],
      ["?from=2026-01-02&to=2026-01-02", [other]],
      ["?search=home", [other]],
      ["?search=nothing", []],
    ] as const
  ) {
    assert.deepEqual(idsOn(await show(query)), expected, query);
  }
  const filtered = await show("?status=damaged&search=home&sort=size");
  assert.match(filtered, /<input type="hidden" name="status" value="damaged"/);
  assert.match(filtered, /href="\/backups\?status=held&amp;search=home&amp;sort=size"/);
  assert.match(filtered, /href="\/backups\?status=damaged">\s*Clear/);
});

Deno.test("the trash says until when a backup can be taken out, and takes it out", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newBackup(api.database, await newTask(browser as never), api.clock.now());
  await browser.call("DELETE", `/api/backups/${id}`);
  const trash = (await browser.call("GET", "/backups?status=trash")).text;
  assert.match(trash, /8 Jan 2026, 12:00:00 UTC/);
  const sent = { csrf_token: browser.csrf, next: "/backups?status=trash" };
  const { headers } = await browser.submit(`/backups/${id}/undelete`, sent);
  assert.equal(headers.get("location"), "/backups?status=trash");
  assert.match((await browser.call("GET", "/backups?status=trash")).text, /The trash is empty\./);
});

Deno.test("a search for a file that no agent can answer says which backups were not searched, and why", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newBackup(api.database, await newTask(browser as never), api.clock.now());
  const empty = await browser.call("GET", "/backups/find");
  assert.equal(empty.status, 200);
  const { text } = await browser.call("GET", `/backups/find?name=${encodeURIComponent('<b>"')}`);
  assert.match(text, /No backup has a file of this name/);
  assert.match(text, new RegExp(`href="/backups/${id}"[^]*no index`));
  assert.ok(text.includes('value="&lt;b&gt;&quot;"') && !text.includes("<b>"));
  const long = await browser.call("GET", `/backups/find?name=${"x".repeat(300)}`);
  assert.match(long.text, /id="name-error">The search field/);
  const wrong = await browser.submit("/backups/find", {
    csrf_token: browser.csrf,
    name: "x",
    identity: "AGE-SECRET-KEY-X",
  });
  assert.ok(!wrong.text.includes("AGE-SECRET-KEY-X"));
});
