/** `tasks bulk`: does the same with many backup tasks. */
import { Argument, type Command, Option } from "commander";
import type { Answer, Body } from "../../../client/client.ts";
import { CommandError, EXIT } from "../../command_error.ts";
import { calling, type Cli, parseId } from "../../command_line.ts";
import type { Column } from "../../output.ts";

type Result = Answer<"/api/backup-tasks/bulk", "post">["data"]["results"][number];
type Action = Body<"/api/backup-tasks/bulk">["action"];

interface BulkOptions {
  tag?: number;
  queue: boolean;
  withBackups?: boolean;
}

const ACTIONS: readonly Action[] = ["run", "pause", "resume", "add-tag", "remove-tag", "delete"];

const COLUMNS: readonly Column<Result>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Result", value: ({ ok }) => ok ? "ok" : "failed" },
  { title: "Message", value: ({ message }) => message },
  { title: "Log", align: "right", value: (result) => result.backup_task_log_id ?? null },
];

export function addBulkCommand(tasks: Command): void {
  tasks.command("bulk")
    .addArgument(new Argument("<action>", "what to do").choices(ACTIONS))
    .addArgument(
      new Argument("<tasks...>", "their ids").argParser((text: string, before?: number[]) => [
        ...before ?? [],
        parseId(text),
      ]),
    )
    .addOption(new Option("--tag <id>", "the tag to add or remove").argParser(parseId))
    .option("--no-queue", "for run: do not wait for a slot if a server is at its limit of runs")
    .option("--with-backups", "for delete: put the backups of the tasks into the trash too")
    .description("Do the same with many tasks; an error of one does not stop the others")
    .action(calling(change));
}

async function change(
  { api, output }: Cli,
  action: Action,
  ids: number[],
  { tag, queue, withBackups }: BulkOptions,
): Promise<void> {
  const changed = await api.post(`${action} ${ids.length} backup tasks`, "/api/backup-tasks/bulk", {
    body: {
      action,
      ids,
      tag_id: tag,
      queue: action === "run" ? queue : undefined,
      with_backups: withBackups === true ? true : undefined,
    },
  });
  const { failed, results } = changed.data;
  output.answer(changed, () => output.rows(results, COLUMNS));
  if (failed === 0) return;
  throw new CommandError(EXIT.failed, `Cannot ${action} ${failed} of ${results.length} backup tasks`);
}
