/** `trash`: lists deleted records that can still be restored. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { BACKUP, DESTINATION, STREAM, TASK, type Undeletable, undelete, USER } from "../deletion.ts";
import type { Column } from "../output.ts";

const KINDS: Readonly<Record<string, Undeletable>> = {
  backup: BACKUP,
  destination: DESTINATION,
  user: USER,
  task: TASK,
  stream: STREAM,
  script: { noun: "script", path: "/api/scripts" },
  tag: { noun: "tag", path: "/api/tags" },
};
/** Kinds that are listed together, by their names in that list. */
const LISTED_TOGETHER: Readonly<Record<string, Schema<"DeletedRecord">["kind"]>> = {
  task: "backup-tasks",
  stream: "notification-streams",
  script: "scripts",
  tag: "tags",
};

interface Trashed {
  kind: string;
  id: number;
  name: string;
  deletes_at: string;
}

type TrashedRecord =
  | Schema<"Backup">
  | Schema<"BackupDestination">
  | Schema<"User">
  | Schema<"DeletedRecord">;

/** Paths of lists with the filter `status=trash`. */
type TrashPath = typeof BACKUP.path | typeof DESTINATION.path | typeof USER.path;

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
  for (const kind of Object.keys(KINDS)) {
    for (const each of await trashed({ api }, kind)) {
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
  const ids = id === undefined ? (await trashed(cli, kind)).map((each) => each.id) : [id];
  for (const each of ids) await undelete(cli, record, each);
}

/**
 * Returns the records of one type in the trash. Only administrators can list users; for other callers, the
 * list of users is empty.
 */
async function trashed({ api }: Pick<Cli, "api">, kind: string): Promise<TrashedRecord[]> {
  const { noun, path } = KINDS[kind]!;
  const together = LISTED_TOGETHER[kind];
  const action = `list each ${noun} in the trash`;
  try {
    if (together !== undefined) {
      return (await api.list(action, "/api/deleted-records", {}, { query: { kind: together } })).data;
    }
    return (await api.list(action, path as TrashPath, {}, { query: { status: "trash" } })).data;
  } catch (error) {
    if (noun === USER.noun && error instanceof CommandError && error.code === EXIT.refused) return [];
    throw error;
  }
}

function nameOf(record: TrashedRecord): string {
  if ("file_name" in record) return record.file_name;
  return "label" in record ? record.label : record.personal_info.email;
}
