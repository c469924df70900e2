/** Builds the HTTP application: every endpoint with the pipeline, and the pages outside the API. */
import { type Context, Hono } from "hono";
import type { Origin } from "../domain/audit.ts";
import { RELEASE } from "../domain/release.ts";
import type { ServiceContext } from "../services/context.ts";
import { AuthThrottle } from "./limits/auth_throttle.ts";
import { DEFAULT_BODY_LIMIT, DEFAULT_BODY_TIMEOUT } from "./input/body.ts";
import { TrustedProxies } from "./limits/client_address.ts";
import type { Endpoint } from "./endpoint.ts";
import { HttpError } from "./errors.ts";
import { addDocs } from "./docs.ts";
import { errorResponse, type PipelineContext, serve } from "./pipeline.ts";
import { Metrics } from "./metrics.ts";
import { type App, observe, type RouteVariables } from "./observe.ts";
import { openidCookie, sessionCookie } from "./cookies.ts";
import { DEFAULT_STREAM_LIMIT, OpenStreams } from "./limits/open_streams.ts";
import { openapiDocument } from "./openapi.ts";
import { RateLimiter } from "./limits/rate_limit.ts";
import { ENDPOINTS, GROUPS } from "./routes.ts";

export interface AppOptions {
  readonly services: ServiceContext;
  /** URL at which callers reach this control plane; if null, each request's `Host` header names it. */
  readonly publicUrl?: string | null;
  /** Maximum number of requests per minute for each token or session; 0 for no limit. */
  readonly rateLimitPerMinute?: number;
  /** Maximum number of open streams for each token or session. */
  readonly streamLimit?: number;
  /** The maximum size of a request body, in bytes. */
  readonly bodyLimit?: number;
  /** Time within which a request body must arrive, in milliseconds. */
  readonly bodyTimeout?: number;
  /** Maximum number of failed authentications per minute for each address; 0 for no limit. */
  readonly authFailuresPerMinute?: number;
  /** Addresses, or `address/bits`, of proxies whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies?: readonly string[];
  /** Handles a request to `/api/agent/connect`. */
  readonly connectAgent?: (request: Request, origin: Origin) => Response | Promise<Response>;
  /** Functions that add pages outside the API. Each function adds its own routes. */
  readonly pages?: readonly AddPages[];
}

/** Adds routes. Can return the page that browsers get at an address without a route. */
export type AddPages = (app: App) => MissingPage | void;
export type MissingPage = (c: Context<RouteVariables>) => Response | Promise<Response>;

export function createApp(options: AppOptions): App {
  const publicUrl = options.publicUrl?.replace(/\/+$/, "") ?? null;
  const metrics = new Metrics(options.services);
  let document: string | undefined;
  const context: PipelineContext = {
    services: options.services,
    publicUrl,
    cookie: sessionCookie(publicUrl),
    openidCookie: openidCookie(publicUrl),
    bodyLimit: options.bodyLimit ?? DEFAULT_BODY_LIMIT,
    bodyTimeout: options.bodyTimeout ?? DEFAULT_BODY_TIMEOUT,
    throttle: new AuthThrottle(options.authFailuresPerMinute ?? 0, options.services.clock),
    limiter: new RateLimiter(options.rateLimitPerMinute ?? 0, options.services.clock),
    streams: new OpenStreams(options.streamLimit ?? DEFAULT_STREAM_LIMIT),
    extras: {
      connectAgent: options.connectAgent ?? refuseAgents,
      metrics: () => metrics.text(),
      openapi: () => document ??= JSON.stringify(openapiDocument(ENDPOINTS, GROUPS, publicUrl, RELEASE)),
    },
  };
  // Requests that pages make in order to read are not counted. Open pages renew themselves, and must not use
  // up the limit of their user.
  const forPages: PipelineContext = { ...context, limiter: new RateLimiter(0, options.services.clock) };
  const proxies = new TrustedProxies(options.trustedProxies ?? []);
  const app = new Hono<RouteVariables>();
  app.use(observe(options.services.clock, metrics, publicUrl?.startsWith("https:") ?? false));
  for (const endpoint of literalFirst(ENDPOINTS)) {
    app.on(
      endpoint.method,
      endpoint.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      (c) => {
        c.set("route", endpoint.path);
        const forwardedFor = c.req.raw.headers.get("x-forwarded-for");
        const address = proxies.clientOf(c.env?.remoteAddress ?? null, forwardedFor);
        return serve(c.env?.isPageRead === true ? forPages : context, endpoint, c.req.raw, c.req.param(), {
          address,
          requestId: c.get("requestId"),
        });
      },
    );
  }
  const missing = [addDocs, ...options.pages ?? []].map((addPages) => addPages(app)).find((page) => !!page);
  app.notFound((c) => missing !== undefined && isForPage(c.req.raw) ? missing(c) : unmatched(app, c));
  app.onError((error, c) => errorResponse(error, c.req.raw));
  return app;
}

/** Returns whether the request is a browser's request for a page outside the API. */
function isForPage(request: Request): boolean {
  const isHtml = (request.headers.get("accept") ?? "").includes("text/html");
  return request.method === "GET" && isHtml && !/^\/api(\/|$)/.test(new URL(request.url).pathname);
}

/**
 * Sorts the endpoints so that `/backup-tasks/upcoming` comes before `/backup-tasks/{id}`, because the first
 * route that matches is used.
 */
function literalFirst(endpoints: readonly Endpoint[]): Endpoint[] {
  const key = ({ path }: Endpoint) => path.replaceAll(/\{\w+\}/g, "~");
  return endpoints.toSorted((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}

/**
 * Returns the response to a request that no route handles. If no route has this path, the response is a 404.
 * If a route has this path, the response is a 204 for OPTIONS and a 405 for any other method.
 *
 * The router also returns the middleware that observes requests, for every path. The middleware does not
 * count as a route.
 */
function unmatched(app: App, c: Context): Response {
  const allowed = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 1);
  if (allowed.length === 0) {
    return errorResponse(new HttpError(404, "Nothing exists at this address."), c.req.raw);
  }
  if (allowed.includes("GET")) allowed.push("HEAD");
  const headers = { Allow: [...allowed, "OPTIONS"].join(", ") };
  if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers });
  return errorResponse(new HttpError(405, `${c.req.method} is not supported here.`, headers), c.req.raw);
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

function refuseAgents(): Response {
  throw new HttpError(503, "This process accepts no agents.");
}
