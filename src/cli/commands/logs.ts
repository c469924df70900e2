/** `logs`: lists and shows the records of runs. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addListOptions, type ListChoice, listChosen, TASK_RECORD_OPTIONS } from "../list_options.ts";
import type { Column } from "../output.ts";
import { followRun, streamOf } from "../run_follower.ts";

type Log = Schema<"BackupTaskLog">;

const COLUMNS: readonly Column<Log>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Task", align: "right", value: (log) => log.backup_task_id },
  { title: "Kind", value: ({ kind }) => kind },
  { title: "Status", value: ({ status }) => status },
  { title: "Outcome", value: ({ outcome }) => outcome },
  { title: "Created", value: (log) => log.created_at },
  { title: "Finished", value: (log) => log.finished_at },
  { title: "Warnings", align: "right", value: (log) => log.warnings_count },
  { title: "Reason", value: ({ reason }) => reason },
];

type LineChoice = Partial<Record<"limit" | "search" | "stream" | "before" | "after", string>>;

export function addLogCommands(program: Command): void {
  const logs = program.command("logs").description("Lists and shows the records of runs");
  addListOptions(logs.command("list", { isDefault: true }), [
    "status",
    "kind",
    "backup",
    ...TASK_RECORD_OPTIONS,
  ])
    .addArgument(new Argument("[task]", "only runs of this task").argParser(parseId))
    .description("List them")
    .action(calling(list));
  logs.command("show")
    .addArgument(new Argument("<log>", "its id").argParser(parseId))
    .description("Show a log with its whole output")
    .option("--follow", "follow the run until it ends; the exit code shows the result")
    .action(calling(show));
  logs.command("why")
    .addArgument(new Argument("<log>", "its id").argParser(parseId))
    .description("Show what the run waits for, until when, and what happens then")
    .action(calling(why));
  logs.command("lines")
    .addArgument(new Argument("<log>", "its id").argParser(parseId))
    .description("Show the last lines of a log, or those that contain a text")
    .option("--limit <number>", "how many lines at most", "1000")
    .option("--search <text>", "only lines that contain this text")
    .option("--stream <stream>", "only lines of this kind: output, warning, note")
    .option("--before <sequence>", "only lines before this position")
    .option("--after <sequence>", "only lines after this position, and the first of them")
    .action(calling(lines));
  logs.command("warnings")
    .addArgument(new Argument("<log>", "its id").argParser(parseId))
    .description("Show all warnings of the run, such as the files that could not be read")
    .action(calling(warnings));
  logs.command("cancel")
    .addArgument(new Argument("<log>", "its id").argParser(parseId))
    .description("Cancel the run, of any kind; its changes are undone")
    .action(calling(cancel));
}

async function list({ api, output }: Cli, taskId: number | undefined, options: ListChoice): Promise<void> {
  const logs = taskId === undefined
    ? await listChosen(api, "list logs", "/api/backup-task-logs", options)
    : await listChosen(
      api,
      `list the logs of backup task ${taskId}`,
      "/api/backup-tasks/{id}/logs",
      options,
      { id: taskId },
    );
  output.list(logs, COLUMNS);
}

async function why({ api, output }: Cli, id: number): Promise<void> {
  const path = "/api/backup-task-logs/{id}/why";
  output.record(await api.get(`show what the run of log ${id} waits for`, path, { id }));
}

async function warnings({ api, output, terminal }: Cli, id: number): Promise<void> {
  const path = "/api/backup-task-logs/{id}/warnings";
  const query = { format: "jsonl" };
  const response = await api.open(`show the warnings of log ${id}`, path, {}, { id, query });
  const lines = (await response.text()).trimEnd().split("\n").filter((line) => line !== "");
  const rows: { message?: string; left_out?: number }[] = lines.map((line) => JSON.parse(line));
  const left_out = rows.at(-1)?.left_out ?? 0;
  const data = rows.flatMap(({ message }) => message === undefined ? [] : [{ message }]);
  output.answer({ data, left_out }, () => {
    for (const { message } of data) terminal.write(`${message}\n`);
    if (left_out > 0) terminal.write(`${left_out} more are not kept.\n`);
  });
}

async function lines({ api, output, terminal }: Cli, id: number, choice: LineChoice): Promise<void> {
  const path = "/api/backup-task-logs/{id}/lines";
  const listed = await api.get(`show lines of log ${id}`, path, { id, query: choice });
  output.answer(listed, () => {
    for (const { text } of listed.data) terminal.print(`${text}\n`);
  });
}

async function cancel({ api, output, terminal }: Cli, id: number): Promise<void> {
  const done = await api.post(`cancel the run of log ${id}`, "/api/backup-task-logs/{id}/cancel", { id });
  output.answer(done, () => terminal.print(`${done.message}\n`));
}

async function show(cli: Cli, id: number, { follow = false }: { follow?: boolean }): Promise<void> {
  const { api, output, terminal } = cli;
  if (follow) return await followRun(cli, id, streamOf(api, id));
  const log = await api.get(`show log ${id}`, "/api/backup-task-logs/{id}", { id });
  output.answer(log, () => {
    output.fields(log.data, ["output"]);
    terminal.print(`\n${log.data.output}`);
  });
}
