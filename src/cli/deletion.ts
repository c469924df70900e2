/** Commands that delete records, and commands that undo deletions. */
import { type Argument, type Command } from "commander";
import { calling, type Cli } from "./command_line.ts";

/** A type of record that can be deleted, with its name and its path in the API. */
export interface Deletable {
  /** The name as in `Cannot delete <noun> 7: …`. */
  readonly noun: string;
  /** The path of the collection, below `/api`. */
  readonly path: string;
}

interface Deleted {
  message: string;
  deletes_at?: string;
}

/**
 * Adds a command that deletes a record.
 *
 * @param flag The command-line option that becomes the query parameter of the same name.
 */
export function addDelete(
  parent: Command,
  argument: Argument,
  record: Deletable,
  flag?: { name: string; parameter: string; description: string },
): void {
  const command = parent.command("delete").addArgument(argument).description("Delete one");
  if (flag !== undefined) command.option(flag.name, flag.description);
  command.action(
    calling(async ({ api, output, terminal }: Cli, id: number, options: Record<string, unknown>) => {
      const query = flag !== undefined && Object.values(options).includes(true)
        ? `?${flag.parameter}=true`
        : "";
      const path = `${record.path}/${id}${query}`;
      const deleted = await api.call<Deleted>({
        action: `delete ${record.noun} ${id}`,
        method: "DELETE",
        path,
      });
      output.answer(deleted, () => {
        const until = deleted.deletes_at;
        terminal.print(`${deleted.message}${until === undefined ? "" : `: in the trash until ${until}`}\n`);
      });
    }),
  );
}

export function addUndelete(parent: Command, argument: Argument, record: Deletable): void {
  parent.command("undelete").addArgument(argument).description("Take one out of the trash")
    .action(calling((cli: Cli, id: number) => undelete(cli, record, id)));
}

export async function undelete({ api, output, terminal }: Cli, { noun, path }: Deletable, id: number) {
  const kept = await api.post(`take ${noun} ${id} out of the trash`, `${path}/${id}/undelete`);
  const name = noun.charAt(0).toUpperCase() + noun.slice(1);
  output.answer(kept, () => terminal.print(`${name} ${id} is out of the trash\n`));
}

export const FORGET = {
  name: "--forget",
  parameter: "forget",
  description: "delete only the records, for a location that no longer exists; the objects stay",
};

export const BACKUP: Deletable = { noun: "backup", path: "/backups" };
export const DESTINATION: Deletable = { noun: "destination", path: "/backup-destinations" };
export const SERVER: Deletable = { noun: "server", path: "/remote-servers" };
export const STREAM: Deletable = { noun: "notification stream", path: "/notification-streams" };
export const TASK: Deletable = { noun: "backup task", path: "/backup-tasks" };
export const USER: Deletable = { noun: "user", path: "/users" };
