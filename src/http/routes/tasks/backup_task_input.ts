/**
 * Defines the request bodies that create or change a backup task: the fields, and rules that involve several
 * fields.
 */
import { z } from "@hono/zod-openapi";
import { inputShape } from "../../../definitions/fields/input.ts";
import { TASK_FIELDS } from "../../../definitions/task_fields.ts";
import {
  databaseNameProblems,
  missingSourceFields,
  REQUIRED_SOURCE_FIELDS,
} from "../../../definitions/sources/registry.ts";
import { encryptionConflict, missingScheduleFields } from "../../../domain/backup_task.ts";
import { rule } from "../../input/input.ts";

const fields = z.object(inputShape(TASK_FIELDS));

export const BackupTaskChanges = fields.partial().openapi("BackupTaskChanges");
export const NewBackupTask = requireMissing(fields).openapi("NewBackupTask");

/**
 * Returns the schema with rules over several fields. Each field that may be missing has a rule of its own, so
 * that one response names all missing fields.
 */
function requireMissing(schema: typeof fields): typeof fields {
  const needs = [
    ...REQUIRED_SOURCE_FIELDS.map((field) => ["type", field] as const),
    ["custom_cron_expression", "frequency"],
    ["custom_cron_expression", "time_to_run_at"],
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
