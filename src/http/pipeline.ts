/**
 * Processes every request to an endpoint. The first step that refuses determines the response, in the API's
 * error format. The order of the steps:
 * 1. limit of failed authentications
 * 2. token or session
 * 3. rate limit
 * 4. ability
 * 5. fresh log-in
 * 6. ids
 * 7. body
 * 8. idempotency key
 * 9. validation
 * 10. handler
 * 11. audit log
 */
import { z } from "@hono/zod-openapi";
import type { Credential } from "../domain/access/credential.ts";
import type { Origin } from "../domain/audit.ts";
import {
  InvalidError,
  NotFoundError,
  SecondFactorMissingError,
  StepUpRequiredError,
  UnauthenticatedError,
} from "../domain/errors.ts";
import { type AuditedRequest, withAuditedRequest } from "../services/access/audit_log.ts";
import type { PresentedSecret } from "../services/access/callers.ts";
import { isFreshLogin } from "../services/access/sessions.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import { authenticateTrigger } from "../services/tasks/triggers.ts";
import { retryLost } from "../services/lost_connections.ts";
import { watchAgentKey, watchCaller } from "../services/access/token_watch.ts";
import { actorOf, auditOf, fieldsOf, isAudited, settleAudit } from "./audit.ts";
import { callerOf, presentedSecret, presentedTrigger, requireAccess } from "./auth.ts";
import { refuseOtherSites, requireSameSite } from "./csrf.ts";
import type { AuthThrottle } from "./limits/auth_throttle.ts";
import { NO_BODY, readBody, type RequestBody } from "./input/body.ts";
import { type Call, type Endpoint, isForUsers } from "./endpoint.ts";
import type { SecretCookie } from "./cookies.ts";
import { errorAnswer, HttpError } from "./errors.ts";
import { answerOnce } from "./idempotency.ts";
import { type FieldErrors, validate } from "./input/input.ts";
import type { OpenStreams } from "./limits/open_streams.ts";
import type { RateLimiter } from "./limits/rate_limit.ts";
import { ignoredParameters, queryErrors, readQuery } from "./input/query.ts";
import { ignoredFields, refusedFields, repeatedFields, unknownFields } from "./input/unknown_fields.ts";
import { abortOnRevocation } from "./abort_on_revocation.ts";

export interface PipelineContext {
  readonly services: ServiceContext;
  /**
   * URL at which callers reach this control plane, without a trailing slash. If null, the URL is taken from
   * each request's `Host` header.
   */
  readonly publicUrl: string | null;
  readonly cookie: SecretCookie;
  readonly openidCookie: SecretCookie;
  readonly bodyLimit: number;
  /** Time within which a request body must arrive, in milliseconds. */
  readonly bodyTimeout: number;
  readonly limiter: RateLimiter;
  readonly streams: OpenStreams;
  readonly throttle: AuthThrottle;
  /** Parts of a {@link Call} that only some endpoints need. */
  readonly extras: Pick<Call<never, never, never>, "connectAgent" | "metrics" | "openapi">;
}

/** Processes one request to `endpoint`; never rejects. `segments` are the path's parameters as sent. */
export async function serve(
  context: PipelineContext,
  endpoint: Endpoint,
  request: Request,
  segments: Readonly<Record<string, string>>,
  origin: Origin,
): Promise<Response> {
  const { services } = context;
  const limits: Record<string, string> = {};
  const audit = auditOf(services, endpoint, origin);
  const secret = secretOf(context, endpoint, request);
  let caller: Caller | null = null;
  let credential: Credential | null = null;
  let error: unknown = null;
  let isServed = false;
  let response: Response;
  const refuse = (cause: unknown) => {
    error = cause;
    return errorResponse(cause, request);
  };
  try {
    if (secret !== null) context.throttle.admit(origin.address, secret.text);
    if (endpoint.logsIn === true && endpoint.allowsOtherSites !== true) {
      refuseOtherSites(request, context.publicUrl);
    }
    caller = await retryLost(services, () => admit(context, endpoint, { request, secret, limits, audit }));
    credential = caller?.credential ?? null;
    const params = idsOf(endpoint, segments);
    audit.add({ resourceId: params.id ?? null });
    if (endpoint.access === "trigger") {
      credential = await retryLost(
        services,
        () => admitTrigger(context, params.id!, { secret, limits, audit }),
      );
    }
    const body = endpoint.takesStream === true
      ? NO_BODY
      : await readBody(request, context.bodyLimit, context.bodyTimeout);
    const call = { request, caller, params, sent: body, origin, audit };
    const work = async () => {
      isServed = true;
      const serve = () => handle(context, endpoint, call);
      return await (isAudited(endpoint) ? withAuditedRequest(audit, serve) : serve());
    };
    response = endpoint.method === "post" && credential !== null
      ? await answerOnce(
        services,
        {
          request,
          body: body.bytes,
          credential,
          showsSecretOnce: endpoint.showsSecretOnce ?? false,
        },
        () => work().catch(refuse),
      )
      : await work();
  } catch (cause) {
    response = refuse(cause);
  }
  if (secret !== null) countAttempt(context, origin, secret.text, credential !== null, response.status);
  // Do not record a 401 for a request without a secret: the request is not an attempt to authenticate. A
  // failed log-in is such an attempt, so it is recorded.
  if (response.status !== 401 || secret !== null || endpoint.logsIn === true) {
    try {
      await settleAudit(services, endpoint, audit, { status: response.status, error, isServed });
    } catch (cause) {
      await response.body?.cancel();
      response = refuse(cause);
    }
  }
  response = withRevocation(services, endpoint, caller, secret, response);
  for (const [name, value] of Object.entries(limits)) response.headers.set(name, value);
  return response;
}

/**
 * Counts the result of an authentication in the throttle:
 * - A 401 is a failure.
 * - For an API token, any other response is a success.
 * - For an agent key, a response without an error is a success. Any other error counts as neither, because it
 *   might come before the handler checks the key.
 */
function countAttempt(
  { throttle }: PipelineContext,
  { address }: Origin,
  secret: string,
  isKnown: boolean,
  status: number,
): void {
  if (status === 401) throttle.recordFailure(address, secret);
  else if (isKnown || status < 400) throttle.recordSuccess(address, secret);
}

function withRevocation(
  services: ServiceContext,
  { access }: Endpoint,
  caller: Caller | null,
  secret: PresentedSecret | null,
  response: Response,
): Response {
  if (access === "public" || access === "trigger" || secret === null || !response.ok) return response;
  if (access === "agent") return abortOnRevocation(response, () => watchAgentKey(services, secret.text));
  const ability = access === "any token" || access === "session" ? null : access;
  return abortOnRevocation(response, () => watchCaller(services, caller!, ability));
}

/** Converts any error to a response in the API's error format. */
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
  { services, limiter, publicUrl }: PipelineContext,
  endpoint: Endpoint,
  { request, secret, limits, audit }: {
    request: Request;
    secret: PresentedSecret | null;
    limits: Record<string, string>;
    audit: AuditedRequest;
  },
): Promise<Caller | null> {
  const { access, method, needsFreshLogin = method === "delete" } = endpoint;
  if (access === "public" || access === "agent" || access === "trigger") return null;
  const caller = await callerOf(services, secret);
  audit.add({ actor: actorOf(caller), workspaceId: caller.workspaceId });
  Object.assign(limits, limiter.take(caller.credential));
  if (caller.credential.kind === "session") requireSameSite(request, secret!.text, publicUrl);
  requireAccess(caller, access);
  if (caller.lacksSecondFactor === true && endpoint.allowsMissingSecondFactor !== true) {
    throw new SecondFactorMissingError();
  }
  if (needsFreshLogin === true) await requireFreshLogin(services, caller);
  return caller;
}

function secretOf(
  { cookie }: PipelineContext,
  { access }: Endpoint,
  request: Request,
): PresentedSecret | null {
  if (access === "public") return null;
  return access === "trigger" ? presentedTrigger(request) : presentedSecret(request, cookie);
}

/**
 * Returns the credential of a trigger. Throws an `UnauthenticatedError` if the request has no token, or if
 * its token does not belong to the task.
 */
async function admitTrigger(
  { services, limiter }: PipelineContext,
  taskId: number,
  { secret, limits, audit }: {
    secret: PresentedSecret | null;
    limits: Record<string, string>;
    audit: AuditedRequest;
  },
): Promise<Credential> {
  if (secret === null) throw new UnauthenticatedError();
  const { credential, workspaceId } = await authenticateTrigger(services, taskId, secret.text);
  audit.add({ actor: { type: "trigger" }, workspaceId });
  Object.assign(limits, limiter.take(credential));
  return credential;
}

async function requireFreshLogin(services: ServiceContext, caller: Caller): Promise<void> {
  if (!await isFreshLogin(services, caller)) throw new StepUpRequiredError();
}

/**
 * Returns the ids in the request's path. If a path segment is not a valid id, throws the `NotFoundError` of
 * the resource. For a trigger endpoint, throws an `UnauthenticatedError` instead, as an unknown task does.
 */
function idsOf(
  { access, ids }: Endpoint,
  segments: Readonly<Record<string, string>>,
): Record<string, number> {
  const params: Record<string, number> = {};
  for (const [name, resource] of Object.entries(ids ?? {})) {
    const id = /^[1-9]\d{0,15}$/.test(segments[name] ?? "") ? Number(segments[name]) : NaN;
    if (!Number.isSafeInteger(id)) {
      throw access === "trigger" ? new UnauthenticatedError() : new NotFoundError(resource as string);
    }
    params[name] = id;
  }
  return params;
}

async function handle(
  { services, publicUrl, cookie, openidCookie, streams, extras }: PipelineContext,
  endpoint: Endpoint,
  { request, caller, params, sent, origin, audit }: {
    request: Request;
    caller: Caller | null;
    params: Record<string, number>;
    sent: RequestBody;
    origin: Origin;
    audit: AuditedRequest;
  },
): Promise<Response> {
  const { query, body, warnings } = validateInput(endpoint, request, sent);
  audit.add({ fields: fieldsOf(sent.value, body) });
  const { needsFreshLogin } = endpoint;
  if (caller !== null && typeof needsFreshLogin === "function" && needsFreshLogin(body)) {
    await requireFreshLogin(services, caller);
  }
  const call: Call<string, unknown, unknown> = {
    services,
    get caller() {
      if (caller === null) throw new UnauthenticatedError();
      return caller;
    },
    holdStream: () => streams.hold(call.caller.credential),
    params,
    query,
    body,
    request,
    origin,
    cookie,
    openidCookie,
    baseUrl: publicUrl ?? new URL(request.url).origin,
    ...extras,
  };
  const work = async () => await endpoint.handle(call as never);
  const answer = await (endpoint.method === "get" ? retryLost(services, work) : work());
  return answer instanceof Response ? answer : json(answer.status, withWarnings(answer.body, warnings));
}

function withWarnings(body: unknown, warnings: readonly string[]): unknown {
  if (warnings.length === 0 || typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const { warnings: own = [] } = body as { warnings?: readonly string[] };
  return { ...body, warnings: [...warnings, ...own] };
}

interface Checked {
  readonly query: unknown;
  readonly body: unknown;
  /** Sentences for the caller about ignored input. */
  readonly warnings: readonly string[];
}

/**
 * Validates the query and the body against the endpoint's types. Throws one `InvalidError` for all errors in
 * both.
 */
function validateInput(
  endpoint: Endpoint,
  request: Request,
  { value: sent, repeated }: RequestBody,
): Checked {
  const errors: FieldErrors = {};
  const check = (schema: z.ZodType, raw: unknown): unknown => {
    const result = validate(schema, raw);
    if (result.ok) return result.value;
    Object.assign(errors, result.errors);
  };
  const parameters = readQuery(request.url);
  const warnings: string[] = [];
  let query: unknown = {};
  if (endpoint.query !== undefined) {
    query = check(endpoint.query, Object.fromEntries(parameters));
    // Agents' parameters are not checked, because newer agents may send parameters that this control plane
    // does not support.
    if (isForUsers(endpoint)) {
      Object.assign(errors, queryErrors(parameters, Object.keys(endpoint.query.shape)));
    }
  } else if (endpoint.refusesUnknown) {
    Object.assign(errors, queryErrors(parameters, []));
  } else if (isForUsers(endpoint)) {
    warnings.push(...ignoredParameters(parameters));
  }
  let body: unknown;
  if (endpoint.body !== undefined) {
    if (sent !== undefined && (typeof sent !== "object" || sent === null || Array.isArray(sent))) {
      throw new HttpError(400, "The request body must be a JSON object.");
    }
    body = check(endpoint.body.schema, sent ?? {});
    if (endpoint.refusesUnknown) {
      Object.assign(errors, refusedFields(endpoint.body.schema, sent ?? {}), repeatedFields(repeated));
    } else if (isForUsers(endpoint)) {
      const unknown = unknownFields(endpoint.body.schema, sent ?? {}, shownFields(endpoint));
      Object.assign(errors, unknown.errors, repeatedFields(repeated));
      warnings.push(...unknown.warnings);
    }
  } else if (isForUsers(endpoint)) {
    warnings.push(...ignoredFields(sent));
  }
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
  return { query, body, warnings };
}

/** Returns the field names of the record that the endpoint responds with. */
function shownFields({ answer }: Endpoint): ReadonlySet<string> {
  const schema = answer.content?.schema;
  const data = schema instanceof z.ZodObject ? schema.shape.data : undefined;
  return new Set(data instanceof z.ZodObject ? Object.keys(data.shape) : []);
}
