import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

/** A Monday. */
const START = "2040-01-02";

Deno.test("the schedule shows a week of due runs, with what overlaps and what is due too often for a list", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const show = async (query: string) => (await browser.call("GET", `/schedule?${query}`)).text;
  assert.match(await show(""), /Nothing is scheduled\..*href="\/tasks\/new"/s);
  const web = await newServer(browser, { label: "<b>web</b>" });
  const other = await newServer(browser, { label: "other" });
  const shop = await newTask(browser, {
    label: "<i>Shop</i>",
    remote_server_id: web,
    time_to_run_at: "02:00",
  });
  const mail = await newTask(browser, { label: "Mail", remote_server_id: web, time_to_run_at: "02:30" });
  const often = await newTask(browser, {
    label: "Often",
    remote_server_id: other,
    custom_cron_expression: "* * * * *",
  });
  const paused = await newTask(browser, { label: "Resting", remote_server_id: other });
  await browser.call("POST", `/api/backup-tasks/${paused}/pause`);
  for (const task of [shop, mail]) {
    await newBackup(api.database, task, api.clock.now(), { duration_ms: 3_600_000 });
  }

  const page = await show(`start=${START}`);
  assert.match(page, /2 Jan – 8 Jan 2040, times in UTC/);
  assert.match(page, /&lt;i&gt;Shop&lt;\/i&gt;, Mon 02:00, takes about 1 h</);
  assert.equal(page.match(/<title>Mail, \w{3} 02:30/g)?.length, 7);
  assert.match(page, /<title>Often, every minute</);
  assert.match(page, /7 overlaps/);
  assert.match(page, /02:30–03:00, every day/);
  assert.match(page, /One has to wait/);
  assert.match(page, /<tr class="quiet">.*?Resting.*?Paused/s);
  assert.ok(!page.includes("<i>Shop"), "labels are text");
  assert.match(page, /<h2 id="due">Mon, 2 Jan<\/h2>/);
  const rows = page.slice(page.indexOf('id="due"')).match(/2 Jan 2040, 0[23]:\d\d:00 UTC/g);
  assert.deepEqual(rows, ["2 Jan 2040, 02:00:00 UTC", "2 Jan 2040, 02:30:00 UTC"]);
  assert.match(page, /Waits for another/);
  assert.match(page, new RegExp(`<a class="line" href="/tasks/${often}">Often</a>`));

  const filtered = await show(`start=${START}&day=2040-01-04&remote_server_id=${other}`);
  assert.match(filtered, /<h2 id="due">Wed, 4 Jan<\/h2>/);
  assert.match(filtered, /No run is due on this day\./);
  assert.ok(!filtered.includes("Mail"));
  assert.match(filtered, /rel="prev" href="\/schedule\?start=2039-12-26&amp;remote_server_id=\d+"/);
  assert.match(filtered, /rel="next" href="\/schedule\?start=2040-01-09&amp;remote_server_id=\d+"/);
  assert.match(filtered, /href="\/schedule\?remote_server_id=\d+">This week/);
  assert.match(filtered, /<input type="hidden" name="start" value="2040-01-02"\/>/);
  assert.match(await show(`start=2040-01-05`), /2 Jan – 8 Jan 2040/);

  const now = await show("start=x&day=y");
  assert.match(now, /<h2 id="due">Next 24 hours<\/h2>/);
  const due = now.slice(now.indexOf('id="due"'));
  assert.match(due, new RegExp(`href="/tasks/${mail}">Mail</a>`));
});

Deno.test("many tasks are shown page by page, under their servers, in the time zone of the user", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  await browser.call("PUT", "/api/user", { timezone: "America/New_York" });
  const server = await newServer(browser, { label: "web" });
  for (let index = 0; index < 61; index++) {
    const label = `Task ${String(index).padStart(2, "0")}`;
    await newTask(browser, { label, remote_server_id: server, timezone: "UTC", time_to_run_at: "03:00" });
  }
  const first = (await browser.call("GET", `/schedule?start=${START}`)).text;
  assert.match(first, /times in America\/New_York/);
  assert.match(first, /Task 59, Mon 22:00/);
  assert.ok(!first.includes("Task 60, Mon"), "is on the next page");
  assert.match(first, /Page 1 of 2 · 61 in all/);
  const second = (await browser.call("GET", `/schedule?start=${START}&page=2`)).text;
  assert.match(second, /Task 60, Mon 22:00/);
  assert.match(second, />web<\/a>/);
});
