/** Input fields and their validation: every failing field at once, in sentences. */
import { z } from "@hono/zod-openapi";
import { isTimezone } from "../../domain/timezone.ts";
import { coercionOf, trimmed } from "./coercion.ts";
import { fieldWords, issueSentence, says } from "./validation_messages.ts";

export { says } from "./validation_messages.ts";

/** No field is a list of objects of lists. */
const MAX_DEPTH = 8;

/** The largest `integer` of Postgres. */
const MAX_INTEGER = 2_147_483_647;

/** Accepts prose of 1 to `max` characters on one line, such as a label; strips surrounding blanks. */
export function line(max: number): z.ZodString {
  return oneLine(text(max)).refine((value) => !UNSEEN.test(value), {
    error: says("must not hold invisible characters, or such that change the direction of text"),
  });
}

/**
 * Invisible characters, characters that change the text direction, and stray joiners: labels that look alike
 * must be equal. A single joiner between two characters is allowed: emoji and words in Persian and Indic
 * scripts need it.
 */
const UNSEEN = new RegExp(
  "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f" +
    "\\u2800\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e001f}\\u2028\\u2029]" +
    "|^[\\u200c\\u200d\\ufe00-\\ufe0f]|[\\u200c\\u200d]$|[\\u200c\\u200d]{2}",
  "u",
);

/** Accepts prose of 1 to `max` characters on one or more lines; strips surrounding blanks. */
export function text(max: number): z.ZodString {
  return limited(trimmed(z.string()).min(1), max);
}

/** Accepts 1 to `max` literal characters on one line: a name or pattern of an external object. */
export function literalLine(max: number): z.ZodString {
  return oneLine(literal(max));
}

/** Accepts 1 to `max` characters, unchanged. */
export function literal(max: number): z.ZodString {
  return limited(z.string().min(1), max);
}

/** A secret of 1 to `max` characters, taken to the letter. */
export function secret(max: number): z.ZodString {
  return literal(max).openapi({ format: "password", writeOnly: true });
}

/** Refuses line breaks and other control characters. */
export function oneLine(schema: z.ZodString): z.ZodString {
  return schema.refine((value) => !/\p{Cc}/u.test(value), { error: says("must be one line of text") });
}

/** A whole number that fits an `integer` column. */
export function integer(min: number, max: number = MAX_INTEGER): z.ZodInt {
  return z.int().min(min).max(max);
}

/** A name from the IANA database. */
export function timezone(): z.ZodString {
  return trimmed(z.string()).refine(isTimezone, {
    error: says("must be an IANA time zone such as Europe/Copenhagen"),
  })
    .openapi({ example: "Europe/Copenhagen" });
}

/** A moment, such as `2026-01-31T12:00:00Z`; any zone is understood. */
export function moment() {
  return trimmed(z.iso.datetime({ offset: true })).openapi({
    format: "date-time",
    example: "2030-01-31T12:00:00Z",
  })
    .transform((value) => new Date(value));
}

/** The id of a record. */
export function id(): z.ZodInt {
  return z.int().min(1).openapi({ maximum: undefined });
}

/** Allows at most `max` characters, counted by code point as in JSON Schema. */
export function limited(schema: z.ZodString, max: number): z.ZodString {
  return schema
    .refine((value) => value.length <= max || [...value].length <= max, {
      error: says(`must not be longer than ${max} characters`),
    })
    .openapi({ maxLength: max });
}

export type FieldErrors = Record<string, string[]>;
export type Validated<T> = { ok: true; value: T } | { ok: false; errors: FieldErrors };

/** Coerces and validates. Fields that the schema doesn't name are dropped. */
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

/** What a schema turned into undefined was not said: an update must not find its name. */
function withoutUndefined<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) delete (value as Record<string, unknown>)[name];
    }
  }
  return value;
}

/** Text that Postgres can't hold. What lies deeper than any field does is a schema's to refuse. */
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
 * Adds a rule over several fields that is checked whenever none of `fields` is wrong by itself, whatever other
 * fields are, so that one answer lists everything. `fail` takes a field's name, `a.b` for a nested one.
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
