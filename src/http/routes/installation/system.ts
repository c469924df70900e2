/** Public endpoints for load balancers, Prometheus and client generators. */
import { z } from "@hono/zod-openapi";
import { checkReady } from "../../../services/installation/readiness.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";

const Status = z.object({ status: z.string() }).openapi("Status");

const group = "System";
const access = "public";

export const systemEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/healthz",
    operationId: "showHealth",
    group,
    access,
    summary: "Check whether the process is up",
    answer: {
      status: 200,
      description: "It is.",
      content: { type: "application/json", schema: Status, example: { status: "ok" } },
    },
    handle: () => ({ status: 200, body: { status: "ok" } }),
  }),
  endpoint({
    method: "get",
    path: "/readyz",
    operationId: "showReadiness",
    group,
    access,
    summary: "Check whether the process is ready",
    description:
      "It has started and is not stopping, its database responds and has every migration, and its loops run.",
    answer: {
      status: 200,
      description: "It does.",
      content: { type: "application/json", schema: Status, example: { status: "ready" } },
    },
    handle: async ({ services }) => {
      await checkReady(services);
      return { status: 200, body: { status: "ready" } };
    },
  }),
  endpoint({
    method: "get",
    path: "/metrics",
    operationId: "showMetrics",
    group,
    access,
    summary: "Get metrics for Prometheus",
    answer: {
      status: 200,
      description: "Prometheus' text format.",
      content: {
        type: "text/plain",
        schema: z.string(),
        example: "# TYPE rearguard_connected_agents gauge\nrearguard_connected_agents 1\n",
      },
    },
    handle: async ({ metrics }) =>
      new Response(await metrics(), {
        headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
      }),
  }),
  ...["/openapi.json", "/api/openapi.json"].map((path) =>
    endpoint({
      method: "get",
      path,
      operationId: path === "/openapi.json" ? "showDocument" : "showApiDocument",
      group,
      access,
      summary: "Get this document",
      answer: {
        status: 200,
        description: "OpenAPI 3.1.",
        content: {
          type: "application/json",
          schema: z.looseObject({ openapi: z.string() }).openapi("OpenApiDocument"),
          example: { openapi: "3.1.0", info: { title: "Rearguard", version: "0.1.0" }, paths: {} },
        },
      },
      handle: ({ openapi }) => new Response(openapi(), { headers: { "Content-Type": "application/json" } }),
    })
  ),
];
