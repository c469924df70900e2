/** `tasks find` and `backups find`: find files by name in the backups of a task, or of all tasks. */
import { type Command, Option } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseCount } from "../command_line.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { identityOption, readIdentity, type WithIdentity } from "../identity.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";

type FoundFile = Schema<"FoundFile">;
type Row = FoundFile["versions"][number] & Pick<FoundFile, "path" | "backup_task">;

const COLUMNS: readonly Column<Row>[] = [
  { title: "Size", align: "right", value: ({ type, size }) => type === "file" ? humanSize(size) : type },
  { title: "Modified", value: (version) => version.modified_at },
  { title: "Backups", value: ({ backups }) => listOf(backups.map(({ id }) => id)) },
  { title: "Path", value: ({ path }) => path },
];
const COLUMNS_OF_ALL: readonly Column<Row>[] = [
  { title: "Task", value: ({ backup_task }) => backup_task === null ? null : backup_task.label },
  ...COLUMNS,
];
/** Maximum number of backups that a row names. */
const LISTED = 8;

/** @param find The command, with the argument for the task. */
export function addTaskFindCommand(find: Command): void {
  addPattern(find).description("Find files in all backups of a task, each with its versions")
    .action(
      calling((cli: Cli, id: number, pattern: string, options: FindOptions) =>
        findFiles(cli, id, pattern, options)
      ),
    );
}

export function addFindCommand(find: Command): void {
  addPattern(find).description("Find files in the backups of all tasks, each with its versions")
    .action(
      calling((cli: Cli, pattern: string, options: FindOptions) => findFiles(cli, null, pattern, options)),
    );
}

type FindOptions = WithIdentity & { limit?: number };

function addPattern(find: Command): Command {
  return find
    .argument("<pattern>", "a text that names contain, or a glob such as '*.conf'; with a slash, of paths")
    .addOption(new Option("--limit <count>", "maximum number of paths").argParser(parseCount))
    .addOption(identityOption());
}

async function findFiles(
  { api, output, terminal }: Cli,
  id: number | null,
  pattern: string,
  { limit, identityFrom }: FindOptions,
): Promise<void> {
  const action = id === null ? "find files" : `find files of backup task ${id}`;
  const identity = await readIdentity(identityFrom);
  const query = { search: pattern, limit };
  const ofAll = () =>
    identity === undefined
      ? api.get(action, "/api/backups/files", { query })
      : api.post(action, "/api/backups/files", { body: { ...query, identity } });
  const ofTask = (id: number) =>
    identity === undefined
      ? api.get(action, "/api/backup-tasks/{id}/files", { id, query })
      : api.post(action, "/api/backup-tasks/{id}/files", { id, body: { ...query, identity } });
  const found = await (id === null ? ofAll() : ofTask(id));
  output.answer(found, () => {
    const rows = found.data.flatMap(({ path, backup_task, versions }) =>
      versions.map((version) => ({ ...version, path, backup_task }))
    );
    output.rows(rows, id === null ? COLUMNS_OF_ALL : COLUMNS);
    if (found.truncated) terminal.write("More paths match: name them more closely, or raise --limit.\n");
  });
  const missed = found.not_searched;
  for (const { backup_id, reason } of missed) api.warn(`Backup ${backup_id} was not searched: ${reason}`);
  if (found.older_count > 0) api.warn(`${found.older_count} older backups were not searched`);
  if (missed.length > 0 && found.searched_count === 0) {
    throw new CommandError(EXIT.failed, `Cannot ${action}: none of its backups could be searched`);
  }
}

/** Returns ids as a list, shortened: `9, 8, 7 and 4 more`. */
function listOf(ids: readonly number[]): string {
  const rest = ids.length - LISTED;
  return `${ids.slice(0, LISTED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
