/**
 * What existing clients send, brought to what a schema says before it validates: decimal strings to integers,
 * `"1"` and `"true"` to booleans, numbered form fields to lists, surrounding white space off, and an empty string to
 * null where null is allowed. The schemas themselves stay plain, so the OpenAPI document tells the same.
 */
import { z } from "@hono/zod-openapi";

/** Returns the value in the schema's terms, or as it is where it does not fit: validation then says so. */
export type Coercion = (raw: unknown) => unknown;

/** Strings that are taken to the letter. Modifiers such as `.optional()` keep the mark. */
const verbatim = z.registry<{ verbatim: true }>();

/** Marks a string, such as a password, whose white space counts. */
export function takeVerbatim<S extends z.ZodType>(schema: S): S {
  verbatim.add(schema, { verbatim: true });
  return schema;
}

const compiled = new WeakMap<z.core.$ZodType, Coercion>();

export function coercionOf(schema: z.core.$ZodType): Coercion {
  let coercion = compiled.get(schema);
  if (coercion === undefined) {
    coercion = compile(schema as z.core.$ZodTypes);
    compiled.set(schema, coercion);
  }
  return coercion;
}

function compile(schema: z.core.$ZodTypes): Coercion {
  const { def } = schema._zod;
  switch (def.type) {
    case "string":
      return verbatim.has(schema as z.core.$ZodString as never) ? asIs : trimmed;
    case "enum":
    case "literal":
      return trimmed;
    case "number":
      return toInteger;
    case "boolean":
      return toBoolean;
    case "array":
      return toList(coercionOf(def.element));
    case "object":
      return toObject(Object.entries(def.shape).map(([name, field]) => [name, coercionOf(field)]));
    case "nullable":
      return emptyTo(null, coercionOf(def.innerType));
    case "optional":
    case "default":
    case "prefault":
      return optional(def.innerType as z.core.$ZodTypes);
    case "readonly":
    case "nonoptional":
    case "catch":
      return coercionOf(def.innerType);
    case "pipe":
      return coercionOf(def.in);
    default:
      return asIs;
  }
}

function asIs(raw: unknown): unknown {
  return raw;
}

function trimmed(raw: unknown): unknown {
  return typeof raw === "string" ? raw.trim() : raw;
}

function toInteger(raw: unknown): unknown {
  return typeof raw === "string" && /^\s*-?\d+\s*$/.test(raw) ? Number(raw) : raw;
}

const BOOLEANS = new Map<unknown, boolean>([
  [1, true],
  ["1", true],
  ["true", true],
  [0, false],
  ["0", false],
  ["false", false],
]);

function toBoolean(raw: unknown): unknown {
  return BOOLEANS.get(trimmed(raw)) ?? raw;
}

function toList(element: Coercion): Coercion {
  return (raw) => {
    if (Array.isArray(raw)) return raw.map(element);
    if (!isObject(raw)) return raw;
    const names = Object.keys(raw);
    if (!names.every((name) => /^\d{1,6}$/.test(name))) return raw;
    // A form can't say an empty list but by one empty field.
    const values = names.sort((a, b) => Number(a) - Number(b)).map((name) => raw[name]);
    return values.length === 1 && values[0] === "" ? [] : values.map(element);
  };
}

function toObject(fields: [string, Coercion][]): Coercion {
  return (raw) => {
    if (!isObject(raw)) return raw;
    const known: Record<string, unknown> = {};
    for (const [name, coerce] of fields) {
      if (!Object.hasOwn(raw, name)) continue;
      const value = coerce(raw[name]);
      if (value !== undefined) known[name] = value;
    }
    return known;
  };
}

function emptyTo(empty: null | undefined, inner: Coercion): Coercion {
  return (raw) => {
    const value = inner(raw);
    return typeof value === "string" && (value === "" || (inner !== asIs && value.trim() === ""))
      ? empty
      : value;
  };
}

/** An empty number, boolean or choice is one that was left out; an empty text is an empty text. */
function optional(inner: z.core.$ZodTypes): Coercion {
  const coerce = coercionOf(inner);
  return ["number", "boolean", "enum"].includes(inner._zod.def.type) ? emptyTo(undefined, coerce) : coerce;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
