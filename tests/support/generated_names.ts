/**
 * Names that client generators, such as orval, derive from an OpenAPI document: a type for each part of it.
 */

// deno-lint-ignore no-explicit-any
type Document = any;

/** Suffixes of an operation's types, besides the names of its parameters. */
const OF_OPERATIONS = [
  "Result",
  "Params",
  "PathParameters",
  "Body",
  "BodyOne",
  "BodyTwo",
  "Headers",
  "Error",
];

export interface GeneratedName {
  readonly name: string;
  /** The part of the document it is derived from. */
  readonly of: string;
}

/** Yields every name, as often as it is derived. */
export function* generatedNames(document: Document): Generator<GeneratedName> {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    yield { name: pascal(name), of: `component ${name}` };
    yield* ofSchema(schema, pascal(name), `component ${name}`);
  }
  for (const [path, item] of Object.entries<Document>(document.paths)) {
    for (const [method, operation] of Object.entries<Document>(item)) {
      const of = `${method.toUpperCase()} ${path}`;
      const base = pascal(operation.operationId);
      for (const ending of OF_OPERATIONS) yield { name: `${base}${ending}`, of: `${of} ${ending}` };
      for (const { name, in: place, schema } of operation.parameters ?? []) {
        if (place !== "query" || schema?.$ref !== undefined || schema?.allOf !== undefined) continue;
        yield { name: `${base}${pascal(name)}`, of: `${of} ?${name}` };
      }
      for (const [status, { content }] of Object.entries<Document>(operation.responses)) {
        const schema = content?.["application/json"]?.schema;
        yield { name: `${base}${status}`, of: `${of} ${status}` };
        if (schema !== undefined) yield* ofSchema(schema, `${base}${status}`, `${of} ${status}`);
      }
      const body = operation.requestBody?.content?.["application/json"]?.schema;
      if (body !== undefined) yield* ofSchema(body, `${base}Body`, `${of} body`);
    }
  }
}

/** A referenced schema already has its name. */
function* ofSchema(schema: Document, base: string, of: string): Generator<GeneratedName> {
  if (schema.$ref !== undefined) return;
  for (const [name, property] of Object.entries<Document>(schema.properties ?? {})) {
    const own = `${base}${pascal(name)}`;
    if (property.$ref !== undefined) continue;
    yield { name: own, of: `${of}.${name}` };
    yield* ofSchema(property, own, `${of}.${name}`);
  }
  if (schema.items !== undefined && schema.items.$ref === undefined) {
    yield { name: `${base}Item`, of: `${of}[]` };
    yield* ofSchema(schema.items, `${base}Item`, `${of}[]`);
  }
  for (const part of [...schema.allOf ?? [], ...schema.anyOf ?? [], ...schema.oneOf ?? []]) {
    yield* ofSchema(part, base, of);
  }
}

function pascal(name: string): string {
  return name.split(/[^A-Za-z0-9]+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
