/** The HTTP application: every endpoint behind the pipeline, and the pages outside the API. */
import { type Context, Hono } from "hono";
import type { Services } from "../services/context.ts";
import { DEFAULT_BODY_LIMIT } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { HttpError } from "./errors.ts";
import { IdempotentCalls } from "./idempotency.ts";
import { errorResponse, type PipelineContext, serve } from "./pipeline.ts";
import { RateLimiter } from "./rate_limit.ts";
import { ENDPOINTS } from "./routes.ts";

export interface AppOptions {
  readonly services: Services;
  /** What callers reach this control plane by, where that isn't what `Host` says. */
  readonly publicUrl?: string | null;
  /** Calls a minute and token; 0 for no limit. */
  readonly rateLimitPerMinute?: number;
  /** Bytes of a request body. */
  readonly bodyLimit?: number;
  /** Takes over a request to `/api/agent/connect`. */
  readonly connectAgent?: (request: Request) => Response | Promise<Response>;
  /** Pages outside the API; each adds its routes. */
  readonly pages?: readonly ((app: Hono) => void)[];
}

export function createApp(options: AppOptions): Hono {
  const context: PipelineContext = {
    services: options.services,
    publicUrl: options.publicUrl?.replace(/\/+$/, "") ?? null,
    bodyLimit: options.bodyLimit ?? DEFAULT_BODY_LIMIT,
    limiter: new RateLimiter(options.rateLimitPerMinute ?? 0, options.services.clock),
    idempotency: new IdempotentCalls(options.services),
    connectAgent: options.connectAgent ?? refuseAgents,
  };
  const app = new Hono();
  for (const endpoint of literalFirst(ENDPOINTS)) {
    app.on(
      endpoint.method,
      endpoint.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      (c) => serve(context, endpoint, c.req.raw, c.req.param()),
    );
  }
  for (const addPages of options.pages ?? []) addPages(app);
  app.notFound((c) => unmatched(app, c));
  app.onError((error, c) => errorResponse(error, c.req.raw));
  return app;
}

/** `/backup-tasks/upcoming` before `/backup-tasks/{id}`: the first that matches is served. */
function literalFirst(endpoints: readonly Endpoint[]): Endpoint[] {
  const key = ({ path }: Endpoint) => path.replaceAll(/\{\w+\}/g, "~");
  return endpoints.toSorted((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}

/** A path that isn't there, or not with this method. */
function unmatched(app: Hono, c: Context): Response {
  const allowed = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
  if (allowed.length === 0) {
    return errorResponse(new HttpError(404, "There is nothing at this address."), c.req.raw);
  }
  if (allowed.includes("GET")) allowed.push("HEAD");
  const headers = { Allow: [...allowed, "OPTIONS"].join(", ") };
  if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers });
  return errorResponse(new HttpError(405, `${c.req.method} is not possible here.`, headers), c.req.raw);
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

function refuseAgents(): Response {
  throw new HttpError(503, "This process takes no agents.");
}
