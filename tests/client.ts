/** `deno task client`: writes the types of the API's client from the OpenAPI document. */
import { fileURLToPath } from "node:url";
import openapiTypescript, { astToString, type OpenAPI3 } from "openapi-typescript";
import { openapiDocument } from "../src/http/openapi.ts";
import { ENDPOINTS, GROUPS } from "../src/http/routes.ts";

const SCHEMA = fileURLToPath(new URL("../src/client/schema.d.ts", import.meta.url));

const HEAD = `/**
 * The types of the API: paths, parameters, requests and responses. Generated from the OpenAPI document by
 * \`deno task client\`; do not edit it.
 */

`;

/**
 * The schemas of unsuccessful responses. The generated types have one schema in place of these four, with all
 * their properties.
 */
const FAILURES = ["Error", "Unauthenticated", "Forbidden", "ValidationError"];

/** Maximum width of a comment, in columns. */
const WIDTH = 110;

// deno-lint-ignore no-explicit-any
type Json = any;

/** Returns the file's current text, and the text that it should have. */
export async function clientSchema(): Promise<{ text: string; generated: string }> {
  const document = typedPart(openapiDocument(ENDPOINTS, GROUPS, null, "0"));
  const nodes = await openapiTypescript(document, { defaultNonNullable: false, silent: true });
  return {
    text: await Deno.readTextFile(SCHEMA).catch(() => ""),
    generated: HEAD + concise(astToString(nodes)),
  };
}

/** Returns a copy of the document with only the parts that types need. */
function typedPart(document: unknown): OpenAPI3 {
  const { openapi, info, paths, components }: Json = JSON.parse(JSON.stringify(document), withoutExample);
  const operations = Object.values<Json>(paths).flatMap((item) => Object.values<Json>(item));
  for (const operation of operations) {
    for (const key of ["operationId", "description", "tags", "security"]) delete operation[key];
    delete operation.requestBody?.content["application/x-www-form-urlencoded"];
    const successes = Object.entries<Json>(operation.responses).filter(([status]) => Number(status) < 300);
    for (const [, response] of successes) delete response.headers;
    operation.responses = {
      ...Object.fromEntries(successes),
      default: { $ref: "#/components/responses/Failure" },
    };
  }
  const { schemas, parameters } = components;
  const responses = {
    Failure: {
      description: "Any unsuccessful response.",
      content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
    },
  };
  return { openapi, info, paths, components: { schemas: withFailure(schemas), parameters, responses } };
}

function withFailure(schemas: Json): Json {
  const parts = FAILURES.flatMap((name) => schemas[name].allOf ?? [schemas[name]]);
  const properties = Object.assign({}, ...parts.map((part) => part.properties));
  const kept = Object.entries(schemas).filter(([name]) => !FAILURES.includes(name));
  return { ...Object.fromEntries(kept), Failure: { type: "object", properties, required: ["message"] } };
}

function withoutExample(key: string, value: Json): Json {
  return key === "example" ? undefined : value;
}

/**
 * Shortens generated types. Cuts each comment to its first sentence. Leaves out methods and parameters that a
 * path does not have.
 */
function concise(types: string): string {
  return types
    .replaceAll(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2))
    .replaceAll(/^ *\/\*\*[\s\S]*?\*\/\n/gm, comment)
    .replaceAll(/^ {4}(?:get|put|post|delete|options|head|patch|trace)\?: never;\n/gm, "")
    .replaceAll(/^ {4}parameters: \{\n(?: {6}\w+\?: never;\n)+ {4}\};\n/gm, "");
}

function comment(text: string): string {
  const indent = /^ */.exec(text)![0];
  const words = text.replaceAll(/^ *\/\*\*|\*\/\n$/g, "").split("\n")
    .map((line) => line.replace(/^ *\* ?/, "").trim())
    .filter((line) => line !== "" && !/^(@enum|@default|Format:)/.test(line))
    .join(" ").replaceAll("@description ", "");
  const [first] = /^.*?\.(?= |$)/.exec(words) ?? [words];
  const sentence = first.replace(/^What /, "Says what ");
  // "Of the text, in hex" only makes sense beside the field's other documentation.
  if (sentence === "" || sentence.startsWith("Of ")) return "";
  const line = `${indent}/** ${sentence} */\n`;
  if (line.length <= WIDTH) return line;
  return `${indent}/**\n${wrapped(sentence, `${indent} * `)}${indent} */\n`;
}

/** Breaks a text into lines that begin with `start` and are not wider than {@link WIDTH}. */
function wrapped(text: string, start: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && start.length + last.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.map((line) => `${start}${line}\n`).join("");
}

if (import.meta.main) await Deno.writeTextFile(SCHEMA, (await clientSchema()).generated);
