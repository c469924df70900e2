/** Defines the fields and the endpoint that say how much is stored at a destination. */
import { z } from "@hono/zod-openapi";
import {
  type DestinationUsage,
  showDestinationUsage,
} from "../../../services/destinations/destination_usage.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";

export const usageFields = {
  stored_bytes: z.int().openapi({ description: "Stored bytes of its backups, also of those in the trash." }),
  backups_count: z.int(),
  growth_bytes_per_day: z.int().nullable().openapi({
    description: "Over the last 30 days, or since the first backup there; null in the first day.",
  }),
  days_until_full: z.int().nullable().openapi({
    description:
      "Free space divided by growth. Null: one of them is not known, nothing grows, the space suffices for ten years, " +
      "or backups of several servers are on the disks of these servers.",
  }),
  cost_per_month: z.number().nullable().openapi({
    description: "`stored_bytes` at `price_per_gb_month`, in `currency`; null without a price.",
  }),
};

export const usageExample: DestinationUsage = {
  stored_bytes: 123456789012,
  backups_count: 98,
  growth_bytes_per_day: 31457280,
  days_until_full: null,
  cost_per_month: 2.8395,
};

const DestinationUsageByTask = z.object({
  ...usageFields,
  tasks: z.array(z.object({
    backup_task_id: z.int().nullable().openapi({ description: "Null: backups of deleted tasks." }),
    label: z.string().nullable(),
    stored_bytes: z.int(),
    backups_count: z.int(),
  })).openapi({ description: "The largest first." }),
}).openapi("BackupDestinationUsageByTask");

export const destinationUsageEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-destinations/{id}/usage",
    operationId: "showBackupDestinationUsage",
    group: "Backup destinations",
    summary: "Show what is stored at a backup destination, by task",
    access: "view-backup-destinations",
    ids: { id: "Backup destination" },
    answer: {
      status: 200,
      description: "In total, and of each task.",
      content: {
        type: "application/json",
        schema: z.object({ data: DestinationUsageByTask }),
        example: {
          data: {
            ...usageExample,
            tasks: [{
              backup_task_id: 1,
              label: "Daily Database Backup",
              stored_bytes: 123456789012,
              backups_count: 98,
            }],
          },
        },
      },
    },
    async handle({ services, caller, params }) {
      return { status: 200, body: { data: await showDestinationUsage(services, caller, params.id) } };
    },
  }),
];
