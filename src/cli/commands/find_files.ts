/** `tasks find`: finds files by name in all backups of a task. */
import { type Command, Option } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseCount } from "../command_line.ts";
import { CommandError, EXIT } from "../command_error.ts";
import { identityOption, readIdentity, type WithIdentity } from "../identity.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";

type Row = Schema<"FoundFile">["versions"][number] & { path: string };

const COLUMNS: readonly Column<Row>[] = [
  { title: "Size", align: "right", value: ({ type, size }) => type === "file" ? humanSize(size) : type },
  { title: "Modified", value: (version) => version.modified_at },
  { title: "Backups", value: ({ backups }) => listOf(backups.map(({ id }) => id)) },
  { title: "Path", value: ({ path }) => path },
];
/** Maximum number of backups that a row names. */
const LISTED = 8;

/** @param find The command, with the argument for the task. */
export function addFindCommand(find: Command): void {
  find.argument("<pattern>", "a text that names contain, or a glob such as '*.conf'; with a slash, of paths")
    .description("Find files in all backups of a task, each with its versions")
    .addOption(new Option("--limit <count>", "maximum number of paths").argParser(parseCount))
    .addOption(identityOption())
    .action(calling(findFiles));
}

async function findFiles(
  { api, output, terminal }: Cli,
  id: number,
  pattern: string,
  { limit, identityFrom }: WithIdentity & { limit?: number },
): Promise<void> {
  const action = `find files of backup task ${id}`;
  const path = "/api/backup-tasks/{id}/files";
  const identity = await readIdentity(identityFrom);
  const query = { search: pattern, limit };
  const found = identity === undefined
    ? await api.get(action, path, { id, query })
    : await api.post(action, path, { id, body: { ...query, identity } });
  output.answer(found, () => {
    const rows = found.data.flatMap(({ path, versions }) =>
      versions.map((version) => ({ ...version, path }))
    );
    output.rows(rows, COLUMNS);
    if (found.truncated) terminal.write("More paths match: name them more closely, or raise --limit.\n");
  });
  const missed = found.not_searched;
  for (const { backup_id, reason } of missed) api.warn(`Backup ${backup_id} was not searched: ${reason}`);
  if (missed.length > 0 && found.searched_count === 0) {
    throw new CommandError(EXIT.failed, `Cannot ${action}: none of its backups could be searched`);
  }
}

/** Returns ids as a list, shortened: `9, 8, 7 and 4 more`. */
function listOf(ids: readonly number[]): string {
  const rest = ids.length - LISTED;
  return `${ids.slice(0, LISTED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
