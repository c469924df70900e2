/**
 * Builds the OpenAPI document from the endpoints' schemas. Adds the error responses that follow from each
 * endpoint's definition.
 */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { UNREACHABLE_MESSAGE } from "../domain/database/database_trouble.ts";
import { type Endpoint, isForUsers } from "./endpoint.ts";
import { ERROR_TITLES } from "./errors.ts";
import { permitNull } from "./nullable_references.ts";

const ErrorBody = z.object({ error: z.string(), message: z.string() }).openapi("Error");
const ForbiddenBody = ErrorBody.extend({
  step_up_required: z.boolean().optional().openapi({
    description: "True if the session needs a fresh log-in; absent otherwise.",
  }),
  second_factor_setup_required: z.boolean().optional().openapi({
    description: "True if the user must set up a second factor first; absent otherwise.",
  }),
}).openapi("Forbidden");
const InvalidBody = ErrorBody.extend({
  errors: z.record(z.string(), z.array(z.string())).openapi({
    description:
      "The errors of each invalid field, by the name under which it was sent (`a.b` for a nested one).",
  }),
}).openapi("ValidationError");
const UnauthenticatedBody = z.object({
  message: z.string(),
  second_factor_required: z.boolean().optional().openapi({
    description: "True if the password is right and a second factor is needed; absent otherwise.",
  }),
  challenge: z.string().optional().openapi({
    description: "What to send to `POST /api/login/code` with the code.",
  }),
}).openapi("Unauthenticated");

/**
 * Builds the OpenAPI document.
 *
 * @param publicUrl The URL at which callers reach the API; if null, callers use the URL of the document.
 */
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
  registry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "__Host-rearguard_session",
    description:
      "The session of a log-in with a browser. Changes need the Origin of this host, and JSON or the " +
      "header `X-CSRF-Token`.",
  });
  registry.registerComponent("securitySchemes", "agentKey", {
    type: "http",
    scheme: "bearer",
    description: "The key that an agent got when it enrolled.",
  });
  registry.registerComponent("securitySchemes", "triggerToken", {
    type: "http",
    scheme: "bearer",
    description: "The token of the task's trigger.",
  });
  registry.registerComponent("securitySchemes", "triggerHeader", {
    type: "apiKey",
    in: "header",
    name: "X-Trigger-Token",
    description: "The same token, in a header of its own.",
  });
  registry.registerComponent("securitySchemes", "triggerQuery", {
    type: "apiKey",
    in: "query",
    name: "token",
    description: "The same token, for senders that can set no header.",
  });
  for (const [name, header] of Object.entries(HEADERS)) registry.registerComponent("headers", name, header);
  registry.registerComponent("parameters", "Idempotency-Key", {
    name: "Idempotency-Key",
    in: "header",
    description: "A retry with the same key and body within 24 hours gets the first response again.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
    example: "5f0c6d0e-7a52-4b1f-9d55-1f4f6b2f9a10",
  });
  for (const endpoint of endpoints) registry.registerPath(describe(endpoint));
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Rearguard",
      version,
      description: "A self-hosted backup control plane: backup tasks, their runs, and the stored backups.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: publicUrl ?? "/" }],
    tags: Object.entries(groups).map(([name, description]) => ({ name, description })),
  });
  permitNull(document);
  return document;
}

type Route = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];
type Response = Route["responses"][string];

function describe(endpoint: Endpoint): Route {
  const { method, path, operationId, group, summary, description, body, answer } = endpoint;
  const isToken = isForUsers(endpoint);
  return {
    method,
    path,
    operationId,
    summary,
    description: [description, accessSentence(endpoint)].filter((text) => text !== undefined).join("\n\n"),
    tags: [group],
    security: securityOf(endpoint),
    parameters: isToken && method === "post"
      ? [{ $ref: "#/components/parameters/Idempotency-Key" }]
      : undefined,
    request: {
      params: pathParameters(path),
      query: endpoint.query,
      body: body === undefined ? undefined : {
        required: !body.schema.safeParse({}).success,
        content: bodyContent(body),
      },
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

/**
 * Returns the response schema of an endpoint. If the endpoint ignores unknown fields, the schema has the list
 * `warnings`. The sentences in this list name two things: the ignored fields, and effects of the requested
 * change that might be unwanted.
 */
function withWarnings(endpoint: Endpoint): z.ZodType {
  const { body, answer, refusesUnknown } = endpoint;
  const schema = answer.content!.schema;
  if (body === undefined || refusesUnknown || !isForUsers(endpoint) || !(schema instanceof z.ZodObject)) {
    return schema;
  }
  return schema.extend({
    warnings: z.array(z.string()).optional().openapi({
      description:
        "Fields that were sent and ignored, because the operation does not know them, and effects of the change that " +
        "may be unwanted.",
    }),
  });
}

function securityOf(endpoint: Endpoint): Record<string, string[]>[] {
  if (endpoint.access === "session") return [{ session: [] }];
  if (isForUsers(endpoint)) return [{ token: [] }, { session: [] }];
  if (endpoint.access === "trigger") {
    return [{ triggerToken: [] }, { triggerHeader: [] }, { triggerQuery: [] }];
  }
  return endpoint.access === "agent" ? [{ agentKey: [] }] : [];
}

function accessSentence(
  { access, method, needsFreshLogin = method === "delete" }: Endpoint,
): string | undefined {
  if (access === "public" || access === "agent" || access === "trigger") return undefined;
  const need = access === "any token"
    ? "Any token is accepted."
    : access === "session"
    ? "Needs the session of a log-in; tokens are not accepted."
    : `Needs the \`${access}\` ability.`;
  if (needsFreshLogin === false) return need;
  const when = needsFreshLogin === true ? "" : ", for some requests";
  return `${need} With a session, needs a fresh log-in${when} (\`POST /api/session/step-up\`).`;
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
 * Returns an endpoint's error responses by status, including those in the endpoint's `errors`. The
 * description of each response says when the error occurs.
 */
function errorResponses(endpoint: Endpoint): Record<string, Response> {
  const { method, access, ids, query, body, errors = {} } = endpoint;
  const isToken = isForUsers(endpoint);
  const sentences: Record<number, string> = {};
  if (method !== "get") {
    sentences[400] = "The body is invalid.";
    sentences[408] = "The body did not arrive in time.";
    sentences[413] = "The body is too large.";
    sentences[415] = "The body is neither JSON nor a form.";
  }
  if (access === "trigger") {
    sentences[401] = "The token is missing or wrong, or there is no such task, or it has no trigger token.";
  } else if (access !== "public") {
    sentences[401] = "The token or session is missing, unknown, expired or revoked.";
  }
  if (isToken) sentences[403] = forbiddenSentence(endpoint);
  const resources = Object.values(ids ?? {});
  if (resources.length > 0 && access !== "trigger") {
    sentences[404] = `The caller has no such ${resources.join(" or ").toLowerCase()}.`;
  }
  if (isToken && method === "post") {
    sentences[409] =
      "The first request with this `Idempotency-Key` is still in progress, or its response can't be shown again.";
  }
  if (body !== undefined || query !== undefined || (isToken && method === "post")) {
    sentences[422] = "The request is invalid; the response names each invalid field.";
  }
  const bad = "too many failed authentications came from this address.";
  if (isToken) sentences[429] = `The caller sent too many requests this minute, or ${bad}`;
  else if (access === "agent" || access === "trigger") sentences[429] = `T${bad.slice(1)}`;
  sentences[500] = "An unexpected error occurred on the server.";
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

function forbiddenSentence({ access }: Endpoint): string {
  const other =
    "a request with a session comes from another site, or needs a fresh log-in (`step_up_required`).";
  if (access === "any token" || access === "session") return `A${other.slice(1)}`;
  return `The caller lacks the \`${access}\` ability, or ${other}`;
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
    const schema = status === 403 ? ForbiddenBody : ErrorBody;
    return { schema, example: { error, message: errorExample(status, endpoint) } };
  }
  const { body, query } = endpoint;
  const field = Object.keys(Object(body?.example))[0] ?? Object.keys(query?.shape ?? {})[0] ??
    "Idempotency-Key";
  const message = "The given data was invalid.";
  return {
    schema: InvalidBody,
    example: { error, message, errors: { [field]: ["The error of the field."] } },
  };
}

function errorExample(status: number, { access, ids }: Endpoint): string {
  switch (status) {
    case 403:
      return access === "any token" || access === "session"
        ? "This request does not come from a page of this control plane. Reload the page and try again."
        : `This token lacks the ${access} ability.`;
    case 404:
      return `${Object.values(ids ?? {})[0] ?? "It"} not found`;
    default:
      return ERROR_EXAMPLES[status] ?? "The error, and what to do next.";
  }
}

const ERROR_EXAMPLES: Readonly<Record<number, string>> = {
  400: "The request body is not valid JSON.",
  408: "The request body did not arrive in time.",
  409: "The first request with this Idempotency-Key is still in progress; try again in a moment.",
  410: "It does not exist. It was deleted or moved.",
  411: "The Content-Length header must be the number of bytes.",
  413: "The request body must not be larger than 1048576 bytes.",
  415:
    "The request body must be application/json or application/x-www-form-urlencoded; set Content-Type accordingly.",
  416: "The file has 1482 bytes; request a range within them.",
  421: "No download waits for this stream here.",
  429: "Too many requests; try again in 12 seconds.",
  426: "This address accepts only websockets.",
  500: "An unexpected error occurred on the server; its log has the details.",
  503: UNREACHABLE_MESSAGE,
};

const count = { type: "integer", minimum: 0 } as const;

const HEADERS = {
  "WWW-Authenticate": { description: "`Bearer`", schema: { type: "string" }, example: "Bearer" },
  "X-RateLimit-Limit": { description: "Calls a minute.", schema: count, example: 600 },
  "X-RateLimit-Remaining": { description: "Requests left in this minute.", schema: count, example: 599 },
  "X-RateLimit-Reset": {
    description: "The time at which requests are accepted again, in Unix seconds.",
    schema: count,
    example: 1722988812,
  },
  "Retry-After": { description: "Seconds until requests are accepted again.", schema: count, example: 12 },
} as const;

function headers(...names: (keyof typeof HEADERS)[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
