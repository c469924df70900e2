/**
 * `tasks retention-preview`, `tasks schedule-preview`: show what rules or a schedule would do, without saving
 * anything.
 */
import type { Argument, Command } from "commander";
import type { Answer, Body, Schema } from "../../../client/client.ts";
import { TASK_RETENTION_FIELDS } from "../../../definitions/task_retention_fields.ts";
import { TASK_SCHEDULE_FIELDS } from "../../../definitions/task_schedule_fields.ts";
import { calling, type Cli } from "../../command_line.ts";
import { addFieldFlags, givenFields, type Options } from "../../field_flags.ts";
import type { Column } from "../../output.ts";
import { humanSize } from "../../progress.ts";

type RetentionPreview = Schema<"RetentionPreview">;
type SchedulePreview = Answer<"/api/schedules/preview", "post">["data"];

const RETENTION_COLUMNS: readonly Column<RetentionPreview["backups"][number]>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Created", value: (backup) => backup.created_at },
  { title: "Size", align: "right", value: ({ size }) => humanSize(size) },
  { title: "Retention", value: ({ action }) => action },
  { title: "Why", value: ({ reasons }) => reasons.map(({ text }) => text).join(", ") },
];

const RUN_COLUMNS: readonly Column<SchedulePreview["next_runs"][number]>[] = [
  { title: "Next runs", value: ({ local }) => local },
  { title: "UTC", value: ({ at }) => at },
];

export function addPreviewCommands(tasks: Command, taskId: Argument): void {
  const retention = tasks.command("retention-preview").addArgument(taskId)
    .description(
      "Show what retention would remove now, and why the rest stays; options replace the task's rules",
    );
  addFieldFlags(retention, TASK_RETENTION_FIELDS).action(calling(previewRetention));
  const schedule = tasks.command("schedule-preview")
    .description("Show a schedule in words, with its next times, before you use it");
  addFieldFlags(schedule, TASK_SCHEDULE_FIELDS).action(calling(previewSchedule));
}

/**
 * Shows which backups of a task would be kept.
 *
 * @param options Rules that replace the task's own rules in this preview.
 */
async function previewRetention(
  { api, output, terminal }: Cli,
  id: number,
  options: Options,
): Promise<void> {
  const query = givenFields(TASK_RETENTION_FIELDS, options) as Record<string, string>;
  const preview = await api.get(
    `preview the retention of backup task ${id}`,
    "/api/backup-tasks/{id}/retention-preview",
    { id, query },
  );
  output.answer(preview, () => {
    output.rows(preview.data.backups, RETENTION_COLUMNS);
    terminal.print(`\n${retentionSummary(preview.data)}\n`);
  });
}

/** Returns a summary: `2 backups stay, 1 goes: 30 MB`. */
function retentionSummary({ kept, removed, removed_size }: RetentionPreview): string {
  const stay = `${kept} ${kept === 1 ? "backup stays" : "backups stay"}`;
  return `${stay}, ${removed} ${removed === 1 ? "goes" : "go"}: ${humanSize(removed_size)}`;
}

async function previewSchedule({ api, output, terminal }: Cli, options: Options): Promise<void> {
  const preview = await api.post("preview the schedule", "/api/schedules/preview", {
    body: givenFields(TASK_SCHEDULE_FIELDS, options) as Body<"/api/schedules/preview">,
  });
  const { description, next_runs, notes } = preview.data;
  output.answer(preview, () => {
    terminal.print(`${description}\n\n`);
    output.rows(next_runs, RUN_COLUMNS);
    if (notes.length > 0) terminal.print(`\n${notes.join("\n")}\n`);
  });
}
