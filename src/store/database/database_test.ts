import assert from "node:assert/strict";
import { emptyDatabase } from "../../../tests/support/fixtures/database.ts";
import { afterCommit, openDatabase, transaction } from "./database.ts";
import type { Sql } from "./sql.ts";
import { holdTransaction } from "./lost_transactions.ts";

Deno.test("functions that wait for a commit are called after it, in order, and never without a commit", async () => {
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

Deno.test("a held transaction may be idle for any time", async () => {
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

Deno.test("a database is reached by libpq's URI with the socket directory and everything else in parameters", async () => {
  await using test = await emptyDatabase();
  const { hostname, port, username, password } = new URL(test.url);
  const [{ name, directories }] = await test.database<[{ name: string; directories: string }]>`
    select current_database() as name, current_setting('unix_socket_directories') as directories`;
  const directory = directories.split(",")[0]!.trim();
  const odd = `${name} a/b`;
  await test.database`create database ${test.database(odd)}`;
  await using cleanup = new AsyncDisposableStack();
  const urls: [url: string, isLocal: boolean, database: string][] = [
    [`postgres:///${name}?host=${hostname}&port=${port}&user=${username}&password=${password}`, false, name],
    [
      `postgres://${username}:${password}@/?dbname=${encodeURIComponent(odd)}&host=${hostname}&port=${port}`,
      false,
      odd,
    ],
    [
      `postgres://${username}:${password}@db.example.test:${port}/${name}?hostaddr=127.0.0.1&keepalives=1`,
      false,
      name,
    ],
  ];
  if (directory !== "") {
    const host = encodeURIComponent(directory);
    urls.push([
      `postgres:///${name}?host=${host}&port=${port}&user=${username}&password=${password}`,
      true,
      name,
    ]);
    urls.push([`postgres://${username}:${password}@${host}:${port}/${name}`, true, name]);
    // Google Cloud SQL has colons in the names of its socket directories.
    const parent = await Deno.makeTempDir();
    cleanup.defer(() => Deno.remove(parent, { recursive: true }));
    await Deno.symlink(directory, `${parent}/project:region:inst ance`);
    const colons = encodeURIComponent(`${parent}/project:region:inst ance`);
    urls.push([`postgres://${username}:${password}@${colons}:${port}/${name}`, true, name]);
    urls.push([`postgres://${username}:${password}@/${name}?host=${colons}&port=${port}`, true, name]);
  }
  try {
    for (const [url, isLocal, database] of urls) {
      const pool = openDatabase(url, { max: 1 });
      try {
        const [row] = await pool`select current_database() as name, inet_client_addr() is null as is_local`;
        assert.deepEqual([row!.name, row!.is_local], [database, isLocal], url.replace(password, "…"));
      } finally {
        await pool.end();
      }
    }
  } finally {
    await test.database`drop database ${test.database(odd)} with (force)`;
  }
});
