/** Values that fit a JSON schema, as our OpenAPI document writes them, and values that no longer do. */
import fc from "fast-check";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: Json[];
  const?: Json;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  writeOnly?: boolean;
  example?: Json;
}

/** What a secret is made up as, so that it is known wherever it turns up. */
export const CANARY = "canary-7f3a";

/** Stands for the id of a record, which only the moment of the request knows: `n` picks one. */
export interface Reference {
  $record: string;
  n: number;
}

export class SchemaValues {
  readonly #known = new Map<string, fc.Arbitrary<Json>>();

  /** @param schemas `components.schemas` of the document. */
  constructor(private readonly schemas: Readonly<Record<string, Schema>>) {}

  resolve(schema: Schema): Schema {
    if (schema.$ref !== undefined) return this.resolve(this.schemas[schema.$ref.split("/").at(-1)!]!);
    if (schema.allOf === undefined) return schema;
    const parts = schema.allOf.map((part) => this.resolve(part));
    return {
      type: "object",
      properties: Object.assign({}, ...parts.map((part) => part.properties)),
      required: parts.flatMap((part) => part.required ?? []),
    };
  }

  /** @param name Of the property: what ends with `_id` is a record's. */
  of(schema: Schema, name = ""): fc.Arbitrary<Json> {
    const key = `${name} ${JSON.stringify(schema)}`;
    let known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, known = this.#of(this.resolve(schema), name));
    return known;
  }

  #of(schema: Schema, name: string): fc.Arbitrary<Json> {
    const any = (schemas: Schema[]) => fc.oneof(...schemas.map((each) => this.of(each, name)));
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.anyOf !== undefined) return any(schema.anyOf);
    if (schema.oneOf !== undefined) return any(schema.oneOf);
    if (Array.isArray(schema.type)) return any(schema.type.map((type) => ({ ...schema, type })));
    switch (schema.type) {
      case "null":
        return fc.constant(null);
      case "boolean":
        return fc.boolean();
      case "integer":
      case "number":
        return numberOf(schema, name);
      case "string":
        return textOf(schema);
      case "array":
        return fc.array(this.of(schema.items ?? {}, singular(name)), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? 4, 4)),
        });
      case "object":
        return this.#objectOf(schema);
      default:
        return fc.constantFrom<Json>("text", 1, null);
    }
  }

  #objectOf({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<Json> {
    const fields = Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, this.of(schema, name)]),
    );
    if (Object.keys(fields).length === 0 && typeof additionalProperties === "object") {
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), this.of(additionalProperties), {
        maxKeys: 3,
        noNullPrototype: true,
      });
    }
    return fc.record(fields, {
      requiredKeys: required.filter((name) => name in fields),
      noNullPrototype: true,
    }) as fc.Arbitrary<Json>;
  }
}

const singular = (name: string) =>
  name.endsWith("_ids") ? `${name.slice(0, -1)}` : name === "tags" ? "tag_id" : "";

function numberOf(schema: Schema, name: string): fc.Arbitrary<Json> {
  if (name.endsWith("_id")) {
    return fc.nat(5).map((n) => ({ $record: name.slice(0, -3), n }) satisfies Reference as unknown as Json);
  }
  const [min, max] = [schema.minimum ?? -5, schema.maximum ?? 2 ** 53 - 1];
  return fc.oneof(
    fc.constantFrom<number>(min, max),
    fc.integer({ min, max: Math.min(max, min + 30) }),
    fc.constant(typeof schema.example === "number" ? schema.example : min),
  );
}

const UNITS = ["grapheme", "binary", "binary-ascii"] as const;

function textOf(schema: Schema): fc.Arbitrary<Json> {
  const { minLength = 0, maxLength = 60 } = schema;
  if (schema.format === "password" || schema.writeOnly === true) {
    return fc.nat(999).map((n) => `${CANARY}-${n}`.padEnd(minLength, "x"));
  }
  if (schema.format === "date-time") {
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((at) =>
      at.toISOString()
    );
  }
  if (schema.format === "email") return fc.nat(999).map((n) => `jo${n}@example.test`);
  const example = typeof schema.example === "string" ? [fc.constant(schema.example)] : [];
  if (schema.pattern !== undefined) {
    return fc.oneof(...example, ...matching(schema.pattern));
  }
  return fc.oneof(
    ...example,
    ...UNITS.map((unit) => fc.string({ unit, minLength, maxLength: Math.min(maxLength, 30) })),
    fc.constantFrom("x".repeat(Math.min(maxLength, 10_000)), "☂".repeat(Math.min(maxLength, 10_000))),
    fc.constantFrom("/srv/data", "*", "UTC", "en", "0 3 * * *", "web", "203.0.113.9"),
  );
}

function matching(pattern: string): fc.Arbitrary<Json>[] {
  try {
    return [fc.stringMatching(new RegExp(pattern, "u"))];
  } catch {
    return []; // it uses what fast-check can't turn round
  }
}

/** What no schema of ours asks for, or what lies just beyond its limits. */
export const EVIL: readonly Json[] = [
  null,
  true,
  "",
  " ",
  0,
  -1,
  0.5,
  1e308,
  2 ** 53,
  2 ** 31,
  2 ** 63,
  "9223372036854775808",
  "NaN",
  "1e5",
  "\0",
  "\ud800",
  "a\nb",
  "x".repeat(70_000),
  [],
  {},
  [[[[[[]]]]]],
  Array(1500).fill("a"),
  { constructor: { prototype: {} } },
  "' or 1=1 --",
  "../../etc/passwd",
  "%00",
  "0000-00-00",
  "275760-09-13T00:00:00.001Z",
  "-000001-01-01T00:00:00Z",
  "{}",
  "http://127.0.0.1:1/",
];

/** Takes a part of a value away, puts something evil in its place, or in its name's. */
export interface Mutation {
  place: number;
  evil: number;
  how: "replace" | "remove" | "repeat" | "rename";
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat(),
  evil: fc.nat(EVIL.length - 1),
  how: fc.constantFrom("replace", "replace", "replace", "remove", "repeat", "rename"),
});

export function mutated(value: Json, { place, evil, how }: Mutation): Json {
  const copy = structuredClone(value);
  const places: { in: Record<string, Json>; name: string }[] = [];
  const walk = (inner: Json) => {
    if (typeof inner !== "object" || inner === null) return;
    for (const name of Object.keys(inner)) {
      places.push({ in: inner as Record<string, Json>, name });
      walk((inner as Record<string, Json>)[name]!);
    }
  };
  walk(copy);
  const chosen = places[place % places.length];
  if (chosen === undefined) return EVIL[evil]!;
  const { in: holder, name } = chosen;
  if (how === "replace" || (how === "rename" && Array.isArray(holder))) {
    holder[name] = structuredClone(EVIL[evil]!);
  } else if (how === "remove") delete holder[name];
  else if (how === "repeat") holder[name] = [holder[name]!, structuredClone(holder[name]!)];
  else holder[`${EVIL[evil]}`.slice(0, 300)] = holder[name]!;
  return copy;
}
