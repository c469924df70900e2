/** Defines a task's protection in the API. */
import { z } from "@hono/zod-openapi";
import { PROTECTION_STATUSES } from "../../../domain/protection.ts";
import type { Protection } from "../../../services/tasks/protection.ts";
import { isoTimeOrNull, Time } from "../../input/time.ts";

export const ProtectionView = z.object({
  status: z.enum(PROTECTION_STATUSES).openapi({
    description:
      "By the age of the newest backup, not by the last run alone. `never_backed_up`: no backup can be restored; " +
      "`late`: the newest one is older than promised (`max_age`); `failing`: it is recent enough, but the last " +
      "run failed; `paused`; `protected`.",
  }),
  reason: z.string().nullable().openapi({ description: "Null if the task is protected or paused." }),
  late_at: Time.nullable().openapi({
    description: "When the task becomes late unless a backup is stored before, or became it. Null: never.",
  }),
  newest_backup_id: z.int().nullable().openapi({
    description: "The newest backup that is stored, not damaged, and of the task's current source.",
  }),
  newest_backup_at: Time.nullable(),
  warnings_count: z.int().openapi({ description: "Warnings of that backup." }),
}).openapi("Protection");

export function presentProtection(protection: Protection): z.output<typeof ProtectionView> {
  return {
    ...protection,
    late_at: isoTimeOrNull(protection.late_at),
    newest_backup_at: isoTimeOrNull(protection.newest_backup_at),
  };
}

export const exampleProtection: Protection = {
  status: "protected",
  reason: null,
  late_at: new Date("2024-08-08T07:00:00Z"),
  newest_backup_id: 1,
  newest_backup_at: new Date("2024-08-07T01:00:30Z"),
  warnings_count: 0,
};
