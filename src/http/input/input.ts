/** Validates input fields, and reports all errors at once, in sentences. */
import { z } from "@hono/zod-openapi";
import { fieldWords } from "../../definitions/formats/says.ts";
import { coercionOf } from "./coercion.ts";
import { issueSentence } from "./validation_messages.ts";

/** Nesting depth down to which input is searched for invalid text. No field of this API is nested deeper. */
const MAX_DEPTH = 8;

export type FieldErrors = Record<string, string[]>;
export type Validated<T> = { ok: true; value: T } | { ok: false; errors: FieldErrors };

/** Coerces and validates the input. Drops fields that the schema does not name. */
export function validate<S extends z.ZodType>(schema: S, raw: unknown): Validated<z.output<S>> {
  const coerced = coercionOf(schema)(raw);
  const errors: FieldErrors = {};
  const add = (path: readonly PropertyKey[], message: string) => {
    (errors[path.map(String).join(".")] ??= []).push(message);
  };
  findBadText(coerced, [], add);
  const parsed = schema.safeParse(coerced, { error: issueSentence });
  if (parsed.success && Object.keys(errors).length === 0) {
    return { ok: true, value: withoutUndefined(parsed.data) };
  }
  for (const issue of parsed.error?.issues ?? []) {
    add(issue.path, issue.message);
  }
  return { ok: false, errors };
}

/**
 * Removes fields that a schema turned into undefined. They count as absent, so an update must not contain
 * their names.
 */
function withoutUndefined<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) delete (value as Record<string, unknown>)[name];
    }
  }
  return value;
}

/**
 * Calls `add` for each text that Postgres cannot store. Ignores values that are nested deeper than any field,
 * because the schema refuses those.
 */
function findBadText(
  value: unknown,
  path: readonly string[],
  add: (path: readonly string[], message: string) => void,
): void {
  if (path.length > MAX_DEPTH) return;
  if (typeof value === "string") {
    if (value.includes("\0") || !value.isWellFormed()) {
      add(path, `The ${fieldWords(path)} field must be valid text without NUL characters.`);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) findBadText(inner, [...path, name], add);
  }
}

/**
 * Adds a rule about several fields to a schema, and returns the new schema. The rule is checked whenever all
 * of `fields` are valid, even if other fields are invalid. So one response lists all errors. `fail` takes a
 * field's name. For a nested field, the name is `a.b`.
 */
export function rule<S extends z.ZodType>(
  schema: S,
  fields: readonly (keyof z.output<S> & string)[],
  check: (value: z.output<S>, fail: (field: string, message: string) => void) => void,
): S {
  const wrong = (payload: z.core.ParsePayload) =>
    payload.issues.some(({ path }) =>
      path === undefined || path.length === 0 || fields.includes(path[0] as never)
    );
  return schema.superRefine(
    (value, context) => {
      check(
        value,
        (field, message) => context.addIssue({ code: "custom", path: field.split("."), message }),
      );
    },
    { when: (payload) => !wrong(payload) },
  );
}
