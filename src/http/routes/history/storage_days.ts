/** Defines the endpoint that says what was stored on each day. */
import { z } from "@hono/zod-openapi";
import { showStorageDays } from "../../../services/history/storage_days.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idParameter } from "../../input/list_filters.ts";
import { isoTimeOrNull, Time } from "../../input/time.ts";
import { Day, rangeFields, rangeParameters } from "./range_query.ts";

const StorageDays = z.object({
  ...rangeFields,
  exact_since: Time.nullable().openapi({
    description:
      "Removals before this time are not known, because an older version ran: earlier days show only backups that " +
      "were still stored then. Null: every day is exact.",
  }),
  days: z.array(z.object({
    date: Day,
    stored_bytes: z.int().openapi({ description: "At the end of the day; today: now." }),
    backups_count: z.int(),
    added_bytes: z.int(),
    removed_bytes: z.int(),
  })).openapi({ description: "Every day, the oldest first." }),
}).openapi("StorageDays");

export const storageDaysEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/history/storage",
    operationId: "showStorageDays",
    group: "History",
    summary: "Show stored bytes by day",
    description:
      "Of the workspace, of one task, or at one destination. What waits in the trash is stored until it is deleted. " +
      "The default are the last 365 days.",
    access: "view-backup-tasks",
    query: z.object({
      ...rangeParameters,
      backup_task_id: idParameter("backups of this backup task"),
      backup_destination_id: idParameter(
        "backups at this backup destination; not together with `backup_task_id`",
      ),
    }),
    answer: {
      status: 200,
      description: "Stored, added and removed bytes of each day.",
      content: {
        type: "application/json",
        schema: z.object({ data: StorageDays }),
        example: {
          data: {
            timezone: "Europe/Copenhagen",
            from: "2026-01-31",
            to: "2026-01-31",
            exact_since: null,
            days: [{
              date: "2026-01-31",
              stored_bytes: 123456789012,
              backups_count: 98,
              added_bytes: 31457280,
              removed_bytes: 30408704,
            }],
          },
        },
      },
    },
    async handle({ services, caller, query }) {
      const { exactSince, ...days } = await showStorageDays(services, caller, query);
      return { status: 200, body: { data: { ...days, exact_since: isoTimeOrNull(exactSince) } } };
    },
  }),
];
