/** What callers send of a backup task. */
import { z } from "@hono/zod-openapi";
import { BACKUP_TASK_TYPES, encryptionConflict, missingFields } from "../../../domain/backup_task.ts";
import {
  GUARD_ACTIONS,
  HISTORY_LENGTH,
  HISTORY_MINIMUM,
  LEAST_JUDGED,
  SHARP_RISE,
} from "../../../domain/guards.ts";
import { recipientProblem } from "../../../definitions/formats/age_recipients.ts";
import { cronProblem } from "../../../domain/schedule.ts";
import { isTimezone } from "../../../domain/timezone.ts";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";
import {
  databaseNames,
  databaseUser,
  systemUser,
  tableNames,
} from "../../../definitions/formats/databases.ts";
import {
  id,
  integer,
  limited,
  line,
  literalLine,
  oneLine,
  secret,
  text,
  trimmed,
} from "../../../definitions/formats/text.ts";
import { says } from "../../../definitions/formats/says.ts";
import { rule } from "../../input/input.ts";
import {
  absolutePath,
  fileNamePart,
  hostOrSocketDirectory,
  relativeStorePath,
} from "../../../definitions/formats/paths.ts";
import { retentionInput } from "../backups/retention_fields.ts";

/** One year. */
const MAX_SECONDS = 31_536_000;

const optional = <S extends z.ZodType>(schema: S) => schema.nullable().optional();

/** Cron fields may be separated by tabs, which are stored as blanks. */
const cronExpression = oneLine(
  limited(trimmed(z.string()).overwrite((value) => value.replace(/[ \t]+/g, " ")).min(1), 255),
).superRefine((value, context) => {
  const problem = cronProblem(value);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

const timezone = line(64).refine(isTimezone, {
  error: says("must be a time zone of the IANA database, such as Europe/Berlin"),
});

const recipient = line(2048).refine((value) => recipientProblem(value) === null, {
  error: (issue) => says(recipientProblem(String(issue.input)) ?? "is invalid")(issue),
});

const excludedPath = literalLine(4096);

const fields = z.object({
  remote_server_id: id(),
  backup_destination_id: id(),
  label: line(255),
  description: optional(text(10_000)),
  type: z.enum(BACKUP_TASK_TYPES).openapi({
    description: "`control_plane` is this control plane's own database: for tokens with the `admin` ability.",
  }),
  source_path: optional(absolutePath()).openapi({
    description: "Absolute; needed when `type` is `files`.",
    example: "/var/www",
  }),
  excluded_paths: nullAsAbsent(z.array(excludedPath).max(1000)).openapi({
    description:
      "What to leave out: absolute paths in the source, or patterns. A relative pattern matches at every depth; `*` matches no slash.",
    example: ["*.tmp", "node_modules"],
  }),
  allow_unreadable: nullAsAbsent(z.boolean()).openapi({
    description: "Whether a file that can't be read is a warning instead of the run's end.",
  }),
  database_name: optional(databaseNames()).openapi({
    description:
      "Needed when `type` is `database`: one name, several separated by commas, or `*` for all of the server's. Names are " +
      "taken to the letter; double quotes hold one with a comma in it.",
    example: "production_db",
  }),
  database_type: optional(z.enum(["postgresql", "mysql"])).openapi({
    description: "Default: whichever the server runs.",
  }),
  database_host: optional(hostOrSocketDirectory()).openapi({
    description:
      "A host, or the absolute path of the directory that the server's socket is in. Default: the local socket.",
    example: "127.0.0.1",
  }),
  database_port: optional(integer(1, 65535)),
  database_username: optional(databaseUser()).openapi({
    description: "Default on a socket: `postgres`, run as the system user `postgres`, or `root` for MySQL.",
  }),
  database_password: optional(secret(1000)).openapi({ description: "In place of the remote server's." }),
  database_format: nullAsAbsent(z.enum(["custom", "plain"])).openapi({
    description: "PostgreSQL only: `pg_dump -Fc`, or SQL text. Default `custom`.",
  }),
  excluded_database_tables: optional(tableNames()).openapi({
    description: "Separated by commas.",
    example: "logs,cache",
  }),
  frequency: optional(z.enum(["daily", "weekly"])).openapi({
    description: "Needed unless `custom_cron_expression` is given; clears it.",
  }),
  time_to_run_at: optional(
    trimmed(z.string()).regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
      error: says("must be a time of day such as 02:30"),
    }),
  ).openapi({
    description: "`HH:MM` in `timezone`. Needed unless `custom_cron_expression` is given.",
    example: "02:30",
  }),
  weekday: optional(integer(0, 6)).openapi({
    description: "Of a weekly task, Sunday 0. Default: the day it was created on.",
  }),
  custom_cron_expression: optional(cronExpression).openapi({
    description:
      "Five fields, or a nickname such as `@daily`; `L`, `W` and `#` as croner takes them. Clears `frequency` and `time_to_run_at`.",
    example: "0 2 * * MON-FRI",
  }),
  timezone: nullAsAbsent(timezone).openapi({ description: "Default: the user's.", example: "Europe/Berlin" }),
  ...retentionInput,
  appended_file_name: optional(fileNamePart(100)).openapi({ description: "What file names start with." }),
  store_path: optional(relativeStorePath()).openapi({
    description: "Below the destination's own path.",
    example: "/backups/weekly",
  }),
  isolated_username: optional(systemUser()).openapi({
    description: "The system user that runs the source's programs.",
  }),
  isolated_password: optional(secret(1000)).openapi({ description: "Kept for clients that send it." }),
  encryption_password: optional(secret(1000)).openapi({ description: "Encrypts what is stored, with age." }),
  encryption_recipients: z.array(recipient).max(32).nullable().optional().transform((value) =>
    value === null ? [] : value
  ).openapi({
    description: "age public keys that what is stored is encrypted to, in place of a password: " +
      "only the secret half of one of them opens it. Null or an empty list for none.",
    example: ["age14dzgq5jzjzp4lwnp2udpu2naeqrzcjm9xwrzu7hrp8jc5cpxzpgqdtsnsn"],
  }),
  run_timeout: optional(integer(1)).openapi({
    description: "Seconds after which a run is ended. Default: none.",
  }),
  stall_warning: optional(integer(1, MAX_SECONDS)).openapi({
    description:
      "Seconds without any movement of a run after which its owner is told, and `why` says what it waits " +
      "for. Null: the control plane's default (`RUN_STALL_WARNING_SECONDS`, 15 minutes).",
  }),
  stall_timeout: optional(integer(1, MAX_SECONDS)).openapi({
    description: "Seconds without any movement after which a run fails. Null: the control plane's default " +
      "(`RUN_STALL_TIMEOUT_SECONDS`, 6 hours).",
  }),
  lock_wait_timeout: optional(integer(1, MAX_SECONDS)).openapi({
    description:
      "Seconds that a dump waits for a lock in its database before the run fails. Null: the control " +
      "plane's default (`RUN_LOCK_WAIT_SECONDS`, 30 minutes).",
  }),
  overdue_after: optional(integer(1, MAX_SECONDS)).openapi({
    description:
      "Seconds that a run may be queued before its owner is told. Null: the control plane's default " +
      "(`RUN_OVERDUE_SECONDS`, an hour).",
  }),
  on_shrink: nullAsAbsent(z.enum(GUARD_ACTIONS)).openapi({
    description:
      "When a backup has fewer files, or fewer bytes read or stored, than half of the median of the task's " +
      `last ${HISTORY_LENGTH} backups (at least ${HISTORY_MINIMUM}, of the source as it is defined now): warn, fail ` +
      "the run and store nothing, or ignore it. Default `warn`.",
    example: "fail",
  }),
  on_incompressible: nullAsAbsent(z.enum(GUARD_ACTIONS)).openapi({
    description:
      "When what used to compress does not any more, as after ransomware: the stored size per byte read, " +
      `or the share of frames that don't compress, is at least ${SHARP_RISE} above that median, and more is stored ` +
      "than the median. `warn`, the default, also flags the backup and keeps older ones from rotation; `fail` stores " +
      `nothing. Backups of less than ${LEAST_JUDGED / 1e6} MB are not judged.`,
  }),
  verify_every: nullAsAbsent(integer(0, 3650)).openapi({
    description:
      "Days after which each stored backup is read back and compared with what was stored, one at a time on a server. " +
      "0: only on demand. Default 7.",
    example: 7,
  }),
  drill_every: nullAsAbsent(integer(0, 3650)).openapi({
    description:
      "Days after which the newest backup of files is restored on its server, compared with its index, and dropped. " +
      "0: never. Default 30. Not of databases, nor of what is encrypted to recipients.",
    example: 30,
  }),
  tag_ids: nullAsAbsent(z.array(id()).max(1000)),
  notification_stream_ids: nullAsAbsent(z.array(id()).max(1000)),
});

export const BackupTaskChanges = fields.partial().openapi("BackupTaskChanges");
export const NewBackupTask = requireMissing(fields).openapi("NewBackupTask");

/** The rules over several fields, each on its own, so that one answer names every field. */
function requireMissing(schema: typeof fields): typeof fields {
  const needs = [
    ["type", "source_path"],
    ["type", "database_name"],
    ["custom_cron_expression", "frequency"],
    ["custom_cron_expression", "time_to_run_at"],
  ] as const;
  const whole = rule(schema, ["encryption_password", "encryption_recipients"], (plan, fail) => {
    const hasPassword = (plan.encryption_password ?? null) !== null;
    for (const message of encryptionConflict(hasPassword, plan.encryption_recipients ?? [])) {
      fail("encryption_recipients", message);
    }
  });
  return needs.reduce(
    (whole, [on, field]) =>
      rule(whole, [on, field], (plan, fail) => {
        for (const message of missingFields(plan)[field] ?? []) fail(field, message);
      }),
    whole,
  );
}
