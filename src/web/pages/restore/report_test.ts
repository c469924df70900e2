import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const UNKNOWN = {
  files_count: null,
  directories_count: null,
  bytes: null,
  databases_count: null,
  rows_count: null,
};

Deno.test("a restore's report compares what was asked for with what was written, and says where", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const now = api.clock.now();
  const task = await newTask(browser);
  const backup_id = await newBackup(api.database, task, now);
  const report = async (fields: Record<string, unknown>) => {
    const id = await newRun(api.database, task, now, { kind: "restore", backup_id, ...fields });
    const { text } = await browser.call("GET", `/runs/${id}`);
    return text.slice(text.indexOf('id="restore-report"'));
  };
  const partly = await report({
    restored: {
      requested: { ...UNKNOWN, files_count: 12, bytes: 5000 },
      written: { ...UNKNOWN, files_count: 11, bytes: 5000 },
      skipped_count: 1,
      targets: ["/srv/<b>back</b>\u202e"],
      targets_count: 101,
    },
  });
  assert.match(partly, /Files<\/th>[^]*>12<[^]*>11<[^]*Not all of it/);
  assert.match(partly, /Size<\/th>[^]*All of it/);
  assert.ok(!partly.includes("Databases</th>"));
  assert.match(partly, /1 file or directory could not be written/);
  assert.ok(partly.includes("/srv/&lt;b&gt;back&lt;/b&gt;\\u202e"));
  assert.match(partly, /and 100 more/);
  assert.match(partly, new RegExp(`href="/backups/${backup_id}"`));
  assert.match(await report({ restored: null }), /too old to count/);
  assert.match(await report({ state: "failed", reason: "It is full." }), /<strong>Nothing\.<\/strong>/);
  const going = await newRun(api.database, task, now, { kind: "restore", backup_id, state: "running" });
  assert.ok(!(await browser.call("GET", `/runs/${going}`)).text.includes("restore-report"));
  const backup = await newRun(api.database, task, now);
  assert.ok(!(await browser.call("GET", `/runs/${backup}`)).text.includes("restore-report"));
});
