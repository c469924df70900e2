/** Around every answer: the headers that all of them carry, the count and the access log. */
import { getLogger } from "@logtape/logtape";
import type { MiddlewareHandler } from "hono";
import type { Clock } from "../domain/clock.ts";
import type { Metrics } from "./metrics.ts";

/** Who was served, for the log and the figures; set by the route. */
export interface RouteVariables {
  Variables: { route: string | undefined };
}

/** No other site reads, frames or runs anything of this one. `Content-Security-Policy` is for answers without a page. */
const HEADERS: readonly [string, string][] = [
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Cache-Control", "no-store"],
];

const logger = getLogger(["rearguard", "http"]);

/** @param isHttps Callers come by https: browsers are told to stay with it. */
export function observe(clock: Clock, metrics: Metrics, isHttps: boolean): MiddlewareHandler<RouteVariables> {
  const headers = isHttps
    ? [...HEADERS, ["Strict-Transport-Security", "max-age=31536000"] as [string, string]]
    : HEADERS;
  return async (c, next) => {
    const start = clock.monotonic();
    await next();
    const { res: response, req: { method, path, raw } } = c;
    if (response.status !== 101) {
      for (const [name, value] of headers) if (!response.headers.has(name)) response.headers.set(name, value);
    }
    // Only the head is sent; a stream behind it must not go on.
    if (raw.method === "HEAD") await response.body?.cancel();
    const seconds = (clock.monotonic() - start) / 1000;
    metrics.observe(
      KNOWN_METHODS.has(method) ? method : "other",
      c.get("route") ?? "other",
      response.status,
      seconds,
    );
    logger.debug("{method} {path} {status} in {ms} ms", () => ({
      method,
      path,
      status: response.status,
      ms: Math.round(seconds * 1000),
    }));
  };
}

const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
