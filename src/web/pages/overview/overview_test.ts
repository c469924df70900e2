import assert from "node:assert/strict";
import { newBackup, newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("the overview says the verdict, lists what needs attention with its reason, and runs it", async () => {
  await using api = await open();
  const { clock, database } = api;
  const browser = await loggedIn(api, await newAccount(api));
  const show = async () => (await browser.call("GET", "/")).text;
  const empty = await show();
  assert.match(empty, /No backup task is active: nothing is protected\./);
  assert.match(empty, /href="\/welcome#step-backup"/);

  const server = await newServer(browser, { label: "web" });
  const good = await newTask(browser, { label: "Good", remote_server_id: server });
  const bad = await newTask(browser, { label: "<i>Bad</i>", remote_server_id: server });
  for (const id of [good, bad]) await newBackup(database, id, clock.now());
  await newRun(database, bad, clock.now(), { state: "failed", reason: "The disk <b>is</b> gone." });
  const page = await show();
  assert.match(page, /1 task has a recent backup, but its last run failed\./);
  assert.match(page, new RegExp(`<a href="/tasks/${bad}">&lt;i&gt;Bad&lt;/i&gt;</a>`));
  assert.match(page, /The disk &lt;b&gt;is&lt;\/b&gt; gone\./);
  assert.ok(!page.includes(`action="/tasks/${good}/run"`), "only what needs attention is listed");
  assert.match(page, new RegExp(`action="/tasks/${bad}/run"`));
  assert.match(page, /Nobody is told when a backup fails\./);
  await browser.call("POST", "/api/notification-streams", {
    label: "Mail",
    type: "email",
    value: "ops@example.com",
  });
  assert.ok(!(await show()).includes("Nobody is told"));
  assert.match(page, /1 failed, 0 with warnings/, "the heat map's totals");
});

Deno.test("the overview lists the 25 worst tasks, and renews only what changes often", async () => {
  await using api = await open();
  const { clock, database } = api;
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newTask(browser, { label: "Task" });
  await database`
    insert into backup_tasks (user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency,
      time_to_run_at, timezone, next_run_at, created_at, updated_at)
    select user_id, remote_server_id, backup_destination_id, label, type, source_settings, frequency, time_to_run_at, timezone,
      next_run_at, created_at, updated_at from backup_tasks, generate_series(2, 26) where id = ${id}`;
  const page = (await browser.call("GET", "/")).text;
  assert.equal(page.match(/id="row-/g)?.length, 25);
  assert.match(page, /href="\/tasks\?sort=protection">All 26 tasks that need attention/);
  assert.match(page, /A year of backups/);
  const part = (await browser.call("GET", "/", undefined, { "HX-Request": "true" })).text;
  assert.match(part, /id="overview"/);
  assert.ok(!part.includes("A year of backups"));
  await newBackup(database, id, clock.now());
  assert.match(
    (await browser.call("GET", "/")).text,
    /first steps<\/a>: make your log-in safe, connect a server, restore/i,
  );
});
