/**
 * `tasks trigger-token`: creates, replaces or deletes the token with which other systems start runs of a
 * task.
 */
import type { Command } from "commander";
import { calling, type Cli } from "../../command_line.ts";

export function addTriggerTokenCommand(command: Command): void {
  command.description("Make the token with which other systems run a task; an earlier one is invalid at once")
    .option("--delete", "delete the token instead")
    .action(calling(triggerToken));
}

async function triggerToken(
  { api, output, terminal }: Cli,
  id: number,
  { delete: isDeletion = false }: { delete?: boolean },
): Promise<void> {
  const path = "/api/backup-tasks/{id}/trigger-token";
  if (isDeletion) {
    const action = `delete the trigger token of backup task ${id}`;
    const done = await api.delete(action, path, { id });
    return output.answer(done, () => terminal.print(`${done.message}\n`));
  }
  const action = `make a trigger token for backup task ${id}`;
  const made = await api.post(action, path, { id });
  const { token, url } = made.data;
  output.answer(made, () => {
    terminal.write(`${token}\n`);
    terminal.print(
      `It is not shown again. To run the task: curl -X POST -H "X-Trigger-Token: TOKEN" ${url}\n`,
    );
  });
}
