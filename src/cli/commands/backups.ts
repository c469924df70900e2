/** `backups`: what is stored, and the ways back. */
import { Argument, type Command, Option } from "commander";
import type { List, PageChoice } from "../api.ts";
import { addPages, calling, type Cli, collect, pageChoice, parseId, parseSource } from "../command_line.ts";
import { readIdentity } from "../identity.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";
import type { Backup, Entry, Started } from "../records.ts";
import { showStarted } from "../run_follower.ts";
import { type SecretSource, SOURCE_HELP } from "../secret_source.ts";
import { addDownloadCommand } from "./download.ts";

const COLUMNS: readonly Column<Backup>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Task", align: "right", value: (backup) => backup.backup_task_id },
  { title: "Created", value: (backup) => backup.created_at },
  { title: "Size", align: "right", value: ({ size }) => humanSize(size) },
  { title: "Status", value: ({ status }) => status },
  { title: "Encrypted", value: ({ encrypted }) => encrypted ? "yes" : "no" },
  { title: "Verified", value: (backup) => backup.verified_at },
  { title: "Held", value: ({ held }) => held ? "yes" : "no" },
  { title: "Proven", value: (backup) => backup.proven_at },
  { title: "File", value: (backup) => backup.file_name },
];
const ENTRIES: readonly Column<Entry>[] = [
  { title: "Mode", value: ({ mode }) => mode },
  { title: "Owner", value: ({ uid, gid }) => `${uid}:${gid}` },
  { title: "Size", align: "right", value: ({ type, size }) => type === "file" ? humanSize(size) : null },
  { title: "Modified", value: (entry) => entry.modified_at },
  { title: "Path", value: nameOf },
];

export function addBackupCommands(program: Command): void {
  const backups = program.command("backups").description("Backups: what is stored, and the ways back");
  addPages(backups.command("list"))
    .description("List them")
    .addOption(new Option("--task <id>", "of this task only").argParser(parseId))
    .action(calling(list));
  backups.command("show").addArgument(backupId()).description("Show one").action(calling(show));
  addPages(backups.command("files")).addArgument(backupId())
    .argument("[path]", "a directory in it")
    .description("List what is inside")
    .addOption(identityOption())
    .action(calling(files));
  addFollow(backups.command("restore").addArgument(backupId()))
    .description("Restore files or databases")
    .addOption(new Option("--server <id>", "to this server (default: where it is from)").argParser(parseId))
    .option("--target-path <path>", "into this directory (default: where they were)")
    .option("--path <path>", "only this file or directory; may be given again", collect)
    .option("--database-name <name>", "into this database (default: its own)")
    .option("--overwrite", "replace what is there")
    .addOption(identityOption())
    .action(calling(restore));
  addFollow(backups.command("verify").addArgument(backupId()))
    .description("Read one back and check it")
    .action(calling(verify));
  addFollow(backups.command("drill").addArgument(backupId()))
    .description("Restore one in a drill, compare it and drop it again")
    .action(calling(drill));
  backups.command("hold").addArgument(backupId())
    .description("Keep one from deletion until it is released")
    .option("--reason <text>", "why, for others")
    .action(calling(hold));
  backups.command("release").addArgument(backupId())
    .description("Let the rules of its task delete a held one again")
    .action(calling(release));
  addDownloadCommand(backups.command("download").addArgument(backupId()));
}

function backupId(): Argument {
  return new Argument("<backup>", "its id").argParser(parseId);
}

function identityOption(): Option {
  return new Option("--identity-from <source>", `age identity of a recipient: ${SOURCE_HELP}`)
    .argParser(parseSource);
}

function addFollow(command: Command): Command {
  return command
    .option("--follow", "show its output until it is over; the exit code tells how it ended (default)")
    .option("--no-follow", "leave once it has begun");
}

async function list({ api, output }: Cli, options: PageChoice & { task?: number }): Promise<void> {
  const path = options.task === undefined ? "/backups" : `/backup-tasks/${options.task}/backups`;
  output.list(await api.list<Backup>("list backups", path, pageChoice(options)), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show backup ${id}`, `/backups/${id}`));
}

interface WithIdentity {
  identityFrom?: SecretSource;
}

async function files(
  { api, output }: Cli,
  id: number,
  directory: string | undefined,
  options: PageChoice & WithIdentity,
): Promise<void> {
  const action = `list the files of backup ${id}`;
  const path = `/backups/${id}/files`;
  const identity = await readIdentity(options.identityFrom);
  const entries = await api.pages<Entry>(pageChoice(options), (query) => {
    if (directory !== undefined) query.set("path", directory);
    if (identity === undefined) return api.get<List<Entry>>(action, `${path}?${query}`);
    return api.post<List<Entry>>(action, path, { ...Object.fromEntries(query), identity });
  });
  output.list(entries, ENTRIES);
}

interface RestoreOptions extends WithIdentity {
  server?: number;
  targetPath?: string;
  path?: string[];
  databaseName?: string;
  overwrite?: boolean;
  follow?: boolean;
}

async function restore(cli: Cli, id: number, options: RestoreOptions): Promise<void> {
  const started = await cli.api.post<Started>(`restore backup ${id}`, `/backups/${id}/restore`, {
    remote_server_id: options.server,
    target_path: options.targetPath,
    paths: options.path,
    database_name: options.databaseName,
    overwrite: options.overwrite,
    identity: await readIdentity(options.identityFrom),
  });
  await showStarted(cli, started, options.follow ?? true);
}

async function verify(cli: Cli, id: number, { follow = true }: { follow?: boolean }): Promise<void> {
  const started = await cli.api.post<Started>(`verify backup ${id}`, `/backups/${id}/verify`);
  await showStarted(cli, started, follow);
}

async function drill(cli: Cli, id: number, { follow = true }: { follow?: boolean }): Promise<void> {
  const started = await cli.api.post<Started>(`restore backup ${id} in a drill`, `/backups/${id}/drill`);
  await showStarted(cli, started, follow);
}

async function hold({ api, output, terminal }: Cli, id: number, options: { reason?: string }): Promise<void> {
  const held = await api.post<{ data: Backup }>(`hold backup ${id}`, `/backups/${id}/hold`, options);
  output.answer(held, () => terminal.print(`Backup ${id} is held: it stays until it is released\n`));
}

async function release({ api, output, terminal }: Cli, id: number): Promise<void> {
  const released = await api.call<{ data: Backup }>({
    action: `release backup ${id}`,
    method: "DELETE",
    path: `/backups/${id}/hold`,
  });
  output.answer(released, () => terminal.print(`Backup ${id} is released: the rules of its task apply\n`));
}

function nameOf({ path, type, link_target }: Entry): string {
  if (link_target !== null) return `${path} -> ${link_target}`;
  return type === "directory" && !path.endsWith("/") ? `${path}/` : path;
}
