import assert from "node:assert/strict";
import { hint } from "./load_hints.ts";
import { LoadMessages, type LoadRules } from "./load_messages.ts";

const EXIT = (code: number) => ({ code, signal: null });
/** Messages of pg_restore 17 when it loads into a server of version 15. */
const NEWER = [
  'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"',
  "Command was: SET transaction_timeout = 0;",
];
const BODY = [
  'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"',
  "Command was: CREATE FUNCTION public.f() RETURNS void",
];
const ignored = (count: number) => `pg_restore: warning: errors ignored on restore: ${count}`;
const isPreamble: LoadRules["isExpected"] = ({ statement }) => statement?.startsWith("SET ") ?? false;

function load(program: string, lines: string[], exit: number, rules: LoadRules = {}) {
  const written: string[] = [];
  const output = {
    line: (text: string) => void written.push(text),
    warning: (text: string) => void written.push(`! ${text}`),
  };
  const messages = new LoadMessages(program, output, rules);
  lines.forEach(messages.read);
  let failure: string | null = null;
  try {
    messages.check(EXIT(exit), "database shop");
  } catch (error) {
    failure = (error as Error).message;
  }
  return { written, failure };
}

Deno.test("a setting that only the newer pg_restore supports is an error only within a function", () => {
  const rules = { isExpected: isPreamble };
  assert.deepEqual(load("/usr/bin/pg_restore", [...NEWER, ignored(1)], 1, rules), {
    written: [],
    failure: null,
  });
  assert.match(
    load("pg_restore", [...NEWER, ...BODY, ignored(2)], 1, rules).failure!,
    /^database shop can't be loaded: pg_restore exited with 1: could not execute query: ERROR: {2}unrecognized configuration parameter .*older than the backup/,
  );
});

Deno.test("a load that did not reach the end of the dump fails, whatever errors are accepted", () => {
  const rules = { isExpected: isPreamble, continuesOnErrors: true };
  assert.match(load("pg_restore", NEWER, 1, rules).failure!, /pg_restore exited with 1/);
  assert.match(load("pg_restore", [...NEWER, ignored(2)], 1, rules).failure!, /pg_restore exited with 1/);
  assert.match(
    load("psql", ["psql: error: connection to server was lost"], 2, rules).failure!,
    /psql exited with 2/,
  );
});

Deno.test("errors that a load continues after are counted, and the first hundred are warnings", () => {
  const lines = Array.from(
    { length: 120 },
    (_, index) => `pg_restore: error: could not execute query: ERROR:  no ${index}`,
  );
  const { written, failure } = load("pg_restore", [...lines, ignored(120)], 1, { continuesOnErrors: true });
  assert.equal(failure, null);
  assert.equal(written.filter((line) => line.startsWith("! ")).length, 100);
  assert.match(
    written.at(-1)!,
    /^database shop: 120 errors were passed over.*the first 100 are listed above$/,
  );
});

Deno.test("psql's errors are recognized by their codes, in any language", () => {
  const lines = [
    "psql:<stdin>:12: FEHLER:  42P01: Relation »x« existiert nicht",
    "LINE 1: select * from x;",
    "psql:<stdin>:13: HINWEIS:  00000: nothing",
    "psql:<stdin>:14: WARNUNG:  01000: odd",
  ];
  const { written, failure } = load("psql", lines, 0, { continuesOnErrors: true });
  assert.equal(failure, null);
  assert.deepEqual(written, [
    "! odd",
    "! Relation »x« existiert nicht",
    "database shop: 1 errors were passed over, as continue_on_errors is set",
  ]);
});

Deno.test("common errors come with advice", () => {
  const adviceFor = (error: string) => hint(`could not execute query: ERROR:  ${error}`);
  assert.match(adviceFor('role "ada" does not exist'), /set owners to false/);
  assert.match(adviceFor("function upper_it(text) does not exist"), /search_path/);
  assert.match(adviceFor('relation "settings" does not exist'), /search_path/);
  assert.match(adviceFor('extension "postgis" is not available'), /Install the extension's package/);
  assert.match(adviceFor("must be owner of extension plpgsql"), /owners to false/);
  assert.equal(adviceFor("duplicate key value violates unique constraint"), "");
});
