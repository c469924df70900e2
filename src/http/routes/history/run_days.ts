/** Defines the endpoint that counts backup runs by day and outcome. */
import { z } from "@hono/zod-openapi";
import { type RunCounts, showRunDays } from "../../../services/history/run_days.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idParameter } from "../../input/list_filters.ts";
import { Day, rangeFields, rangeParameters } from "./range_query.ts";

const counts = {
  succeeded: z.int().openapi({ description: "Without warnings." }),
  warnings: z.int().openapi({ description: "Succeeded with warnings." }),
  failed: z.int().openapi({ description: "Also lost, timed out, or not accepted by an agent in time." }),
  cancelled: z.int().openapi({ description: "By a person." }),
  skipped: z.int().openapi({ description: "Due times at which the task's earlier run was still active." }),
};

const RunDays = z.object({
  ...rangeFields,
  days: z.array(z.object({ date: Day, ...counts })).openapi({ description: "Every day, the oldest first." }),
  totals: z.object(counts),
}).openapi("RunDays");

const example: RunCounts = { succeeded: 12, warnings: 1, failed: 0, cancelled: 0, skipped: 0 };

export const runDaysEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/history/days",
    operationId: "showRunDays",
    group: "History",
    summary: "Count backup runs by day and outcome",
    description:
      "Of the workspace, or of one task or server. A run counts on the day on which it was queued, and stays when " +
      "its log is deleted. The default are the last 365 days.",
    access: "view-backup-tasks",
    query: z.object({
      ...rangeParameters,
      backup_task_id: idParameter("runs of this backup task, which may be deleted"),
      remote_server_id: idParameter("runs on this remote server; not together with `backup_task_id`"),
    }),
    answer: {
      status: 200,
      description: "Ended runs of each day.",
      content: {
        type: "application/json",
        schema: z.object({ data: RunDays }),
        example: {
          data: {
            timezone: "Europe/Copenhagen",
            from: "2026-01-31",
            to: "2026-01-31",
            days: [{ date: "2026-01-31", ...example }],
            totals: example,
          },
        },
      },
    },
    async handle({ services, caller, query }) {
      return { status: 200, body: { data: await showRunDays(services, caller, query) } };
    },
  }),
];
