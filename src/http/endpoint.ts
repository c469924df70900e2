/** One operation of the API, in one place: its path, who may call it, what it takes, what it answers. */
import type { z } from "@hono/zod-openapi";
import type { Ability } from "../domain/abilities.ts";
import type { Origin } from "../domain/audit.ts";
import type { Caller, ServiceContext } from "../services/context.ts";

export type Method = "get" | "post" | "put" | "delete";

/** What `handle` works with. Everything in it is checked already. */
export interface Call<Id extends string, Query, Body> {
  readonly services: ServiceContext;
  /** Behind `public` and `agent` endpoints there is none: reading it throws. */
  readonly caller: Caller;
  /** The ids of the path. */
  readonly params: Readonly<Record<Id, number>>;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  /** The scheme, host and any prefix that callers reach this control plane by, without a trailing slash. */
  readonly baseUrl: string;
  /**
   * Counts an answer that stays open. Returns what is called at its end; throws a 429 where the token has too
   * many.
   */
  readonly holdStream: () => () => void;
  /** Where the request comes from. */
  readonly origin: Origin;
  /** Takes over an agent's websocket request. */
  readonly connectAgent: (request: Request, origin: Origin) => Response | Promise<Response>;
  /** The text of `/metrics`. */
  readonly metrics: () => Promise<string>;
  /** The text of `/openapi.json`. */
  readonly openapi: () => string;
}

/** JSON, unless the handler returns a `Response` of its own. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface AnswerDescription {
  readonly status: number;
  readonly description: string;
  /** Absent for an answer without a body. */
  readonly content?: { readonly type: string; readonly schema: z.ZodType; readonly example: unknown };
}

export interface EndpointDefinition<Id extends string, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly method: Method;
  /** OpenAPI's way: `/api/tags/{id}`. */
  readonly path: string;
  /** In camel case, unique: `listTags`. */
  readonly operationId: string;
  readonly group: string;
  readonly summary: string;
  readonly description?: string;
  /** The ability it needs; or any token; or an agent's key, which the handler checks; or nothing. */
  readonly access: Ability | "any token" | "agent" | "public";
  /** The path's parameters that are ids, each with the resource that a 404 names: `{ id: "Tag" }`. */
  readonly ids?: Readonly<Record<Id, string>>;
  readonly query?: Query;
  readonly body?: { readonly schema: Body; readonly example: unknown };
  readonly answer: AnswerDescription;
  /** The handler reads `request.body` as it comes, of any type and size. */
  readonly takesStream?: boolean;
  /** Refuses every unknown field and query parameter: without one of them, it would do something else. */
  readonly refusesUnknown?: boolean;
  /** The answer holds a token that is shown once: a retry with the same `Idempotency-Key` gets a 409. */
  readonly showsSecretOnce?: boolean;
  /** Whether the audit log tells of it when it succeeds. Default: of all but GET. */
  readonly audited?: boolean;
  /** Beyond what follows from the above: `{ 409: "It is running." }`. */
  readonly errors?: Readonly<Record<number, string>>;
  handle(
    call: Call<Id, z.output<Query>, z.output<Body>>,
  ): Answer | Response | Promise<Answer | Response>;
}

/** With its types checked and forgotten, so that all can be in one list. */
// deno-lint-ignore no-explicit-any
export type Endpoint = EndpointDefinition<any, any, any>;

/** Returns whether users call it with their tokens. */
export function isForTokens({ access }: Endpoint): boolean {
  return access !== "public" && access !== "agent";
}

export function endpoint<
  Id extends string = never,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: EndpointDefinition<Id, Query, Body>): Endpoint {
  return definition;
}
