/** Defines one operation of the API: its path, access, input and response. */
import type { z } from "@hono/zod-openapi";
import type { Ability } from "../domain/abilities.ts";
import type { Origin } from "../domain/audit.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import type { SecretCookie } from "./cookies.ts";

/**
 * What a caller needs:
 * - An ability.
 * - `any token`: any token or any session.
 * - `session`: a session.
 * - `trigger`: the token of the task's trigger.
 * - `agent`: an agent's key. The handler checks the key.
 * - `public`: nothing.
 */
export type Access = Ability | "any token" | "session" | "trigger" | "agent" | "public";

export type Method = "get" | "post" | "put" | "delete";

/** The argument of an endpoint's `handle`. The pipeline has already validated `query` and `body`. */
export interface Call<Id extends string, Query, Body> {
  readonly services: ServiceContext;
  /** The authenticated caller. `public` and `agent` endpoints have none: reading this property throws. */
  readonly caller: Caller;
  /** The ids in the path, by the names of its parameters. */
  readonly params: Readonly<Record<Id, number>>;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  /**
   * The scheme, host and optional prefix at which callers reach this control plane, without a trailing slash.
   */
  readonly baseUrl: string;
  /**
   * Counts an open stream of the caller. Returns the function to call when the stream ends. Throws a 429 if
   * the caller has too many open streams.
   */
  readonly holdStream: () => () => void;
  /** The client's address and the request's id. */
  readonly origin: Origin;
  /** The cookie that holds a session's secret. */
  readonly cookie: SecretCookie;
  /** The cookie that binds a log-in at an OpenID Connect provider to the browser. */
  readonly openidCookie: SecretCookie;
  /** Handles an agent's websocket request. */
  readonly connectAgent: (request: Request, origin: Origin) => Response | Promise<Response>;
  /** The text of `/metrics`. */
  readonly metrics: () => Promise<string>;
  /** The text of `/openapi.json`. */
  readonly openapi: () => string;
}

/** The status and JSON body of a response. Instead of this object, a handler can also return a `Response`. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface AnswerDescription {
  readonly status: number;
  readonly description: string;
  /** The body's media type, schema and example; absent if the response has no body. */
  readonly content?: { readonly type: string; readonly schema: z.ZodType; readonly example: unknown };
}

export interface EndpointDefinition<Id extends string, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly method: Method;
  /** The path in OpenAPI's notation: `/api/tags/{id}`. */
  readonly path: string;
  /** The operation's unique name, in camel case: `listTags`. */
  readonly operationId: string;
  readonly group: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  /**
   * Whether a caller with a session needs a fresh log-in. If this depends on the request body, a function
   * that gets the body. Default: true for DELETE, false for all other methods.
   */
  readonly needsFreshLogin?: boolean | ((body: z.output<Body>) => boolean);
  /** Whether a session can use the endpoint while its user still lacks a required second factor. */
  readonly allowsMissingSecondFactor?: boolean;
  /**
   * Whether the endpoint logs callers in. If so, failed log-ins are recorded, and requests from pages of
   * other sites are refused.
   */
  readonly logsIn?: boolean;
  /**
   * If true, the endpoint accepts requests from pages of other sites even if `logsIn` is true. The handler
   * must then check itself that the log-in was begun here, in the same browser.
   */
  readonly allowsOtherSites?: boolean;
  /**
   * Maps each id parameter of the path to the name of its resource, for the 404 response: `{ id: "Tag" }`.
   */
  readonly ids?: Readonly<Record<Id, string>>;
  readonly query?: Query;
  readonly body?: { readonly schema: Body; readonly example: unknown };
  readonly answer: AnswerDescription;
  /** Whether the handler reads `request.body` as a stream, of any type and size. */
  readonly takesStream?: boolean;
  /**
   * Whether unknown fields and query parameters are refused, because ignoring a misspelt one could do harm.
   */
  readonly refusesUnknown?: boolean;
  /**
   * Whether the response contains a token that is shown once. If so, a retry with the same `Idempotency-Key`
   * gets a 409.
   */
  readonly showsSecretOnce?: boolean;
  /** Whether the audit log records success. Default: false for GET, true for all other methods. */
  readonly audited?: boolean;
  /**
   * Sentences about error statuses: `{ 409: "It is running." }`. The sentences that follow from the
   * definition are added to them.
   */
  readonly errors?: Readonly<Record<number, string>>;
  handle(
    call: Call<Id, z.output<Query>, z.output<Body>>,
  ): Answer | Response | Promise<Answer | Response>;
}

/** An endpoint without its type parameters, so that one list can hold every endpoint. */
// deno-lint-ignore no-explicit-any
export type Endpoint = EndpointDefinition<any, any, any>;

/** Returns whether the endpoint is for users: callers with a token or session. */
export function isForUsers({ access }: Endpoint): boolean {
  return access !== "public" && access !== "agent" && access !== "trigger";
}

export function endpoint<
  Id extends string = never,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: EndpointDefinition<Id, Query, Body>): Endpoint {
  return definition;
}
