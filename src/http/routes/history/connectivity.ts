/** Defines the endpoints that show when the agents of servers were connected. */
import { z } from "@hono/zod-openapi";
import {
  type Connectivity,
  listConnectivity,
  showConnectivity,
} from "../../../services/history/connectivity.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idList } from "../../input/list_filters.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { Day, rangeFields, rangeParameters } from "./range_query.ts";

const share = z.number().min(0).max(1).nullable();

const uptimeFields = {
  uptime: share.openapi({ description: "Share of the recorded time; null: nothing is recorded." }),
  days: z.array(z.object({ date: Day, uptime: share })).openapi({ description: "The oldest first." }),
};

const ConnectivityView = z.object({
  ...rangeFields,
  recorded_since: Time.nullable().openapi({
    description: "Nothing is known of the time before. Null: no agent was ever connected.",
  }),
  ...uptimeFields,
  intervals: z.array(z.object({ connected_at: Time, disconnected_at: Time.nullable() })).openapi({
    description:
      "When the agent was connected, the oldest first, at most the last 1,000. An absence of less than a minute is " +
      "left out. `disconnected_at` is null while it is connected.",
  }),
}).openapi("RemoteServerConnectivity");

function present(connectivity: Connectivity): z.output<typeof ConnectivityView> {
  const { id: _, label: __, recordedSince, intervals, days, ...rest } = connectivity;
  return {
    ...rest,
    days: [...days],
    recorded_since: isoTimeOrNull(recordedSince),
    intervals: intervals.map(({ connectedAt, disconnectedAt }) => ({
      connected_at: isoTime(connectedAt),
      disconnected_at: isoTimeOrNull(disconnectedAt),
    })),
  };
}

const ServerUptime = z.object({ remote_server_id: z.int(), label: z.string(), ...uptimeFields })
  .openapi("RemoteServerUptime");

const example = { uptime: 0.9972, days: [{ date: "2026-01-31", uptime: 0.9972 }] };

const common = { method: "get", group: "History", access: "view-remote-servers" } as const;

export const connectivityEndpoints: readonly Endpoint[] = [
  endpoint({
    ...common,
    path: "/api/remote-servers/connectivity",
    operationId: "showUptimes",
    summary: "Show how much of each day the agents of servers were connected",
    description: "By default the last 30 days. 90 days are kept.",
    query: z.object({
      ...rangeParameters,
      ids: idList.optional().openapi({
        type: "string",
        description: "The ids of the servers, separated by commas. Default: all servers of the workspace.",
        example: "1,2,3",
      }),
    }),
    answer: {
      status: 200,
      description: "Each server with its days. Unknown servers are left out.",
      content: {
        type: "application/json",
        schema: z.object({ data: z.array(ServerUptime) }),
        example: { data: [{ remote_server_id: 2, label: "web-1", ...example }] },
      },
    },
    async handle({ services, caller, query }) {
      const servers = await listConnectivity(services, caller, query);
      const data = servers.map(({ id, label, uptime, days }) => ({
        remote_server_id: id,
        label,
        uptime,
        days,
      }));
      return { status: 200, body: { data } };
    },
  }),
  endpoint({
    ...common,
    path: "/api/remote-servers/{id}/connectivity",
    operationId: "showConnectivity",
    summary: "Show when a server's agent was connected",
    description: "By default in the last 30 days. 90 days are kept.",
    ids: { id: "Remote server" },
    query: z.object(rangeParameters),
    answer: {
      status: 200,
      description: "The times of its connections, and their share of each day.",
      content: {
        type: "application/json",
        schema: z.object({ data: ConnectivityView }),
        example: {
          data: {
            timezone: "Europe/Copenhagen",
            from: "2026-01-31",
            to: "2026-01-31",
            recorded_since: "2026-01-01T00:00:00Z",
            ...example,
            intervals: [
              { connected_at: "2026-01-01T00:00:00Z", disconnected_at: "2026-01-31T10:00:00Z" },
              { connected_at: "2026-01-31T10:04:00Z", disconnected_at: null },
            ],
          },
        },
      },
    },
    async handle({ services, caller, params, query }) {
      const connectivity = await showConnectivity(services, caller, params.id, query);
      return { status: 200, body: { data: present(connectivity) } };
    },
  }),
];
