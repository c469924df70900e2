/**
 * Converts values to the types of a schema before validation, because existing clients send other types:
 * - decimal strings for numbers;
 * - `"1"` and `"true"` for booleans;
 * - numbered form fields for lists;
 * - an empty string for null, if null is allowed.
 *
 * Other strings are kept unchanged. Surrounding blanks are stripped only for a schema with `trimmed`.
 */
import type { z } from "@hono/zod-openapi";
import { withoutBlanks } from "../../definitions/formats/text.ts";

/**
 * Converts one value to the type of a schema. A value that does not fit is returned unchanged: validation
 * then reports it.
 */
export type Coercion = (raw: unknown) => unknown;

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
      return losesBlanks(def) ? blanksOff : asIs;
    case "enum":
    case "literal":
      return blanksOff;
    case "number":
      return (schema as unknown as z.ZodNumber).isInt ? toInteger : toNumber;
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

/**
 * Returns whether the schema strips surrounding blanks. This also works for a schema with `.refine()` or
 * another modifier, because modifiers keep the checks.
 */
function losesBlanks({ checks }: z.core.$ZodStringDef): boolean {
  return checks?.some(({ _zod }) => _zod.def.check === "overwrite") ?? false;
}

function blanksOff(raw: unknown): unknown {
  return typeof raw === "string" ? withoutBlanks(raw) : raw;
}

function toInteger(raw: unknown): unknown {
  return typeof raw === "string" && /^[ \t\r\n]*-?\d+[ \t\r\n]*$/.test(raw) ? Number(raw) : raw;
}

function toNumber(raw: unknown): unknown {
  return typeof raw === "string" && /^[ \t\r\n]*-?\d+(\.\d+)?[ \t\r\n]*$/.test(raw) ? Number(raw) : raw;
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
  return BOOLEANS.get(blanksOff(raw)) ?? raw;
}

function toList(element: Coercion): Coercion {
  return (raw) => {
    if (Array.isArray(raw)) return raw.map(element);
    if (!isObject(raw)) return raw;
    const names = Object.keys(raw);
    if (!names.every((name) => /^\d{1,6}$/.test(name))) return raw;
    // One empty element means an empty list, because a form cannot express an empty list in another way.
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
    return value === "" || (inner !== asIs && blanksOff(value) === "") ? empty : value;
  };
}

/**
 * Returns the coercion of an optional field. An empty number, boolean or choice counts as absent; an empty
 * text stays an empty text.
 */
function optional(inner: z.core.$ZodTypes): Coercion {
  const coerce = coercionOf(inner);
  return ["number", "boolean", "enum"].includes(inner._zod.def.type) ? emptyTo(undefined, coerce) : coerce;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
