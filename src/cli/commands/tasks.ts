/** `tasks`: manages backup tasks and starts their runs. */
import { Argument, type Command } from "commander";
import type { Body, Schema } from "../../client/client.ts";
import { addTaskFindCommand } from "./find_files.ts";
import type { FieldTable } from "../../definitions/fields/field.ts";
import { TASK_FIELDS } from "../../definitions/task_fields.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addDelete, TASK } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen, TASK_RECORD_OPTIONS } from "../list_options.ts";
import type { Column } from "../output.ts";
import { addBulkCommand } from "./tasks/bulk.ts";
import { addPreviewCommands } from "./tasks/previews.ts";
import { addTriggerTokenCommand } from "./tasks/trigger_token.ts";
import { addWeekCommand } from "./tasks/week.ts";
import { latestStreamOf, showStarted } from "../run_follower.ts";
import { addTaskFields, taskBody, type TaskOptions, unknownFields } from "../task_fields.ts";

type Task = Schema<"BackupTask">;

const COLUMNS: readonly Column<Task>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Type", value: ({ type }) => type },
  { title: "Server", align: "right", value: (task) => task.remote_server_id },
  { title: "Destination", align: "right", value: (task) => task.backup_destination_id },
  { title: "Status", value: (task) => task.paused_at === null ? task.status : "paused" },
  { title: "Last run", value: (task) => task.last_run_utc_time },
  { title: "Outcome", value: (task) => task.last_run_outcome },
  { title: "Next run", value: (task) => task.schedule.next_run_at },
];
/**
 * Fields of a task's record that are not printed, because another field shows the same value. For example,
 * `tags` shows the ids in `tag_ids` with their labels.
 */
const SHOWN_TWICE = [
  ...Object.values(TASK_FIELDS as FieldTable).flatMap(({ alsoShownAs }) =>
    alsoShownAs?.replace(".", " ") ?? []
  ),
  "tag_ids",
];

export function addTaskCommands(program: Command): void {
  const tasks = program.command("tasks").description(
    "Manages backup tasks: what is backed up, when, and to where",
  );
  addListOptions(tasks.command("list"), [
    "status",
    "protection",
    "type",
    ...TASK_RECORD_OPTIONS,
  ]).description("List them").action(calling(list));
  tasks.command("show").addArgument(taskId()).description("Show one").action(calling(show));
  addTaskFields(tasks.command("create"))
    .description("Create one; its type follows from --source-path or --database-name").action(
      calling(create),
    );
  addDelete(tasks, taskId(), TASK, {
    name: "--with-backups",
    parameter: "with_backups",
    description: "put its backups into the trash too; without this flag they stay, without a task",
  });
  addTaskFindCommand(tasks.command("find").addArgument(taskId()));
  tasks.command("run").addArgument(taskId())
    .description("Run one now")
    .option("--follow", "show the run's output until it ends; the exit code shows the result")
    .option("--no-queue", "fail if the server is at its limit of runs, instead of waiting for a slot")
    .action(calling(run));
  addTriggerTokenCommand(tasks.command("trigger-token").addArgument(taskId()));
  addPreviewCommands(tasks, taskId());
  addBulkCommand(tasks);
  addWeekCommand(tasks);
  for (
    const [verb, description] of [
      ["pause", "Prevent runs, both by schedule and by hand"],
      ["resume", "End a pause"],
      ["cancel", "Stop its run"],
    ] as const
  ) {
    tasks.command(verb).addArgument(taskId()).description(description).action(
      calling((cli, id: number) => change(cli, verb, id)),
    );
  }
}

function taskId(): Argument {
  return new Argument("<task>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, options: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list backup tasks", TASK.path, options), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show backup task ${id}`, "/api/backup-tasks/{id}", { id }), SHOWN_TWICE);
}

async function create({ api, output, terminal }: Cli, options: TaskOptions): Promise<void> {
  const body = await taskBody(options);
  const made = await api.post("create the backup task", TASK.path, {
    body: body as Body<"/api/backup-tasks">,
  });
  const { id, label, schedule } = made.data;
  output.answer(made, () => {
    terminal.print(`Backup task ${id} created: ${label}, next run ${schedule.next_run_at ?? "by hand"}\n`);
  });
  const unknown = unknownFields(body, made.data);
  if (unknown.length === 0) return;
  throw new CommandError(
    EXIT.failed,
    `Cannot set ${
      unknown.join(", ")
    }: the control plane does not know the field; backup task ${id} was created without it`,
  );
}

async function run(
  cli: Cli,
  id: number,
  { follow = false, queue = true }: { follow?: boolean; queue?: boolean },
): Promise<void> {
  const started = await cli.api.post(`run backup task ${id}`, "/api/backup-tasks/{id}/run", {
    id,
    body: { queue },
  });
  await showStarted(cli, started, follow, latestStreamOf(cli.api, id));
}

async function change(
  { api, output, terminal }: Cli,
  verb: "pause" | "resume" | "cancel",
  id: number,
): Promise<void> {
  const done = await api.post(`${verb} backup task ${id}`, `/api/backup-tasks/{id}/${verb}`, { id });
  output.answer(done, () => terminal.print(`${done.message}\n`));
}
