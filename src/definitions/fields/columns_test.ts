import assert from "node:assert/strict";
import * as z from "zod";
import { columnNames, columnsOf, newColumns, storedValues } from "./columns.ts";
import { defineFields } from "./field.ts";

const FIELDS = defineFields({
  label: { schema: z.string(), help: "label", isRequired: true },
  path: { schema: z.string(), help: "path", storedIn: "settings" },
  format: { schema: z.string(), help: "format", storedIn: "settings", default: "custom" },
  password: { schema: z.string(), help: "password", storedIn: "secrets", isSecret: true },
});

const seal = (secret: string) => `sealed ${secret}`;

Deno.test("fields that share a column are entries of its object, and absent if they are not set", () => {
  const row = newColumns(FIELDS, { label: "a", path: "/a", password: "p" }, seal);
  assert.deepEqual(row, { label: "a", settings: { path: "/a" }, secrets: { password: "sealed p" } });
  assert.deepEqual(columnNames(FIELDS), ["label", "settings", "secrets"]);
  const values = { label: "a", path: "/a", format: "custom", password: "sealed p" };
  assert.deepEqual(storedValues(FIELDS, row), values);

  assert.deepEqual(columnsOf(FIELDS, { format: "plain" }, seal, row), {
    settings: { path: "/a", format: "plain" },
  });
  const cleared = columnsOf(FIELDS, { path: null, password: null }, seal, row);
  assert.deepEqual(cleared, { settings: {}, secrets: {} });
  const bare = newColumns(FIELDS, { label: "b" }, seal);
  assert.deepEqual(bare, { label: "b", settings: {}, secrets: {} });
  assert.deepEqual(storedValues(FIELDS, bare), { label: "b", path: null, format: "custom", password: null });
});
