/**
 * Defines the request bodies that create or change a backup task: the fields, and rules that involve several
 * fields.
 */
import { z } from "@hono/zod-openapi";
import { inputShape } from "../../../definitions/fields/input.ts";
import { TASK_FIELDS } from "../../../definitions/task_fields.ts";
import { TASK_SCHEDULE_FIELDS } from "../../../definitions/task_schedule_fields.ts";
import {
  databaseNameProblems,
  missingSourceFields,
  REQUIRED_SOURCE_FIELDS,
} from "../../../definitions/sources/registry.ts";
import { encryptionConflict, missingScheduleFields } from "../../../domain/backup_task.ts";
import { rule } from "../../input/input.ts";

/** Fields that a schedule needs unless it has a cron expression. */
const NEEDS_UNLESS_CRON = ["frequency", "time_to_run_at"] as const;

const fields = z.object(inputShape(TASK_FIELDS));

export const BackupTaskChanges = fields.partial().openapi("BackupTaskChanges");
export const NewBackupTask = requireMissing(fields).openapi("NewBackupTask");

const scheduleFields = z.object(inputShape(TASK_SCHEDULE_FIELDS));

/** The fields of a schedule and no others. A schedule has the same rules here as in a new task. */
export const TaskScheduleInput = NEEDS_UNLESS_CRON.reduce(
  (schema, field) =>
    rule(schema, ["custom_cron_expression", field], (plan, fail) => {
      for (const message of missingScheduleFields(plan)[field] ?? []) fail(field, message);
    }),
  scheduleFields,
).openapi("TaskScheduleInput");

/**
 * Returns the schema with additional rules, each of which involves several fields. Some fields are required
 * only for some values of another field. Each field of this kind has a rule of its own, so that one response
 * names all missing fields.
 */
function requireMissing(schema: typeof fields): typeof fields {
  const needs = [
    ...REQUIRED_SOURCE_FIELDS.map((field) => ["type", field] as const),
    ...NEEDS_UNLESS_CRON.map((field) => ["custom_cron_expression", field] as const),
  ] as [keyof typeof fields.shape, keyof typeof fields.shape][];
  const whole = rule(schema, ["encryption_password", "encryption_recipients"], (plan, fail) => {
    const hasPassword = (plan.encryption_password ?? null) !== null;
    for (const message of encryptionConflict(hasPassword, plan.encryption_recipients ?? [])) {
      fail("encryption_recipients", message);
    }
  });
  return needs.reduce(
    (whole, [on, field]) =>
      rule(whole, [on, field], (plan, fail) => {
        const missing = {
          ...databaseNameProblems(plan),
          ...missingSourceFields(plan),
          ...missingScheduleFields(plan),
        };
        for (const message of missing[field] ?? []) fail(field, message);
      }),
    whole,
  );
}
