/** Commands that delete records, and commands that undo deletions. */
import { type Argument, type Command } from "commander";
import type { Method, PathOf } from "../client/client.ts";
import { calling, type Cli } from "./command_line.ts";

/**
 * The paths of the collections that have an endpoint with the method `M`. The path of this endpoint is the
 * collection's path followed by `Below`.
 */
export type CollectionOf<M extends Method, Below extends string = ""> = {
  [P in PathOf<M>]: P extends `${infer Path}${Below}` ? Path extends `${string}{${string}` ? never : Path
    : never;
}[PathOf<M>];

/** A type of record, with its name and its path in the API. */
export interface RecordType<Path extends string> {
  /** The name as in `Cannot delete <noun> 7: …`. */
  readonly noun: string;
  /** The path of the collection. */
  readonly path: Path;
}

export type Deletable = RecordType<CollectionOf<"delete", "/{id}">>;
export type Undeletable = RecordType<CollectionOf<"post", "/{id}/undelete">>;

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
      const isSet = flag !== undefined && Object.values(options).includes(true);
      const query = isSet ? { [flag.parameter]: true } : undefined;
      const deleted = await api.delete(`delete ${record.noun} ${id}`, `${record.path}/{id}`, { id, query });
      output.answer(deleted, () => {
        const until = "deletes_at" in deleted ? deleted.deletes_at : undefined;
        terminal.print(`${deleted.message}${until === undefined ? "" : `: in the trash until ${until}`}\n`);
      });
    }),
  );
}

export function addUndelete(parent: Command, argument: Argument, record: Undeletable): void {
  parent.command("undelete").addArgument(argument).description("Take one out of the trash")
    .action(calling((cli: Cli, id: number) => undelete(cli, record, id)));
}

export async function undelete({ api, output, terminal }: Cli, { noun, path }: Undeletable, id: number) {
  const kept = await api.post(`take ${noun} ${id} out of the trash`, `${path}/{id}/undelete`, { id });
  const name = noun.charAt(0).toUpperCase() + noun.slice(1);
  output.answer(kept, () => terminal.print(`${name} ${id} is out of the trash\n`));
}

export const FORGET = {
  name: "--forget",
  parameter: "forget",
  description: "delete only the records, for a location that no longer exists; the objects stay",
};

export const BACKUP = { noun: "backup", path: "/api/backups" } as const;
export const DESTINATION = { noun: "destination", path: "/api/backup-destinations" } as const;
export const SERVER = { noun: "server", path: "/api/remote-servers" } as const;
export const STREAM = { noun: "notification stream", path: "/api/notification-streams" } as const;
export const TASK = { noun: "backup task", path: "/api/backup-tasks" } as const;
export const USER = { noun: "user", path: "/api/users" } as const;
