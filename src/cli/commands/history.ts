/** `history`: shows how runs changed over time. */
import type { Command } from "commander";
import { calling, type Cli, parseId } from "../command_line.ts";
import type { Column } from "../output.ts";

interface RangeOptions {
  readonly from?: string;
  readonly to?: string;
  readonly timezone?: string;
  readonly task?: number;
}

interface RunDay {
  date: string;
  succeeded: number;
  warnings: number;
  failed: number;
  cancelled: number;
  skipped: number;
}

const RUN_COLUMNS: readonly Column<RunDay>[] = [
  { title: "Day", value: ({ date }) => date },
  { title: "Succeeded", align: "right", value: ({ succeeded }) => succeeded },
  { title: "Warnings", align: "right", value: ({ warnings }) => warnings },
  { title: "Failed", align: "right", value: ({ failed }) => failed },
  { title: "Cancelled", align: "right", value: ({ cancelled }) => cancelled },
  { title: "Skipped", align: "right", value: ({ skipped }) => skipped },
];

export function addHistoryCommands(program: Command): void {
  const history = program.command("history").description("How runs changed over time");
  addRange(history.command("days").description("Runs by day and outcome; days without runs are left out"))
    .option("--server <id>", "only runs on this remote server", parseId)
    .action(calling(runDays));
}

function addRange(command: Command): Command {
  return command
    .option("--from <day>", "the first day, such as 2026-01-31; default: 365 days until today")
    .option("--to <day>", "the last day; default: today")
    .option("--timezone <name>", "the time zone of the days; default: your own")
    .option("--task <id>", "only of this backup task", parseId);
}

/** Returns the query of a range. */
function queryOf(options: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}

async function runDays(
  { api, output }: Cli,
  options: RangeOptions & { readonly server?: number },
): Promise<void> {
  const { task, server, ...range } = options;
  const query = queryOf({ ...range, backup_task_id: task, remote_server_id: server });
  const body = await api.get<{ data: { days: RunDay[] } }>(
    "show the history of runs",
    `/history/days${query}`,
  );
  output.answer(body, () => output.rows(body.data.days.filter(hasRuns), RUN_COLUMNS));
}

function hasRuns({ date: _, ...counts }: RunDay): boolean {
  return Object.values(counts).some((count) => count > 0);
}
