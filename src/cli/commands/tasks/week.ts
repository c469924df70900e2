/** `tasks week`: shows when tasks are due in a week. */
import type { Command } from "commander";
import type { Schema } from "../../../client/client.ts";
import { duration } from "../../../domain/durations.ts";
import { calling, type Cli } from "../../command_line.ts";
import type { Column } from "../../output.ts";

type Server = Schema<"PlannedWeek">["servers"][number];

const TASK_COLUMNS: readonly Column<Server["tasks"][number] & { server: string }>[] = [
  { title: "Server", value: ({ server }) => server },
  { title: "Task", align: "right", value: (task) => task.backup_task_id },
  { title: "Label", value: ({ label }) => label },
  { title: "Schedule", value: ({ description }) => description },
  { title: "In the week", align: "right", value: inTheWeek },
  {
    title: "Takes",
    align: "right",
    value: (task) => task.expected_duration_ms && duration(task.expected_duration_ms),
  },
];

const OVERLAP_COLUMNS: readonly Column<Server["overlaps"][number] & { server: string }>[] = [
  { title: "Overlap on", value: ({ server }) => server },
  { title: "From", value: ({ from }) => from },
  { title: "Until", value: ({ until }) => until },
  { title: "Tasks", value: (overlap) => overlap.backup_task_ids.join(", ") },
  { title: "Waits", value: ({ waits }) => waits ? "yes" : "no" },
];

export function addWeekCommand(tasks: Command): void {
  tasks.command("week")
    .description("Show when tasks are due in a week, and which of them overlap on a server")
    .option("--start <day>", "the first day, such as 2026-11-30; by default the last Monday")
    .option("--timezone <name>", "the time zone of the days; by default yours")
    .action(calling(show));
}

async function show(
  { api, output, terminal }: Cli,
  options: { start?: string; timezone?: string },
): Promise<void> {
  const week = await api.get("show the plan of the week", "/api/backup-tasks/week", { query: options });
  const { days, timezone, servers } = week.data;
  output.answer(week, () => {
    terminal.print(`${days[0]} to ${days.at(-1)}, ${timezone}\n\n`);
    output.rows(
      servers.flatMap(({ label, tasks }) => tasks.map((task) => ({ ...task, server: label }))),
      TASK_COLUMNS,
    );
    const overlaps = servers.flatMap(({ label, overlaps }) =>
      overlaps.map((each) => ({ ...each, server: label }))
    );
    if (overlaps.length === 0) return;
    terminal.print("\n");
    output.rows(overlaps, OVERLAP_COLUMNS);
  });
}

function inTheWeek({ is_paused, interval, runs }: Server["tasks"][number]): string {
  if (is_paused) return "paused";
  return interval ?? (runs.length === 1 ? "once" : `${runs.length} times`);
}
