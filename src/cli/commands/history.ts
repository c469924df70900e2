/** `history`: shows how runs and stored bytes changed over time. */
import { Argument, type Command } from "commander";
import type { Answer } from "../../client/client.ts";
import { calling, type Cli, parseCount, parseId } from "../command_line.ts";
import { duration } from "../../domain/durations.ts";
import { formatBytes } from "../../domain/byte_size.ts";
import type { Column } from "../output.ts";

interface RangeOptions {
  readonly from?: string;
  readonly to?: string;
  readonly timezone?: string;
  readonly task?: number;
}

type RunDay = Answer<"/api/history/days">["data"]["days"][number];

const RUN_COLUMNS: readonly Column<RunDay>[] = [
  { title: "Day", value: ({ date }) => date },
  { title: "Succeeded", align: "right", value: ({ succeeded }) => succeeded },
  { title: "Warnings", align: "right", value: ({ warnings }) => warnings },
  { title: "Failed", align: "right", value: ({ failed }) => failed },
  { title: "Cancelled", align: "right", value: ({ cancelled }) => cancelled },
  { title: "Skipped", align: "right", value: ({ skipped }) => skipped },
];

type StorageDay = Answer<"/api/history/storage">["data"]["days"][number];

const STORAGE_COLUMNS: readonly Column<StorageDay>[] = [
  { title: "Day", value: ({ date }) => date },
  { title: "Stored", align: "right", value: ({ stored_bytes }) => formatBytes(stored_bytes) },
  { title: "Backups", align: "right", value: ({ backups_count }) => backups_count },
  { title: "Added", align: "right", value: ({ added_bytes }) => formatBytes(added_bytes) },
  { title: "Removed", align: "right", value: ({ removed_bytes }) => formatBytes(removed_bytes) },
];

type TaskRun = Answer<"/api/backup-tasks/{id}/history">["data"][number];

const TASK_COLUMNS: readonly Column<TaskRun>[] = [
  { title: "Log", align: "right", value: ({ id }) => id },
  { title: "Queued", value: ({ created_at }) => created_at },
  { title: "Outcome", value: ({ outcome }) => outcome ?? "cancelled" },
  {
    title: "Duration",
    align: "right",
    value: ({ duration_ms }) => duration_ms === null ? null : duration(duration_ms),
  },
  { title: "Read", align: "right", value: ({ read_bytes }) => formatBytes(read_bytes) },
  { title: "Stored", align: "right", value: ({ stored_bytes }) => formatBytes(stored_bytes) },
];

export function addHistoryCommands(program: Command): void {
  const history = program.command("history").description("How runs and stored bytes changed over time");
  addRange(history.command("days").description("Runs by day and outcome; days without runs are left out"))
    .option("--server <id>", "only runs on this remote server", parseId)
    .action(calling(runDays));
  addRange(history.command("storage").description("Stored bytes at the end of each day"))
    .option("--destination <id>", "only at this backup destination", parseId)
    .action(calling(storageDays));
  history.command("task").description("Durations and sizes of a task's last runs")
    .addArgument(new Argument("<task>", "its id").argParser(parseId))
    .option("--limit <count>", "how many runs at most; default: 200", parseCount)
    .action(calling(taskRuns));
  history.command("proofs").description("Whether each task's backups are proven to be restorable")
    .option(
      "--task <id>",
      "the verifications and drills of this backup task, with what they compared",
      parseId,
    )
    .action(calling(proofs));
}

type TaskProofs = Answer<"/api/history/proofs">["data"][number];

const STATUS_COLUMNS: readonly Column<TaskProofs>[] = [
  { title: "Task", value: ({ label }) => label },
  { title: "Status", value: ({ status }) => status },
  { title: "Last drill", value: ({ proven }) => proven.last_at },
  {
    title: "Restore",
    align: "right",
    value: ({ proven }) => proven.restore_ms === null ? null : duration(proven.restore_ms),
  },
  { title: "Next drill", value: ({ proven }) => proven.due_at },
  { title: "Last verification", value: ({ checked }) => checked.last_at },
];

interface Proof {
  task: string;
  kind: string;
  finished_at: string;
  outcome: string;
  evidence: string;
}

const PROOF_COLUMNS: readonly Column<Proof>[] = [
  { title: "Task", value: ({ task }) => task },
  { title: "Check", value: ({ kind }) => kind },
  { title: "Ended", value: ({ finished_at }) => finished_at },
  { title: "Result", value: ({ outcome }) => outcome },
  { title: "Compared", value: ({ evidence }) => evidence },
];

function addRange(command: Command): Command {
  return command
    .option("--from <day>", "the first day, such as 2026-01-31; default: 365 days until today")
    .option("--to <day>", "the last day; default: today")
    .option("--timezone <name>", "the time zone of the days; default: your own")
    .option("--task <id>", "only of this backup task", parseId);
}

async function runDays(
  { api, output }: Cli,
  options: RangeOptions & { readonly server?: number },
): Promise<void> {
  const { task, server, ...range } = options;
  const query = { ...range, backup_task_id: task, remote_server_id: server };
  const body = await api.get("show the history of runs", "/api/history/days", { query });
  output.answer(body, () => output.rows(body.data.days.filter(hasRuns), RUN_COLUMNS));
}

function hasRuns({ date: _, ...counts }: RunDay): boolean {
  return Object.values(counts).some((count) => count > 0);
}

async function storageDays(
  { api, output }: Cli,
  options: RangeOptions & { readonly destination?: number },
): Promise<void> {
  const { task, destination, ...range } = options;
  const query = { ...range, backup_task_id: task, backup_destination_id: destination };
  const body = await api.get("show the history of storage", "/api/history/storage", { query });
  const { days, exact_since } = body.data;
  output.answer(body, () => {
    output.rows(days, STORAGE_COLUMNS);
    if (exact_since === null) return;
    output.terminal.write(
      `Backups that were deleted before ${exact_since} are missing in the days before.\n`,
    );
  });
}

async function taskRuns({ api, output }: Cli, id: number, { limit }: { limit?: number }): Promise<void> {
  const body = await api.get(
    `show the history of backup task ${id}`,
    "/api/backup-tasks/{id}/history",
    { id, query: { limit } },
  );
  output.answer(body, () => output.rows(body.data, TASK_COLUMNS));
}

type Evidence = TaskProofs["checks"][number]["evidence"];

async function proofs({ api, output }: Cli, { task }: { task?: number }): Promise<void> {
  const body = await api.get("show the proofs", "/api/history/proofs", { query: { backup_task_id: task } });
  if (task === undefined) return output.answer(body, () => output.rows(body.data, STATUS_COLUMNS));
  const rows = body.data.flatMap(({ checks, label }) =>
    checks.map(({ evidence, reason, ...check }) => ({
      ...check,
      task: label,
      evidence: describeEvidence(evidence) || (reason ?? ""),
    }))
  );
  output.answer(body, () => output.rows(rows, PROOF_COLUMNS));
}

/**
 * Returns in one line what a verification or drill compared. Returns an empty text if there is no evidence.
 */
function describeEvidence(evidence: Evidence): string {
  if (evidence === null) return "";
  const { databases, files_count, is_opened, objects_count, restore_ms } = evidence;
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  return [
    ...(databases ?? []).map(({ name, rows_count, tables_count }) =>
      `${name}: ${count(tables_count, "table")}` +
      (rows_count === null ? "" : ` with ${count(rows_count, "row")}`)
    ),
    ...files_count === null ? [] : [count(files_count, "file")],
    ...objects_count === null ? [] : [`SHA-256 of ${count(objects_count, "object")}`],
    ...is_opened ? [] : ["not decrypted"],
    ...restore_ms === null ? [] : [`restored in ${(restore_ms / 1000).toFixed(1)} s`],
  ].join(", ");
}
