import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

/** Returns the ids of the listed runs. */
const idsIn = (page: string) => [...page.matchAll(/<tr id="row-(\d+)"/g)].map(([, id]) => Number(id));

Deno.test("the runs are listed, those that are not over first, with their size, time and reason", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const show = async () => (await browser.call("GET", "/runs")).text;
  assert.match(await show(), /Nothing has run yet\./);
  const server = await newServer(browser, { label: "web-1" });
  const task = await newTask(browser, { label: "<b>Shop</b>", remote_server_id: server });
  const now = api.clock.now();
  const later = new Date(now.getTime() + 90_000);
  const running = await newRun(api.database, task, now, {
    state: "running",
    bytes_read: 100,
    bytes_per_second: 10,
    eta_seconds: 30,
  });
  const done = await newRun(api.database, task, now, {
    finished_at: later,
    bytes_written: 2_000_000,
    warnings_count: 2,
  });
  const failed = await newRun(api.database, task, now, {
    state: "failed",
    kind: "drill",
    reason: "The <i>disk</i> is gone.",
  });
  const queued = await newRun(api.database, task, now, { state: "queued", kind: "restore" });
  const page = await show();
  assert.deepEqual(idsIn(page), [running, queued, failed, done]);
  assert.match(page, new RegExp(`<a class="line" href="/runs/${done}">&lt;b&gt;Shop&lt;/b&gt;</a>`));
  assert.match(page, /With warnings/);
  assert.match(page, />2\.0 MB</);
  assert.match(page, />90 s</);
  assert.match(page, />2 warnings</);
  assert.match(page, /The &lt;i&gt;disk&lt;\/i&gt; is gone\./);
  assert.match(page, /aria-label="25 % done"/);
  assert.match(page, /waits for/);
  const deleted = await newRun(api.database, task, now);
  await api.database`update runs set backup_task_id = null where id = ${deleted}`;
  assert.match(await show(), /A deleted task/);
});

Deno.test("filters choose runs, are kept by the other filters, and days are those of the user", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  await browser.call("PUT", "/api/user", { timezone: "America/New_York" });
  const server = await newServer(browser, { label: "web-1" });
  const task = await newTask(browser, { label: "Shop", remote_server_id: server });
  const other = await newTask(browser, { label: "Mail" });
  const at = (time: string) => new Date(`2026-01-05T${time}Z`);
  // In New York, the first one is on the evening of the day before.
  const evening = await newRun(api.database, task, at("04:30:00"));
  const morning = await newRun(api.database, task, at("12:00:00"), { state: "failed", reason: "Full." });
  const mail = await newRun(api.database, other, at("12:00:00"), { kind: "verify" });
  const { timezone } = (await browser.call("GET", "/api/session")).body.data.user.account_settings;
  assert.equal(timezone, "America/New_York");
  const list = async (query: string) => idsIn((await browser.call("GET", `/runs?${query}`)).text);
  assert.deepEqual(await list(""), [mail, morning, evening]);
  assert.deepEqual(await list("status=failed"), [morning]);
  assert.deepEqual(await list("kind=verify"), [mail]);
  assert.deepEqual(await list(`backup_task_id=${task}`), [morning, evening]);
  assert.deepEqual(await list(`remote_server_id=${server}&kind=backup`), [morning, evening]);
  assert.deepEqual(await list("search=mail"), [mail]);
  assert.deepEqual(await list("since=2026-01-04&until=2026-01-04"), [evening]);
  assert.deepEqual(await list("since=2026-01-05&until=2026-01-05"), [mail, morning]);
  assert.deepEqual(await list("since=2026-01-05T04:00:00Z&until=2026-01-05T05:00:00Z"), [evening]);

  const page =
    (await browser.call("GET", `/runs?backup_task_id=${task}&kind=backup&search=x&status=failed`)).text;
  assert.match(page, /No run fits\./);
  assert.match(page, new RegExp(`Only runs of <a href="/tasks/${task}">Shop</a>`));
  assert.match(page, new RegExp(`<input type="hidden" name="backup_task_id" value="${task}"/>`));
  assert.match(page, /<input type="hidden" name="status" value="failed"\/>/);
  assert.match(page, /name="search" type="search" value="x"/);
  assert.match(page, /<option value="backup" selected="">/);
  assert.match(page, new RegExp(`href="/runs\\?backup_task_id=${task}&amp;kind=backup&amp;search=x">All<`));
  assert.equal((await browser.call("GET", "/runs?since=2026-99-99")).status, 422);
  assert.equal((await browser.call("GET", "/runs?status=broken")).status, 422);
});

Deno.test("a long list has pages, and the days above it link to their runs", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const task = await newTask(browser);
  const now = new Date();
  const first = await newRun(api.database, task, now, { state: "failed" });
  for (let index = 0; index < 50; index++) await newRun(api.database, task, now);
  const page = (await browser.call("GET", "/runs?kind=backup")).text;
  assert.equal(idsIn(page).length, 50);
  assert.match(page, /<a class="button quiet" rel="next" href="\/runs\?kind=backup&amp;page=2">/);
  assert.deepEqual(idsIn((await browser.call("GET", "/runs?kind=backup&page=2")).text), [first]);
  const day = now.toISOString().slice(0, 10);
  assert.match(
    page,
    new RegExp(
      `href="/runs\\?kind=backup&amp;since=${day}&amp;until=${day}" aria-label="${day}: 50 successful, 1 failed"`,
    ),
  );
});
