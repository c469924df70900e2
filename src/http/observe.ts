/** Wraps every response: sets common headers, counts the response and logs it. */
import { randomUUID } from "node:crypto";
import type { Context, Hono, MiddlewareHandler, Next } from "hono";
import type { Clock } from "../domain/clock.ts";
import type { Metrics } from "./metrics.ts";
import { json } from "./pipeline.ts";
import { logger, withLogContext } from "../telemetry/logging.ts";
import { activeSpan } from "../telemetry/tracing.ts";

/**
 * Values of one request. `route` is the path of the matched endpoint, for the log and the metrics. It is
 * undefined if no endpoint was matched. `requestId` is the request's id, which the response also contains.
 */
export interface RouteVariables {
  Variables: { route: string | undefined; requestId: string };
  Bindings: {
    /** The address of the socket's other end, provided by the server. */
    remoteAddress?: string;
    /** Whether a page of this process reads what it shows. Set by the page; a client cannot set it. */
    isPageRead?: boolean;
  };
}

export type App = Hono<RouteVariables>;

/**
 * Headers that prevent other sites from reading, framing or running anything of this site. A page replaces
 * `Content-Security-Policy` with its own.
 */
const HEADERS: readonly [string, string][] = [
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Cache-Control", "no-store"],
];

const log = logger("http");

/**
 * Returns the middleware that wraps every response.
 *
 * @param isHttps Whether callers use https. If so, the response headers require browsers to use https.
 */
export function observe(clock: Clock, metrics: Metrics, isHttps: boolean): MiddlewareHandler<RouteVariables> {
  const headers = isHttps
    ? [...HEADERS, ["Strict-Transport-Security", "max-age=31536000"] as [string, string]]
    : HEADERS;
  return async (c, next) => {
    const requestId = requestIdOf(c.req.raw);
    c.set("requestId", requestId);
    await withLogContext({ request_id: requestId }, () => answer(c, next));
  };

  async function answer(c: Context<RouteVariables>, next: Next): Promise<void> {
    const start = clock.monotonic();
    // If the caller's `Host` header is invalid, the URL is invalid too. Refuse such a request at once.
    if (URL.canParse(c.req.raw.url)) await next();
    else c.res = json(400, { error: "Bad Request", message: "The Host header is not valid." });
    const { res: response, req: { method, path, raw } } = c;
    if (response.status !== 101) {
      response.headers.set("X-Request-Id", c.get("requestId"));
      for (const [name, value] of headers) if (!response.headers.has(name)) response.headers.set(name, value);
    }
    if (raw.method === "HEAD") await dropBody(response);
    const seconds = (clock.monotonic() - start) / 1000;
    metrics.observe(
      KNOWN_METHODS.has(method) ? method : "other",
      c.get("route") ?? "other",
      response.status,
      seconds,
    );
    log.debug("{method} {path} {status} in {ms} ms", () => ({
      request_id: c.get("requestId"),
      method,
      path,
      status: response.status,
      ms: Math.round(seconds * 1000),
    }));
    const route = c.get("route");
    if (route === undefined) return;
    const span = activeSpan();
    span?.updateName(`${method} ${route}`);
    span?.setAttribute("http.route", route);
  }
}

/**
 * Returns the `X-Request-Id` of the request, which a proxy might have assigned. Returns a new id if the
 * header is missing or is not a UUID. A UUID without dashes is accepted, too.
 */
function requestIdOf(request: Request): string {
  const given = UUID.exec(request.headers.get("x-request-id") ?? "");
  return given === null ? randomUUID() : given.slice(1).join("-").toLowerCase();
}

const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i;

/**
 * Drops the body of the response to a HEAD request. If the body is complete, keeps its length in
 * `Content-Length`. If the body is a stream, cancels the stream.
 */
async function dropBody(response: Response): Promise<void> {
  const isWhole = /^(application\/json|text\/(?!event-stream))/.test(
    response.headers.get("content-type") ?? "",
  );
  if (isWhole) response.headers.set("Content-Length", String((await response.arrayBuffer()).byteLength));
  else await response.body?.cancel();
}

const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
