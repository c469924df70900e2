/**
 * Builds the OpenAPI document from the endpoints' schemas, and the errors that follow from each definition.
 */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { UNREACHABLE_MESSAGE } from "../domain/database/database_trouble.ts";
import { type Endpoint, isForTokens } from "./endpoint.ts";
import { ERROR_TITLES } from "./errors.ts";

const ErrorBody = z.object({ error: z.string(), message: z.string() }).openapi("Error");
const InvalidBody = ErrorBody.extend({
  errors: z.record(z.string(), z.array(z.string())).openapi({
    description:
      "Each wrong field, by the name it was sent under (`a.b` for a nested one), with what is wrong.",
  }),
}).openapi("ValidationError");
const UnauthenticatedBody = z.object({ message: z.string() }).openapi("Unauthenticated");

/** @param publicUrl The URL at which callers reach the API; null: the URL of the document. */
export function openapiDocument(
  endpoints: readonly Endpoint[],
  groups: Readonly<Record<string, string>>,
  publicUrl: string | null,
  version: string,
) {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "An API token, `rg_…`. Each operation names the ability that the token needs.",
  });
  registry.registerComponent("securitySchemes", "agentKey", {
    type: "http",
    scheme: "bearer",
    description: "The key that an agent got when it enrolled.",
  });
  for (const [name, header] of Object.entries(HEADERS)) registry.registerComponent("headers", name, header);
  registry.registerComponent("parameters", "Idempotency-Key", {
    name: "Idempotency-Key",
    in: "header",
    description: "A retry with the same key and body within 24 hours gets the first answer again.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
    example: "5f0c6d0e-7a52-4b1f-9d55-1f4f6b2f9a10",
  });
  for (const endpoint of endpoints) registry.registerPath(describe(endpoint));
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Rearguard",
      version,
      description: "A self-hosted backup control plane: backup tasks, their runs, and where the backups are.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: publicUrl ?? "/" }],
    tags: Object.entries(groups).map(([name, description]) => ({ name, description })),
  });
}

type Route = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];
type Response = Route["responses"][string];

function describe(endpoint: Endpoint): Route {
  const { method, path, operationId, group, summary, description, body, answer } = endpoint;
  const isToken = isForTokens(endpoint);
  return {
    method,
    path,
    operationId,
    summary,
    description: [description, accessSentence(endpoint)].filter((text) => text !== undefined).join("\n\n"),
    tags: [group],
    security: isToken ? [{ token: [] }] : endpoint.access === "agent" ? [{ agentKey: [] }] : [],
    parameters: isToken && method === "post"
      ? [{ $ref: "#/components/parameters/Idempotency-Key" }]
      : undefined,
    request: {
      params: pathParameters(path),
      query: endpoint.query,
      body: body === undefined ? undefined : { required: true, content: bodyContent(body) },
    },
    responses: {
      [answer.status]: {
        description: answer.description,
        headers: isToken ? headers("X-RateLimit-Limit", "X-RateLimit-Remaining") : undefined,
        content: answer.content === undefined ? undefined : {
          [answer.content.type]: { schema: withWarnings(endpoint), example: answer.content.example },
        },
      },
      ...errorResponses(endpoint),
    },
  };
}

/** Adds `warnings` to the response of an endpoint that takes fields: they list the ignored ones. */
function withWarnings(endpoint: Endpoint): z.ZodType {
  const { body, answer, refusesUnknown } = endpoint;
  const schema = answer.content!.schema;
  if (body === undefined || refusesUnknown || !isForTokens(endpoint) || !(schema instanceof z.ZodObject)) {
    return schema;
  }
  return schema.extend({
    warnings: z.array(z.string()).optional().openapi({
      description: "Fields that were sent and ignored, as the operation has no such field.",
    }),
  });
}

function accessSentence({ access }: Endpoint): string | undefined {
  if (access === "public" || access === "agent") return undefined;
  return access === "any token" ? "Any token will do." : `Needs the \`${access}\` ability.`;
}

function bodyContent({ schema, example }: NonNullable<Endpoint["body"]>) {
  return {
    "application/json": { schema, example },
    "application/x-www-form-urlencoded": { schema, example },
  };
}

/** Returns the path's parameters: `{id}` is always an id, any other parameter is text. */
function pathParameters(path: string): z.ZodObject | undefined {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  if (names.length === 0) return undefined;
  return z.object(Object.fromEntries(names.map((name) => [
    name,
    name === "id"
      ? z.int().openapi({ minimum: 1, maximum: undefined, example: 1 })
      : z.string().openapi({ example: name }),
  ])));
}

/**
 * Returns the errors of an endpoint by status, with the sentence that says when. The endpoint's own ones are
 * added.
 */
function errorResponses(endpoint: Endpoint): Record<string, Response> {
  const { method, access, ids, query, body, errors = {} } = endpoint;
  const isToken = isForTokens(endpoint);
  const sentences: Record<number, string> = {};
  if (method !== "get") {
    sentences[400] = "The body is broken.";
    sentences[408] = "The body did not come in time.";
    sentences[413] = "The body is too large.";
    sentences[415] = "The body is neither JSON nor a form.";
  }
  if (access !== "public") sentences[401] = "The token is missing, unknown, expired or revoked.";
  if (isToken && access !== "any token") sentences[403] = `The token lacks the \`${access}\` ability.`;
  const resources = Object.values(ids ?? {});
  if (resources.length > 0) {
    sentences[404] = `There is no such ${resources.join(" or ").toLowerCase()} of the caller.`;
  }
  if (isToken && method === "post") {
    sentences[409] = "The first call with this `Idempotency-Key` is still at work, or can't be shown again.";
  }
  if (body !== undefined || query !== undefined || (isToken && method === "post")) {
    sentences[422] = "Something in the request is wrong; each wrong field is named.";
  }
  const bad = "this address showed too many tokens or keys that are no good.";
  if (isToken) sentences[429] = `The token made too many calls this minute, or ${bad}`;
  else if (access === "agent") sentences[429] = `T${bad.slice(1)}`;
  sentences[500] = "Something went wrong on the server.";
  sentences[503] = "The database can't be reached.";
  for (const [status, text] of Object.entries(errors)) {
    const before = sentences[Number(status)];
    sentences[Number(status)] = before === undefined ? text : `${text} Or: ${before}`;
  }
  return Object.fromEntries(
    Object.entries(sentences).map((
      [status, text],
    ) => [status, errorResponse(Number(status), text, endpoint)]),
  );
}

function errorResponse(status: number, description: string, endpoint: Endpoint): Response {
  return {
    description,
    headers: status === 401
      ? headers("WWW-Authenticate")
      : status === 429
      ? headers("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
      : undefined,
    content: { "application/json": errorContent(status, endpoint) },
  };
}

function errorContent(status: number, endpoint: Endpoint) {
  if (status === 401) return { schema: UnauthenticatedBody, example: { message: "Unauthenticated." } };
  const error = ERROR_TITLES[status] ?? "Error";
  if (status !== 422) {
    return { schema: ErrorBody, example: { error, message: errorExample(status, endpoint) } };
  }
  const { body, query } = endpoint;
  const field = Object.keys(Object(body?.example))[0] ?? Object.keys(query?.shape ?? {})[0] ??
    "Idempotency-Key";
  const message = "The given data was invalid.";
  return {
    schema: InvalidBody,
    example: { error, message, errors: { [field]: ["What is wrong with it."] } },
  };
}

function errorExample(status: number, { access, ids }: Endpoint): string {
  switch (status) {
    case 403:
      return `This token lacks the ${access} ability.`;
    case 404:
      return `${Object.values(ids ?? {})[0] ?? "It"} not found`;
    default:
      return ERROR_EXAMPLES[status] ?? "What is wrong, and what to do next.";
  }
}

const ERROR_EXAMPLES: Readonly<Record<number, string>> = {
  400: "The request body is not valid JSON.",
  408: "The request body did not come in time.",
  409: "The first request with this Idempotency-Key is still at work; try again in a moment.",
  410: "It is not there. It was deleted or moved away.",
  411: "The Content-Length header must tell how many bytes follow.",
  413: "The request body must not be larger than 1048576 bytes.",
  415:
    "The request body must be application/json or application/x-www-form-urlencoded; say which in Content-Type.",
  416: "The file has 1482 bytes; ask for a range within them.",
  421: "No download waits for this stream here.",
  429: "Too many requests; try again in 12 seconds.",
  426: "This address accepts only websockets.",
  500: "Something went wrong on the server; its log tells what.",
  503: UNREACHABLE_MESSAGE,
};

const count = { type: "integer", minimum: 0 } as const;

const HEADERS = {
  "WWW-Authenticate": { description: "`Bearer`", schema: { type: "string" }, example: "Bearer" },
  "X-RateLimit-Limit": { description: "Calls a minute.", schema: count, example: 600 },
  "X-RateLimit-Remaining": { description: "Calls left of this minute's.", schema: count, example: 599 },
  "X-RateLimit-Reset": {
    description: "When calls go through again, in Unix seconds.",
    schema: count,
    example: 1722988812,
  },
  "Retry-After": { description: "Seconds until calls go through again.", schema: count, example: 12 },
} as const;

function headers(...names: (keyof typeof HEADERS)[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
