import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

Deno.test("a backup's page says what verifications and drills have compared, with tables and rows", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  const { clock, database } = api;
  const now = clock.now();
  const task = await newTask(browser);
  const backup_id = await newBackup(database, task, now, { engine: "pg_dump" });
  await database`update backup_objects set database_name = 'shop' where backup_id = ${backup_id}`;
  const check = async (kind: string, result: object) => {
    const run_id = await newRun(database, task, now, { attempt: 1, kind, backup_id });
    const verdict = { outcome: "succeeded", warnings_count: 0, ...result };
    await database`insert into run_attempts ${
      database({
        run_id,
        attempt: 1,
        leased_at: now,
        verdict_at: now,
        verdict: database.json(verdict as never),
        verdict_applied: true,
      })
    }`;
  };
  const show = async () => (await browser.call("GET", `/backups/${backup_id}`)).text;
  assert.ok(!(await show()).includes('data-label="Rows"'), "not counted yet");
  const verified = {
    bytes_read: 4096,
    duration_ms: 900,
    files_count: null,
    is_opened: false,
    objects_count: 3,
  };
  await check("verify", { verified });
  const databases = [{ name: "shop", tables_count: 12, rows_count: 48210 }];
  await check("drill", {
    proven: { bytes_read: 512, databases, duration_ms: 950, files_count: null, restore_ms: 700 },
  });
  const page = await show();
  assert.match(page, /3 stored files: sizes and SHA-256 are right; the control plane has no key/);
  assert.match(page, /1 database, 12 tables, 48,210 rows restored and compared/);
  assert.match(page, /data-label="Tables"><span class="number">12</);
  assert.match(page, /data-label="Rows"><span class="number">48,210</);
  assert.match(page, />950 ms</);
});
