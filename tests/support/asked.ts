/** Requests made up from the endpoints' own document, and mutated: what to send, apart from the records it is sent about. */
import fc from "fast-check";
import { RELEASE } from "../../src/domain/release.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { openapiDocument } from "../../src/http/openapi.ts";
import { ENDPOINTS, GROUPS } from "../../src/http/routes.ts";
import { EVIL, type Json, type Mutation, mutation, type Schema, SchemaValues } from "./json_schema.ts";

// deno-lint-ignore no-explicit-any
const document: any = JSON.parse(JSON.stringify(openapiDocument(ENDPOINTS, GROUPS, null, RELEASE)));
const values = new SchemaValues(document.components.schemas);

/** Whose record an id is, or that it is none. `n` picks one. */
export type PickedId = { of: "own" | "other"; n: number } | { of: "text"; text: string };

export interface Asked {
  endpoint: number;
  ids: Record<string, PickedId>;
  query: Record<string, string>;
  body: Json | null;
  mutations: Mutation[];
  coding: "json" | "form" | "broken" | "raw";
  token: "full" | "admin" | "weak" | "none" | "unknown";
  headers: Record<string, string>;
}

export interface Documented {
  readonly endpoint: Endpoint;
  /** By status. */
  readonly responses: Record<string, unknown>;
}

export const DOCUMENTED: readonly Documented[] = ENDPOINTS.map((endpoint) => ({
  endpoint,
  responses: document.paths[endpoint.path][endpoint.method].responses,
}));

const id: fc.Arbitrary<PickedId> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ of: fc.constant("own" as const), n: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ of: fc.constant("other" as const), n: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      of: fc.constant("text" as const),
      text: fc.constantFrom(
        "987654",
        "0",
        "-1",
        "01",
        "1.5",
        "1e3",
        "9007199254740993",
        "9".repeat(40),
        "x",
        "%00",
        "☂",
        "1 or 1=1",
      ),
    }),
  },
);

const evilText = fc.constantFrom(
  ...EVIL.filter((value) => typeof value === "string" && value.length < 5000),
) as fc.Arbitrary<
  string
>;

function queryOf(endpoint: Endpoint): fc.Arbitrary<Record<string, string>> {
  const parameters: { in: string; name: string; required?: boolean; schema: Schema }[] =
    document.paths[endpoint.path][endpoint.method].parameters ?? [];
  const own = parameters.filter((parameter) => parameter.in === "query");
  const fields = Object.fromEntries(own.map(({ name, schema }) => {
    const fits = values.of(schema).map((value) => typeof value === "string" ? value : JSON.stringify(value));
    return [name, fc.oneof({ weight: 5, arbitrary: fits }, { weight: 1, arbitrary: evilText })];
  }));
  const required = own.filter((parameter) => parameter.required).map(({ name }) => name);
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(fields, { requiredKeys: required, noNullPrototype: true }) },
    { weight: 1, arbitrary: fc.record(fields, { requiredKeys: [], noNullPrototype: true }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom("page", "x", "__proto__", "a[b]"), evilText, {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    },
  ) as fc.Arbitrary<Record<string, string>>;
}

function bodyOf(endpoint: Endpoint): fc.Arbitrary<Json | null> {
  const schema: Schema | undefined = document.paths[endpoint.path][endpoint.method].requestBody?.content
    ?.["application/json"]?.schema;
  if (schema === undefined) return fc.constantFrom<Json | null>(null, null, null, {}, [1], { a: 1 });
  const example = withReferences(JSON.parse(JSON.stringify(endpoint.body!.example)));
  const fields = Object.entries(values.resolve(schema).properties ?? {});
  const some = fc.record(
    Object.fromEntries(fields.map(([name, field]) => [name, values.of(field, name)])),
    { requiredKeys: [], noNullPrototype: true },
  );
  const few = fc.array(fc.nat(), { maxLength: 2 });
  return fc.oneof(
    { weight: 3, arbitrary: values.of(schema) },
    { weight: 2, arbitrary: fc.constant(example) },
    {
      weight: 5,
      arbitrary: fc.tuple(some, few).map(([fields, picks]) => {
        const names = Object.keys(fields);
        const kept = picks.map((pick) => names[pick % names.length]).filter((name) => name !== undefined);
        const chosen = Object.fromEntries(kept.map((name) => [name, fields[name]!]));
        return { ...example as object, ...chosen } as Json;
      }),
    },
  );
}

/** An example's ids are nobody's: they stand for whatever record there is. */
function withReferences(example: Json, name = ""): Json {
  if (typeof example === "number" && name.endsWith("_id")) return { $record: name.slice(0, -3), n: 0 };
  if (Array.isArray(example)) return example.map((value) => withReferences(value, name.replace(/s$/, "")));
  if (typeof example !== "object" || example === null) return example;
  return Object.fromEntries(
    Object.entries(example).map(([name, value]) => [name, withReferences(value, name)]),
  );
}

const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  fc.constantFrom<Record<string, string>>(
    { "Idempotency-Key": "a key" },
    { "Idempotency-Key": "x".repeat(300) },
    { "Content-Type": "text/plain" },
    { "Content-Type": "application/json; charset=utf-16" },
    { "Content-Encoding": "gzip" },
    { Range: "bytes=0-1" },
    { "X-Request-Id": "from a proxy" },
    { "X-Request-Id": "7C5FA2A04C524F2A8A4E0F4CB1D0A3C1" },
    { Range: "bytes=5-2,7-" },
    { "Last-Event-ID": "x" },
    { "Last-Event-ID": "99999999999999999999" },
    { Accept: "text/html" },
  ),
  fc.nat(20).map((n): Record<string, string> => ({ "Idempotency-Key": `key-${n}` })),
);

const token = fc.constantFrom<Asked["token"]>(
  ...Array(12).fill("full"),
  ...Array(4).fill("admin"),
  "weak",
  "none",
  "unknown",
);

/** One request to any of the endpoints that `wanted` lets through, each as often as every other. */
export function asked(wanted: (endpoint: Endpoint) => boolean): fc.Arbitrary<Asked> {
  const places = [...ENDPOINTS.keys()].filter((index) => wanted(ENDPOINTS[index]!));
  return fc.oneof(...places.map((index) => {
    const endpoint = ENDPOINTS[index]!;
    const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
    return fc.record({
      endpoint: fc.constant(index),
      ids: fc.record(Object.fromEntries(names.map((name) => [name, id])), { noNullPrototype: true }),
      query: queryOf(endpoint),
      body: bodyOf(endpoint),
      mutations: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
      ),
      coding: fc.constantFrom<Asked["coding"]>(...Array(8).fill("json"), "form", "form", "broken", "raw"),
      token: endpoint.access === "admin" ? fc.constantFrom(...Array(8).fill("admin"), "full", "weak") : token,
      headers,
    }, { noNullPrototype: true }) as fc.Arbitrary<Asked>;
  }));
}

/** As a body of `coding`. `broken`: JSON that ends early; `raw`: with a name that JavaScript minds. */
export function encoded(body: Json, coding: Asked["coding"]): { text: string; type: string } {
  const text = JSON.stringify(body);
  if (coding === "form") return { text: formOf(body), type: "application/x-www-form-urlencoded" };
  if (coding === "broken") return { text: text.slice(0, text.length - 1), type: "application/json" };
  if (coding === "raw" && text.startsWith("{") && text !== "{}") {
    return { text: `{"__proto__":{"is_admin":true,"id":1},${text.slice(1)}`, type: "application/json" };
  }
  return { text, type: "application/json" };
}

function formOf(body: Json): string {
  const fields = new URLSearchParams();
  const add = (value: Json, name: string) => {
    if (typeof value !== "object" || value === null) {
      return fields.append(name, value === null ? "" : `${value}`);
    }
    for (const [key, inner] of Object.entries(value)) add(inner, name === "" ? key : `${name}[${key}]`);
  };
  add(body, "");
  return `${fields}`;
}
