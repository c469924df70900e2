import assert from "node:assert/strict";
import { emptyDatabase } from "../../tests/support/database.ts";
import { afterCommit, transaction } from "./database.ts";

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
