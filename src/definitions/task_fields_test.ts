import assert from "node:assert/strict";
import { type Field } from "./fields/field.ts";
import { formatOf } from "./fields/format.ts";
import { TASK_FIELDS } from "./task_fields.ts";

const FIELDS = Object.entries<Field>(TASK_FIELDS);

Deno.test("every field has help, and a format that its default and its example have", () => {
  for (const [name, field] of FIELDS) {
    assert.match(field.help, /^[a-z]\S*( .*)?[^.\s]$/, name);
    assert.match(field.description ?? "Text.", /^[A-Za-z`].*\.$/, name);
    formatOf(field.schema);
    for (const value of [field.default, field.example]) {
      if (value !== undefined) assert.ok(field.schema.safeParse(value).success, `${name}: ${value}`);
    }
  }
});

Deno.test("every field is of one kind", () => {
  for (const [name, { isRequired, default: value, defaultFrom, isResetByNull, isSecret }] of FIELDS) {
    const kinds = [isRequired, value !== undefined, defaultFrom, isSecret].filter(Boolean);
    assert.ok(kinds.length <= 1, name);
    assert.ok(!isResetByNull || value !== undefined, name);
  }
});
