/** `trash`: lists deleted records that can still be restored. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { BACKUP, DESTINATION, type Undeletable, undelete, USER } from "../deletion.ts";
import type { Column } from "../output.ts";

const KINDS: Readonly<Record<string, Undeletable>> = { backup: BACKUP, destination: DESTINATION, user: USER };

interface Trashed {
  kind: string;
  id: number;
  name: string;
  deletes_at: string;
}

type TrashedRecord = Schema<"Backup"> | Schema<"BackupDestination"> | Schema<"User">;

const COLUMNS: readonly Column<Trashed>[] = [
  { title: "Kind", value: ({ kind }) => kind },
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Name", value: ({ name }) => name },
  { title: "Deleted at", value: (record) => record.deletes_at },
];

export function addTrashCommands(program: Command): void {
  const trash = program.command("trash").description(
    "Lists deleted records, and takes them out of the trash",
  );
  trash.command("list").description("List it").action(calling(list));
  trash.command("undelete")
    .addArgument(new Argument("<kind>", "what it is").choices(Object.keys(KINDS)))
    .addArgument(new Argument("[id]", "its id").argParser(parseId))
    .option("--all", "all records of that kind")
    .description("Take it out of the trash")
    .action(calling(takeOut));
}

async function list({ api, output }: Cli): Promise<void> {
  const data: Trashed[] = [];
  for (const [kind, record] of Object.entries(KINDS)) {
    for (const each of await trashed({ api }, record)) {
      data.push({ kind, id: each.id, name: nameOf(each), deletes_at: each.deletes_at ?? "" });
    }
  }
  output.list({ data, meta: { total: data.length } }, COLUMNS);
}

async function takeOut(cli: Cli, kind: string, id: number | undefined, options: { all?: boolean }) {
  const record = KINDS[kind]!;
  if ((id === undefined) === (options.all !== true)) {
    throw new CommandError(EXIT.usage, `Cannot take it out of the trash: specify one id, or --all`);
  }
  const ids = id === undefined ? (await trashed(cli, record)).map((each) => each.id) : [id];
  for (const each of ids) await undelete(cli, record, each);
}

/**
 * Returns the records of one type in the trash. Only administrators can list users; for other callers, the
 * list of users is empty.
 */
async function trashed({ api }: Pick<Cli, "api">, { noun, path }: Undeletable): Promise<TrashedRecord[]> {
  try {
    return (await api.list(`list each ${noun} in the trash`, path, {}, { query: { status: "trash" } })).data;
  } catch (error) {
    if (noun === USER.noun && error instanceof CommandError && error.code === EXIT.refused) return [];
    throw error;
  }
}

function nameOf(record: TrashedRecord): string {
  if ("file_name" in record) return record.file_name;
  return "label" in record ? record.label : record.personal_info.email;
}
