import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { listLogs } from "./logs.ts";
import { addUpRunCounts, runsOf } from "./run_counts.ts";

Deno.test("the number of a workspace's runs is exact after any change of them", async () => {
  await using test = await testServices();
  const { database: sql } = test;
  const one = await plant(test.services);
  const two = await plant(test.services);
  const add = async ({ caller, serverId }: typeof one, count: number) => {
    await sql`
      insert into runs (user_id, kind, remote_server_id, trigger, state, created_at, finished_at)
      select ${caller.userId}, 'backup', ${serverId}, 'manual', 'succeeded', now(), now()
      from generate_series(1, ${count})`;
  };
  const counts = async () => {
    const [row] = await sql`
      select ${runsOf(sql, one.caller.workspaceId)} as one, ${runsOf(sql, two.caller.workspaceId)} as two,
        (select count(*) from run_counts) as rows`;
    return row;
  };
  assert.deepEqual(await counts(), { one: 0, two: 0, rows: 0 });
  await add(one, 1000);
  for (let i = 0; i < 150; i++) await add(two, 2);
  await sql`delete from runs where id in (select id from runs where user_id = ${one.caller.userId} limit 10)`;
  await sql`update runs set warnings_count = 1`;
  await sql.begin(async (inner) => {
    await inner`delete from runs`;
    await inner`rollback to savepoint none`.catch(() => {});
  }).catch(() => {});
  assert.deepEqual(await counts(), { one: 990, two: 300, rows: 152 });
  // Two replicas add up the rows at the same time.
  await Promise.all([addUpRunCounts(sql), addUpRunCounts(sql), add(two, 1)]);
  const { rows, ...summed } = (await counts())!;
  assert.deepEqual(summed, { one: 990, two: 301 });
  assert.ok(rows <= 4, `${rows} rows are left`);
  await sql`delete from users where id = ${two.caller.userId}`;
  assert.equal((await sql`select from runs where user_id = ${two.caller.userId}`).length, 0);
  assert.deepEqual({ ...await counts(), rows: 0 }, { one: 990, two: 0, rows: 0 });
  await sql`truncate runs cascade`;
  assert.deepEqual(await counts(), { one: 0, two: 0, rows: 0 });
});

Deno.test("any page of a listing has the expected rows and the exact total", async () => {
  await using test = await testServices();
  const { database: sql } = test;
  const { caller, serverId } = await plant(test.services);
  await plant(test.services);
  // A span is a range of run ids, and the runs of each span are counted separately. The ids of these runs
  // have large gaps, as if runs of other workspaces had the ids in between. So the ids lie in several spans.
  await sql`
    insert into runs (id, user_id, kind, remote_server_id, trigger, state, created_at, finished_at)
    overriding system value
    select n * 1000, ${caller.userId}, 'backup', ${serverId}, 'manual', 'succeeded', now(), now()
    from generate_series(1, 50) as n`;
  await sql`delete from runs where id in (11000, 12000, 20000)`;
  const ids = (await sql<{ id: number }[]>`select id from runs order by id`).map(({ id }) => id);
  for (const limit of [1, 10, 15, 47, 100]) {
    for (let offset = 0; offset <= 60; offset++) {
      const page = await listLogs(sql, caller.workspaceId, offset, limit);
      assert.equal(page.total, 47);
      assert.deepEqual(
        page.rows.map(({ id }) => id),
        ids.slice(offset, offset + limit),
        `${offset} ${limit}`,
      );
    }
  }
});
