import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import {
  id,
  integer,
  line,
  literal,
  literalLine,
  secret,
  text,
  trimmed,
} from "../../definitions/formats/text.ts";
import { coercionOf } from "./coercion.ts";
import { rule, validate } from "./input.ts";
import { absolutePath } from "../../definitions/formats/paths.ts";

Deno.test("a decimal string is an integer, and nothing else is", () => {
  const schema = z.object({ n: z.int() });
  for (const [raw, value] of [["5", 5], [" 5 ", 5], ["-5", -5], ["007", 7], [5, 5]]) {
    assert.deepEqual(validate(schema, { n: raw }), { ok: true, value: { n: value } });
  }
  for (
    const raw of [
      "",
      "5.0",
      "5e3",
      "0x5",
      "five",
      "+5",
      "٥",
      true,
      [5],
      {},
      5.5,
      NaN,
      Infinity,
      "9".repeat(17),
    ]
  ) {
    assert.equal(validate(schema, { n: raw }).ok, false, String(raw));
  }
});

Deno.test("integers are held to their column, ids to what a number can be", () => {
  const schema = z.object({ count: integer(0), id: id() });
  const wrong = validate(schema, { count: "2147483648", id: "9223372036854775808" });
  assert.ok(!wrong.ok);
  assert.deepEqual(Object.keys(wrong.errors), ["count", "id"]);
  assert.ok(validate(schema, { count: 2147483647, id: 2 ** 40 }).ok);
});

Deno.test("booleans come in six forms", () => {
  const schema = z.object({ b: z.boolean() });
  for (const raw of [true, 1, "1", "true", " true "]) {
    assert.deepEqual(validate(schema, { b: raw }), { ok: true, value: { b: true } });
  }
  for (const raw of [false, 0, "0", "false"]) {
    assert.deepEqual(validate(schema, { b: raw }), { ok: true, value: { b: false } });
  }
  for (const raw of ["yes", "", 2, "TRUE", null, []]) {
    assert.equal(validate(schema, { b: raw }).ok, false, String(raw));
  }
});

Deno.test("blanks around prose go, and nothing that only looks like a blank does", () => {
  const schema = z.object({ label: line(9), at: trimmed(z.email()).refine(() => true) });
  assert.deepEqual(validate(schema, { label: " \ta\r\n", at: " jo@example.test " }), {
    ok: true,
    value: { label: "a", at: "jo@example.test" },
  });
  const odd = "\u00a0a\u2003";
  assert.deepEqual(validate(z.object({ label: line(9) }), { label: odd }), {
    ok: true,
    value: { label: odd },
  });
});

Deno.test("paths, names, patterns and secrets are taken to the letter", () => {
  const schemas = {
    literal: literal(20),
    pattern: literalLine(20),
    password: secret(20),
    path: absolutePath(),
  };
  for (const [kind, schema] of Object.entries(schemas)) {
    for (const value of ["/srv/data ", "/\u00a0", "/ a\u3000"]) {
      const fields = z.object({
        value: schema,
        list: z.array(schema),
        optional: schema.nullable().optional(),
      });
      const sent = { value, list: [value], optional: value };
      assert.deepEqual(validate(fields, sent), { ok: true, value: sent }, kind);
    }
  }
  assert.deepEqual(coercionOf(z.object({ other: secret(9).nullable() }))({ other: " " }), { other: " " });
  assert.deepEqual(coercionOf(z.object({ other: secret(9).nullable() }))({ other: "" }), { other: null });
});

Deno.test("an empty string is null where null may be, absent where a choice may be, and else empty", () => {
  const schema = z.object({
    text: text(9).nullable().optional(),
    label: line(9).optional(),
    count: integer(0).optional(),
    choice: z.enum(["a"]).nullable(),
    on: z.boolean().default(true),
  });
  const raw = { text: " ", label: " ", count: "", choice: "", on: "" };
  assert.deepEqual(coercionOf(schema)(raw), { text: null, label: "", choice: null });
});

Deno.test("what a schema turns into undefined is not there", () => {
  const schema = z.object({ port: z.int().nullable().optional().transform((value) => value ?? undefined) });
  const result = validate(schema, { port: null });
  assert.ok(result.ok && !("port" in result.value));
});

Deno.test("lists come in a form's ways, and a wrong item is named by its place", () => {
  const schema = z.object({ ids: z.array(id()) });
  for (const raw of [["1", 2], { 0: "1", 1: "2" }, { 1: "2", 0: "1" }]) {
    assert.deepEqual(validate(schema, { ids: raw }), { ok: true, value: { ids: [1, 2] } });
  }
  assert.deepEqual(validate(schema, { ids: { 0: "" } }), { ok: true, value: { ids: [] } });
  assert.deepEqual(validate(schema, { ids: [1, "x"] }), {
    ok: false,
    errors: { "ids.1": ["The ids.1 field must be an integer."] },
  });
  assert.equal(validate(schema, { ids: { a: 1 } }).ok, false);
});

Deno.test("a rule over fields is checked beside whatever else is wrong, unless its own fields are", () => {
  const schema = rule(
    z.object({ low: z.int(), high: z.int(), label: line(9) }),
    ["low", "high"],
    ({ low, high }, fail) => {
      if (low > high) fail("high", "The high field must not be below low.");
    },
  );
  const beside = validate(schema, { low: 2, high: 1 });
  assert.deepEqual(beside, {
    ok: false,
    errors: { label: ["The label field is required."], high: ["The high field must not be below low."] },
  });
  const own = validate(schema, { low: "x", high: 1, label: "a" });
  assert.deepEqual(own, { ok: false, errors: { low: ["The low field must be an integer."] } });
  assert.equal(validate(schema, { low: 1, high: 1, label: "a" }).ok, true);
});
