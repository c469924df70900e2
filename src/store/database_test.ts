import assert from "node:assert/strict";
import { emptyDatabase } from "../../tests/support/database.ts";
import { afterCommit, openDatabase, type Sql, transaction } from "./database.ts";
import { holdTransaction } from "./lost_transactions.ts";

Deno.test("what waits for a commit is done after it, in order, and never where it does not come", async () => {
  await using test = await emptyDatabase();
  const { database } = test;
  const done: string[] = [];
  const result = await transaction(database, async (sql) => {
    await sql`create table things (id int)`;
    afterCommit(sql, () => done.push("first"));
    afterCommit(sql, () => done.push("second"));
    assert.deepEqual(done, []);
    return 7;
  });
  assert.equal(result, 7);
  assert.deepEqual(done, ["first", "second"]);
  const failing = transaction(database, (sql) => {
    afterCommit(sql, () => done.push("never"));
    return Promise.reject(new Error("no"));
  });
  await assert.rejects(failing, /no/);
  afterCommit(database, () => done.push("at once"));
  assert.deepEqual(done, ["first", "second", "at once"]);
});

Deno.test("a transaction that is held may stand idle for as long as it is", async () => {
  await using test = await emptyDatabase();
  const [{ name }] = await test.database<[{ name: string }]>`select current_database() as name`;
  await test.database`alter database ${test.database(name)} set idle_in_transaction_session_timeout = '1min'`;
  const pool = openDatabase(test.url, { max: 1 });
  const timeout = async (sql: Sql) =>
    (await sql<{ is: string }[]>`select current_setting('idle_in_transaction_session_timeout') as is`)[0]!.is;
  assert.equal(await timeout(pool), "1min");
  {
    await using held = await holdTransaction(pool);
    assert.equal(await timeout(held.sql), "0");
  }
  assert.equal(await timeout(pool), "1min");
  await pool.end();
});
