/** `overview`: says whether everything is protected, and lists what is not. */
import type { Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli } from "../command_line.ts";
import { CommandError, EXIT } from "../command_error.ts";
import type { Column } from "../output.ts";

type UnprotectedTask = Schema<"Overview">["unprotected_tasks"][number];

const COLUMNS: readonly Column<UnprotectedTask>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Server", value: ({ remote_server }) => remote_server.label },
  { title: "Status", value: ({ protection }) => protection.status },
  { title: "Newest backup", value: ({ protection }) => protection.newest_backup_at ?? "none" },
  { title: "Reason", value: ({ protection }) => protection.reason },
];

export function addOverviewCommand(program: Command): void {
  program.command("overview")
    .description("Whether everything is protected, and what is not; the exit code is 1 if a task is late")
    .action(calling(overview));
}

async function overview({ api, output }: Cli): Promise<void> {
  const body = await api.get("show the overview", "/api/overview");
  // Older control planes do not send `tasks_with_warnings`.
  const { is_protected, tasks_with_warnings = 0, unprotected_tasks, verdict } = body.data;
  output.answer(body, () => {
    if (unprotected_tasks.length > 0) output.rows(unprotected_tasks, COLUMNS);
    if (tasks_with_warnings > 0) {
      const tasks = tasks_with_warnings === 1 ? "1 task has" : `${tasks_with_warnings} tasks have`;
      output.terminal.write(`${tasks} a newest backup with warnings: see \`tasks list\`.\n`);
    }
    if (is_protected) output.terminal.write(`${verdict}\n`);
  });
  if (!is_protected) throw new CommandError(EXIT.failed, verdict);
}
