import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, memberBrowser, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

/** Inserts an ended check with the verdict that its agent reported. */
async function newCheck(api: TestApi, taskId: number, fields: Record<string, unknown>, verdict: object) {
  const { clock, database } = api;
  const id = await newRun(database, taskId, clock.now(), { attempt: 1, ...fields });
  const attempt = { run_id: id, attempt: 1, leased_at: clock.now(), verdict_at: clock.now() };
  const row = { ...attempt, verdict: database.json(verdict as never), verdict_applied: true };
  await database`insert into run_attempts ${database(row)}`;
  return id;
}

const databases = [{ name: "<b>shop</b>", tables_count: 3, rows_count: 1200 }];
const proven = { files_count: null, databases, bytes_read: 512, restore_ms: 700, duration_ms: 950 };

Deno.test("the page says how many tasks are proven, and lists the worst first", async () => {
  await using api = await open();
  const { clock, database } = api;
  const browser = await loggedIn(api, await newAccount(api));
  assert.match((await browser.call("GET", "/verification")).text, /There is no task yet\./);
  const [shop, mail] = [
    await newTask(browser, { label: "A shop" }),
    await newTask(browser, { label: "<i>Mail</i>" }),
  ];
  const backup_id = await newBackup(database, shop, clock.now());
  await newBackup(database, mail, clock.now());
  const drill = await newCheck(api, shop, { kind: "drill", backup_id }, {
    outcome: "succeeded",
    warnings_count: 0,
    proven,
  });
  await database`update backup_tasks set last_proven_at = ${clock.now()}, restore_duration_ms = 700
    where id = ${shop}`;
  const page = (await browser.call("GET", "/verification")).text;
  assert.match(page, /1 of 2 tasks is proven restorable: 1 was never proven\./);
  assert.ok(page.indexOf("&lt;i&gt;Mail") < page.indexOf("A shop"));
  assert.match(page, new RegExp(`href="/verification/${drill}"`));
  assert.match(page, /3 tables, 1,200 rows/);
  const found = (await browser.call("GET", "/verification?status=proven&search=SHOP")).text;
  assert.match(found, /A shop/);
  assert.ok(!found.includes("Mail"));
  assert.match((await browser.call("GET", "/verification?search=nothing")).text, /No task matches\./);
});

Deno.test("a check's record has its evidence, and what it does not show", async () => {
  await using api = await open();
  const { clock, database } = api;
  const browser = await loggedIn(api, await newAccount(api));
  const task = await newTask(browser, { label: "Shop" });
  const backup_id = await newBackup(database, task, clock.now());
  const succeeded = { outcome: "succeeded", warnings_count: 0 };
  const drill = await newCheck(api, task, { kind: "drill", backup_id }, { ...succeeded, proven });
  const page = (await browser.call("GET", `/verification/${drill}`)).text;
  assert.match(page, /Proven restorable/);
  assert.match(page, /&lt;b&gt;shop&lt;\/b&gt;/);
  assert.match(page, /1,200/);
  assert.match(page, /The values in the tables: rows were counted/);
  assert.match(page, new RegExp(`href="/runs/${drill}"`));
  const verified = { files_count: 12, is_opened: false, objects_count: 3, bytes_read: 9, duration_ms: 5 };
  const verification = await newCheck(api, task, { kind: "verify", backup_id }, { ...succeeded, verified });
  assert.match(
    (await browser.call("GET", `/verification/${verification}`)).text,
    /only sizes and SHA-256 were compared/,
  );
  const failed = { outcome: "failed", warnings_count: 0, leftovers: [], reason: "No room." };
  const run = { kind: "drill", state: "failed", reason: "No room.", backup_id: null };
  const broken = await newCheck(api, task, run, failed);
  const shown = (await browser.call("GET", `/verification/${broken}`)).text;
  assert.match(shown, /class="notice bad"/);
  assert.match(shown, /No room\./);
  assert.ok(!shown.includes("Evidence"));
  const backup = await newRun(database, task, clock.now());
  assert.equal((await browser.call("GET", `/verification/${backup}`)).status, 404);
});

Deno.test("an operator starts drills and verifications from the list, and a viewer does not", async () => {
  await using api = await open();
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const task = await newTask(browser, { label: "Shop" });
  const backup = await newBackup(api.database, task, api.clock.now());
  const path = `/verification/backups/${backup}/verify`;
  assert.match((await browser.call("GET", "/verification")).text, new RegExp(`action="${path}"`));
  const answer = await browser.submit(path, { csrf_token: browser.csrf, next: "/verification" });
  assert.equal(answer.headers.get("location"), "/verification");
  const workspaceId = (await browser.call("GET", "/api/session")).body.data.workspace.id;
  const viewer = await memberBrowser(api, { workspaceId }, "viewer");
  assert.ok(!(await viewer.call("GET", "/verification")).text.includes("Drill now"));
});
