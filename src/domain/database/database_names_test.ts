import assert from "node:assert/strict";
import { splitDatabaseNames, splitNames } from "./database_names.ts";

Deno.test("a name is literal, including blanks at its end", () => {
  for (const name of ["shop ", " shop", "shop\u00a0", "a b", 'say "so', '"']) {
    assert.deepEqual(splitDatabaseNames(name), [name]);
  }
  assert.deepEqual(splitDatabaseNames("shop , other"), ["shop ", "other"]);
});

Deno.test("commas and the blanks after them separate names", () => {
  assert.deepEqual(splitDatabaseNames("a,b, c,\t d"), ["a", "b", "c", "d"]);
  assert.deepEqual(splitDatabaseNames("a,,b, "), ["a", "", "b", ""]);
});

Deno.test("double quotes allow a comma, or a blank at the start of a name", () => {
  assert.deepEqual(splitDatabaseNames('"a, b"," c","d""e"'), ["a, b", " c", 'd"e']);
  // Quotes of table names are kept, because PostgreSQL parses them.
  assert.deepEqual(splitNames('logs, public."My, Table"'), ["logs", 'public."My, Table"']);
});
