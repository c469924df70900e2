/**
 * What every call to an endpoint goes through, in this order: token, rate limit, ability, ids, body, idempotency
 * key, validation, handler. The first to refuse answers, in the contract's shape.
 */
import type { z } from "@hono/zod-openapi";
import { InvalidError, NotFoundError, UnauthenticatedError } from "../domain/errors.ts";
import type { Caller, Services } from "../services/context.ts";
import { callerOf, requireAbility } from "./auth.ts";
import { NO_BODY, readBody } from "./body.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { errorAnswer, HttpError } from "./errors.ts";
import { answerOnce } from "./idempotency.ts";
import { type FieldErrors, validate } from "./input.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { RateLimiter } from "./rate_limit.ts";

export interface PipelineContext {
  readonly services: Services;
  /** Without a trailing slash; null: whatever host the request names. */
  readonly publicUrl: string | null;
  readonly bodyLimit: number;
  /** Milliseconds. */
  readonly bodyTimeout: number;
  readonly limiter: RateLimiter;
  readonly streams: OpenStreams;
  /** What some endpoints are given besides: see {@link Call}. */
  readonly extras: Pick<Call<never, never, never>, "connectAgent" | "metrics" | "openapi">;
}

/** Answers one request to `endpoint`; never rejects. `segments` are the path's parameters as sent. */
export async function serve(
  context: PipelineContext,
  endpoint: Endpoint,
  request: Request,
  segments: Readonly<Record<string, string>>,
): Promise<Response> {
  const limits: Record<string, string> = {};
  let response: Response;
  try {
    const caller = await admit(context, endpoint, request, limits);
    const params = idsOf(endpoint, segments);
    const { bytes, value } = endpoint.takesStream === true
      ? NO_BODY
      : await readBody(request, context.bodyLimit, context.bodyTimeout);
    const work = () => handle(context, endpoint, request, caller, params, value);
    response = endpoint.method === "post" && caller !== null
      ? await answerOnce(
        context.services,
        request,
        caller.tokenId,
        bytes,
        endpoint.showsSecretOnce ?? false,
        async () => {
          try {
            return await work();
          } catch (error) {
            return errorResponse(error, request);
          }
        },
      )
      : await work();
  } catch (error) {
    response = errorResponse(error, request);
  }
  for (const [name, value] of Object.entries(limits)) response.headers.set(name, value);
  return response;
}

/** Any error, in the contract's shape. */
export function errorResponse(error: unknown, request: Request): Response {
  const { status, body, headers } = errorAnswer(error, request);
  return json(status, body, headers);
}

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

async function admit(
  { services, limiter }: PipelineContext,
  { access }: Endpoint,
  request: Request,
  limits: Record<string, string>,
): Promise<Caller | null> {
  if (access === "public" || access === "agent") return null;
  const caller = await callerOf(services, request);
  Object.assign(limits, limiter.take(caller.tokenId));
  if (access !== "any token") requireAbility(caller, access);
  return caller;
}

/** Throws the resource's own `NotFoundError` for what can't be an id. */
function idsOf({ ids }: Endpoint, segments: Readonly<Record<string, string>>): Record<string, number> {
  const params: Record<string, number> = {};
  for (const [name, resource] of Object.entries(ids ?? {})) {
    const id = /^[1-9]\d{0,15}$/.test(segments[name] ?? "") ? Number(segments[name]) : NaN;
    if (!Number.isSafeInteger(id)) throw new NotFoundError(resource as string);
    params[name] = id;
  }
  return params;
}

async function handle(
  { services, publicUrl, streams, extras }: PipelineContext,
  endpoint: Endpoint,
  request: Request,
  caller: Caller | null,
  params: Record<string, number>,
  sent: unknown,
): Promise<Response> {
  const { query, body } = checked(endpoint, request, sent);
  const call: Call<string, unknown, unknown> = {
    services,
    get caller() {
      if (caller === null) throw new UnauthenticatedError();
      return caller;
    },
    holdStream: () => streams.hold(call.caller.tokenId),
    params,
    query,
    body,
    request,
    baseUrl: publicUrl ?? new URL(request.url).origin,
    ...extras,
  };
  const answer = await endpoint.handle(call as never);
  return answer instanceof Response ? answer : json(answer.status, answer.body);
}

/** The query and the body in the endpoint's own types; throws one `InvalidError` for all that is wrong in both. */
function checked(endpoint: Endpoint, request: Request, sent: unknown): { query: unknown; body: unknown } {
  const errors: FieldErrors = {};
  const check = (schema: z.ZodType, raw: unknown): unknown => {
    const result = validate(schema, raw);
    if (result.ok) return result.value;
    Object.assign(errors, result.errors);
  };
  const query = endpoint.query === undefined
    ? {}
    : check(endpoint.query, Object.fromEntries(new URL(request.url).searchParams));
  let body: unknown;
  if (endpoint.body !== undefined) {
    if (sent !== undefined && (typeof sent !== "object" || sent === null || Array.isArray(sent))) {
      throw new HttpError(400, "The request body must be a JSON object.");
    }
    body = check(endpoint.body.schema, sent ?? {});
  }
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
  return { query, body };
}
