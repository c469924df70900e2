import assert from "node:assert/strict";
import * as z from "zod";
import { defineFields } from "./field.ts";
import { completeOptions, optionsOf, optionsSchema } from "./options.ts";

const FIELDS = defineFields({
  level: { schema: z.int().max(19), help: "a number", default: 3, isSentToAgent: true },
  note: { schema: z.string(), help: "a text", isSentToAgent: true },
  label: { schema: z.string(), help: "kept here", isRequired: true },
});

Deno.test("a job carries the fields that are sent to agents", () => {
  assert.deepEqual(optionsOf(FIELDS, { level: 5, note: null }), { level: 5, note: null });
  const schema = optionsSchema(FIELDS);
  // A newer control plane might permit values outside the limits that this agent knows, and might send more
  // options. The agent does not check the limits, and ignores options that it does not know.
  assert.deepEqual(schema.parse({ level: 99, note: "x", more: 1 }), { level: 99, note: "x" });
  assert.equal(schema.safeParse({ level: "5" }).success, false);
});

Deno.test("an agent takes the default of an option that its control plane does not know", () => {
  assert.deepEqual(completeOptions(FIELDS, {}), { level: 3, note: null });
  assert.deepEqual(completeOptions(FIELDS, undefined), { level: 3, note: null });
  assert.deepEqual(completeOptions(FIELDS, { level: 0 }), { level: 0, note: null });
});
