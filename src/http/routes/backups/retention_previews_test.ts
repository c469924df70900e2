import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newTask } from "../../../../tests/support/fixtures/records.ts";
import { transaction } from "../../../store/database/database.ts";
import { requestRetention } from "../../../services/retention/removals.ts";

Deno.test("a preview says in a sentence what a change of several fields would delete", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client, { timezone: "Europe/Berlin", keep_last: 4, keep_daily: 2 });
  const ids: number[] = [];
  for (const day of ["01", "02", "03", "04", "05"]) {
    ids.push(
      await newBackup(api.database, taskId, new Date(`2026-01-${day}T06:00:00Z`), { size: 1_500_000 }),
    );
  }
  const preview = async (query = "") => {
    const answer = await client.call("GET", `/api/backup-tasks/${taskId}/retention-preview${query}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.data;
  };
  const saved = await preview();
  assert.equal(saved.summary, "The rules would delete 1 backup (1.5 MB) from 2026-01-01 07:00.");
  assert.deepEqual([saved.removed_oldest_at, saved.removed_newest_at], [
    "2026-01-01T06:00:00Z",
    "2026-01-01T06:00:00Z",
  ]);
  const nothing = { removed: 0, removed_size: 0, oldest_at: null, newest_at: null, kept: 0 };
  assert.deepEqual([saved.change, saved.deletes_at], [nothing, null]);
  assert.deepEqual((await preview("?keep_last=4&timezone=Europe/Berlin")).summary, saved.summary);

  const fewer = await preview("?keep_last=1&keep_daily=");
  assert.equal(
    fewer.summary,
    "This change would delete 3 backups (4.5 MB), the oldest from 2026-01-02 07:00. " +
      "The saved rules would delete 1 other backup anyway.",
  );
  assert.deepEqual(fewer.policy.keep_daily, null);
  assert.deepEqual(fewer.change, {
    removed: 3,
    removed_size: 4_500_000,
    oldest_at: "2026-01-02T06:00:00Z",
    newest_at: "2026-01-04T06:00:00Z",
    kept: 0,
  });
  assert.equal(fewer.deletes_at, "2026-01-08T12:00:00Z");
  assert.deepEqual(
    fewer.backups.map((each: Record<string, unknown>) => [each.id, each.action, each.is_changed]),
    [
      [ids[4], "keep", false],
      [ids[3], "remove", true],
      [ids[2], "remove", true],
      [ids[1], "remove", true],
      [ids[0], "remove", false],
    ],
  );

  const more = await preview("?keep_last=9");
  assert.equal(more.summary, "This change would keep 1 backup that the saved rules would delete.");
  assert.deepEqual([more.removed, more.change.kept], [0, 1]);
  const same = await preview("?keep_weekly=1");
  assert.equal(
    same.summary,
    "This change would delete nothing. The saved rules would delete 1 backup anyway.",
  );
  assert.equal((await preview("?keep_last=0&keep_daily=0")).removed, 0);
});

Deno.test("a preview in another time zone has other days; a wrong one is refused", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client, { keep_daily: 2 });
  for (const time of ["2026-01-02T12:00:00Z", "2026-01-03T22:00:00Z", "2026-01-03T23:30:00Z"]) {
    await newBackup(api.database, taskId, new Date(time));
  }
  const path = `/api/backup-tasks/${taskId}/retention-preview`;
  const { data } = (await client.call("GET", `${path}?timezone=Europe/Berlin`)).body;
  assert.deepEqual([data.timezone, data.change.removed, data.change.kept], ["Europe/Berlin", 1, 1]);
  assert.equal(
    data.summary,
    "This change would delete 1 backup (1.0 kB) from 2026-01-02 12:00. It would keep 1 backup that the saved rules " +
      "would delete.",
  );
  assert.equal((await client.call("GET", `${path}?timezone=Mars/Base`)).status, 422);
  const emptied = (await client.call("GET", `${path}?maximum_backups_to_keep=`)).body.data;
  assert.equal(emptied.policy.maximum_backups_to_keep, 0);
});

Deno.test("the trash keeps what a change removes as long as the preview says", async () => {
  await using api = await testApi();
  const client = await api.user();
  const taskId = await newTask(client);
  for (const day of ["03", "04"]) await newBackup(api.database, taskId, new Date(`2026-01-${day}T06:00:00Z`));
  const path = `/api/backup-tasks/${taskId}`;
  const { data } = (await client.call("GET", `${path}/retention-preview?keep_last=1`)).body;
  await client.call("PUT", path, { keep_last: 1 });
  await api.clock.advance(3_600_000);
  const after = (await client.call("GET", `${path}/retention-preview`)).body.data;
  assert.deepEqual([after.deletes_at, after.removed, after.change.removed], [data.deletes_at, 1, 0]);
  await transaction(api.database, (sql) => requestRetention(api.services, sql, taskId));
  const [trashed] = (await client.call("GET", "/api/backups?status=trash")).body.data;
  assert.equal(trashed.deletes_at, data.deletes_at);
});
