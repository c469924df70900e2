/**
 * Detects fields in a request that the operation does not support. Most of these fields are ignored and
 * listed in the response's `warnings`, because existing clients send extra fields, or send back a whole
 * record.
 *
 * A field that resembles a supported one is refused, because it is probably misspelt. For example, if
 * `encryption_pasword` were ignored, the data would be stored unencrypted.
 */
import type { z } from "@hono/zod-openapi";
import { nearestName } from "../../domain/near_name.ts";
import type { FieldErrors } from "./input.ts";

/** Maximum number of characters of a name in a warning. */
const MAX_SHOWN = 100;
/**
 * Maximum number of warnings in a response. If there are more, an additional warning says how many are left
 * out.
 */
const MAX_WARNINGS = 50;

/**
 * Matches names of fields that might contain a secret. If the object has known fields for secrets, an unknown
 * field with such a name is refused.
 */
const SECRET_NAME = /passw|passphrase|secret|encrypt|recipient|private_?key/i;

export interface UnknownFields {
  /** Errors by the unknown field's path. Each error names the known field that was probably meant. */
  readonly errors: FieldErrors;
  readonly warnings: readonly string[];
}

/**
 * Returns an error for each unknown field that resembles a known one. For all other unknown fields, returns a
 * warning.
 *
 * @param shown Fields of the operation's response. Clients send them back, so they never count as misspelt.
 */
export function unknownFields(schema: z.ZodType, raw: unknown, shown: ReadonlySet<string>): UnknownFields {
  const found = [...walk(schema._zod as Internals, raw, [])];
  const errors: FieldErrors = {};
  const ignored: string[] = [];
  const readOnly: string[] = [];
  for (const { path, known, secrets } of found) {
    const name = path.at(-1)!;
    if (path.length === 1 && shown.has(name)) {
      readOnly.push(name);
      continue;
    }
    const meant = nearestName(name, known) ?? nearSecret(name, secrets);
    const field = path.join(".").slice(0, MAX_SHOWN);
    if (meant === null) ignored.push(`The field ${field} was ignored: this operation has no such field.`);
    else errors[field] = [misspelt(field, [...path.slice(0, -1), meant])];
  }
  if (readOnly.length > 0) {
    ignored.push(`Read-only fields were ignored: ${readOnly.join(", ")}.`);
  }
  return { errors, warnings: shortened(ignored) };
}

/**
 * Returns an error for each field that a body contains more than once, because it is unknown which of the
 * values the caller means.
 */
export function repeatedFields(paths: readonly string[]): FieldErrors {
  return Object.fromEntries(
    paths.map((path) => path.slice(0, MAX_SHOWN)).map((
      path,
    ) => [path, [`The ${path} field must be given once.`]]),
  );
}

/** Returns an error for every unknown field of an operation that refuses unknown fields. */
export function refusedFields(schema: z.ZodType, raw: unknown): FieldErrors {
  const errors: FieldErrors = {};
  for (const { path, known, secrets } of walk(schema._zod as Internals, raw, [])) {
    const name = path.at(-1)!;
    const field = path.join(".").slice(0, MAX_SHOWN);
    const meant = nearestName(name, known) ?? nearSecret(name, secrets);
    errors[field] = [
      meant === null
        ? `The field ${field} is not known, and this operation ignores none. The known fields are: ${
          known.join(", ")
        }.`
        : misspelt(field, [...path.slice(0, -1), meant]),
    ];
  }
  return errors;
}

function misspelt(field: string, meant: readonly string[]): string {
  return `The field ${field} is not known. Did you mean ${meant.join(".")}?`;
}

/** Returns the warnings for an operation that takes no fields: one for each field that was sent to it. */
export function ignoredFields(raw: unknown): string[] {
  if (!isRecord(raw)) return [];
  return shortened(
    Object.keys(raw).map((name) =>
      `The field ${name.slice(0, MAX_SHOWN)} was ignored: this operation takes no fields.`
    ),
  );
}

function shortened(warnings: string[]): string[] {
  if (warnings.length <= MAX_WARNINGS) return warnings;
  return [...warnings.slice(0, MAX_WARNINGS), `${warnings.length - MAX_WARNINGS} more fields were ignored.`];
}

function nearSecret(name: string, secrets: readonly string[]): string | null {
  if (secrets.length === 0 || !SECRET_NAME.test(name)) return null;
  const first = name.toLowerCase().split(/[^a-z0-9]+/)[0]!;
  return secrets.find((secret) => secret.startsWith(first.slice(0, 7))) ?? secrets[0]!;
}

interface Unknown {
  readonly path: readonly string[];
  /** The names of the fields that the enclosing object is allowed to have. */
  readonly known: readonly string[];
  readonly secrets: readonly string[];
}

type Internals = z.core.$ZodTypes["_zod"];

function* walk({ def }: Internals, raw: unknown, path: readonly string[]): Generator<Unknown> {
  switch (def.type) {
    case "object":
      yield* walkObject(def as z.core.$ZodObjectDef, raw, path);
      break;
    case "array":
      if (typeof raw !== "object" || raw === null) return;
      for (const [at, item] of Object.entries(raw)) yield* walk(internals(def.element), item, [...path, at]);
      break;
    case "nullable":
    case "optional":
    case "default":
    case "prefault":
    case "readonly":
    case "nonoptional":
    case "catch":
      yield* walk(internals(def.innerType), raw, path);
      break;
    case "pipe":
      yield* walk(internals(def.in), raw, path);
  }
}

function* walkObject(def: z.core.$ZodObjectDef, raw: unknown, path: readonly string[]): Generator<Unknown> {
  if (!isRecord(raw)) return;
  const known = Object.keys(def.shape);
  const secrets = known.filter((name) => /password|secret|_key$/.test(name));
  for (const [name, value] of Object.entries(raw)) {
    const field = Object.hasOwn(def.shape, name) ? def.shape[name] : undefined;
    if (field !== undefined) yield* walk(internals(field), value, [...path, name]);
    else if (def.catchall === undefined) yield { path: [...path, name], known, secrets };
  }
}

function internals(schema: z.core.$ZodType): Internals {
  return schema._zod as Internals;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
