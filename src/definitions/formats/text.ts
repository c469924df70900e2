/** Formats of texts, numbers, times and secrets in input fields. */
import * as z from "zod";
import { isTimezone } from "../../domain/timezone.ts";
import { says } from "./says.ts";

/** Maximum of the type `integer` in Postgres. */
const MAX_INTEGER = 2_147_483_647;

/** Accepts one line of 1 to `max` characters that people read, such as a label. Strips surrounding blanks. */
export function line(max: number): z.ZodString {
  return oneLine(text(max)).refine((value) => !UNSEEN.test(value), {
    error: says("must not contain invisible characters, or characters that change the text direction"),
  });
}

/**
 * Matches invisible characters, characters that change the text direction, and misplaced joiners. These are
 * refused. Otherwise two labels could look alike and still differ. A single joiner between two characters is
 * permitted, because emoji and words in Persian and Indic scripts need it.
 */
const UNSEEN = new RegExp(
  "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f" +
    "\\u2800\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e001f}\\u2028\\u2029]" +
    "|^[\\u200c\\u200d\\ufe00-\\ufe0f]|[\\u200c\\u200d]$|[\\u200c\\u200d]{2}",
  "u",
);

/**
 * Accepts text for people: one or more lines with 1 to `max` characters in total. Strips surrounding blanks.
 */
export function text(max: number): z.ZodString {
  return limited(trimmed(z.string()).min(1), max);
}

/**
 * Accepts one line of 1 to `max` characters and does not change it. For example, for a pattern, or for a name
 * that another program defined.
 */
export function literalLine(max: number): z.ZodString {
  return oneLine(literal(max));
}

/** Accepts 1 to `max` characters, unchanged. */
export function literal(max: number): z.ZodString {
  return limited(z.string().min(1), max);
}

/** Accepts a secret of 1 to `max` characters, unchanged. */
export function secret(max: number): z.ZodString {
  return literal(max).meta({ format: "password", writeOnly: true });
}

/** Refuses line breaks and other control characters in the values of a schema. */
export function oneLine(schema: z.ZodString): z.ZodString {
  return schema.refine((value) => !/\p{Cc}/u.test(value), { error: says("must be one line of text") });
}

/** Accepts a whole number that fits into an `integer` column. */
export function integer(min: number, max: number = MAX_INTEGER): z.ZodInt {
  return z.int().min(min).max(max);
}

/** Accepts the name of a time zone in the IANA database. */
export function timezone(): z.ZodString {
  return trimmed(z.string()).refine(isTimezone, {
    error: says("must be an IANA time zone such as Europe/Copenhagen"),
  })
    .meta({ example: "Europe/Copenhagen" });
}

/** Accepts a time of day, `HH:MM`. */
export function timeOfDay(): z.ZodString {
  return trimmed(z.string()).regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
    error: says("must be a time of day such as 02:30"),
  });
}

/** Accepts a time with any offset from UTC, such as `2026-01-31T12:00:00Z`. */
export function moment() {
  return trimmed(z.iso.datetime({ offset: true })).meta({
    format: "date-time",
    example: "2030-01-31T12:00:00Z",
  })
    .transform((value) => new Date(value));
}

/** Accepts the id of a record. */
export function id(): z.ZodInt {
  return z.int().min(1).meta({ maximum: undefined });
}

/** Permits at most `max` characters, counted in code points as in JSON Schema. */
export function limited(schema: z.ZodString, max: number): z.ZodString {
  return schema
    .refine((value) => value.length <= max || [...value].length <= max, {
      error: says(`must not be longer than ${max} characters`),
    })
    .meta({ maxLength: max });
}

/**
 * Strips blanks from both ends of a text. Use this function only if such blanks mean nothing, as in a label
 * or a host name. Do not use it for paths, patterns or secrets, or for names that other programs defined. For
 * example, `/srv/data ` and `/srv/data` are different directories.
 */
export function trimmed<S extends z.ZodType<string, string>>(schema: S): S {
  return schema.overwrite(withoutBlanks as never);
}

/**
 * Strips spaces, tabs and line breaks from both ends. JavaScript's `trim` would also strip no-break spaces
 * and byte order marks.
 */
export function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text, from)) from++;
  while (to > from && isBlank(text, to - 1)) to--;
  return text.slice(from, to);
}

function isBlank(text: string, at: number): boolean {
  return " \t\r\n".includes(text.charAt(at));
}
