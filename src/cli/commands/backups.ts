/** `backups`: lists, holds, deletes, checks and restores backups. */
import { Argument, type Command } from "commander";
import type { List, PageChoice } from "../api.ts";
import { addPages, calling, type Cli, pageChoice, parseId } from "../command_line.ts";
import { identityOption, readIdentity, type WithIdentity } from "../identity.ts";
import { addDelete, addUndelete, BACKUP, FORGET } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen, TASK_RECORD_OPTIONS } from "../list_options.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";
import type { Backup, Entry } from "../records.ts";
import { addBackupRunCommands } from "./backup_runs.ts";
import { addDownloadCommand } from "./download.ts";

const COLUMNS: readonly Column<Backup>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Task", align: "right", value: (backup) => backup.backup_task_id },
  { title: "Created", value: (backup) => backup.created_at },
  { title: "Size", align: "right", value: ({ size }) => humanSize(size) },
  { title: "Status", value: ({ status, incomplete }) => incomplete ? `${status}, incomplete` : status },
  { title: "Encrypted", value: ({ encrypted }) => encrypted ? "yes" : "no" },
  { title: "Verified", value: (backup) => backup.verified_at },
  { title: "Held", value: ({ held }) => held ? "yes" : "no" },
  { title: "Proven", value: (backup) => backup.proven_at },
  { title: "File", value: (backup) => backup.file_name },
];
export const ENTRIES: readonly Column<Entry>[] = [
  { title: "Mode", value: ({ mode }) => mode },
  { title: "Owner", value: ({ uid, gid }) => `${uid}:${gid}` },
  { title: "Size", align: "right", value: ({ type, size }) => type === "file" ? humanSize(size) : null },
  { title: "Modified", value: (entry) => entry.modified_at },
  { title: "Path", value: nameOf },
];

export function addBackupCommands(program: Command): void {
  const backups = program.command("backups").description("Lists, holds, deletes and restores backups");
  addListOptions(backups.command("list"), [
    "task",
    "status",
    ...TASK_RECORD_OPTIONS,
  ])
    .description("List them")
    .action(calling(list));
  backups.command("show").addArgument(backupId()).description("Show one").action(calling(show));
  addPages(backups.command("files")).addArgument(backupId())
    .argument("[path]", "a directory in it")
    .description("List a backup's contents")
    .option("--search <text>", "only names that contain this text")
    .addOption(identityOption())
    .action(calling(files));
  addBackupRunCommands((name) => backups.command(name).addArgument(backupId()));
  addDelete(backups, backupId(), BACKUP, FORGET);
  addUndelete(backups, backupId(), BACKUP);
  backups.command("hold").addArgument(backupId())
    .description("Protect a backup from deletion until it is released")
    .option("--reason <text>", "the reason, shown to other users")
    .action(calling(hold));
  backups.command("release").addArgument(backupId())
    .description("Release a held backup; the hold ends after the trash's delay")
    .action(calling(release));
  backups.command("clear-suspicion").addArgument(backupId())
    .description("Clear a backup of suspicion: older backups may be removed again")
    .action(calling(clearSuspicion));
  backups.command("clear-damage").addArgument(backupId())
    .description("Mark a damaged backup as intact: older backups may be removed again")
    .action(calling(clearDamage));
  addDownloadCommand(backups.command("download").addArgument(backupId()));
}

function backupId(): Argument {
  return new Argument("<backup>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, { task, ...options }: ListChoice): Promise<void> {
  const path = task === undefined ? "/backups" : `/backup-tasks/${task}/backups`;
  output.list(await listChosen<Backup>(api, "list backups", path, options), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show backup ${id}`, `/backups/${id}`));
}

async function files(
  { api, output }: Cli,
  id: number,
  directory: string | undefined,
  options: PageChoice & WithIdentity & { search?: string },
): Promise<void> {
  const action = `list the files of backup ${id}`;
  const path = `/backups/${id}/files`;
  const identity = await readIdentity(options.identityFrom);
  const entries = await api.pages<Entry>(pageChoice(options), (query) => {
    if (directory !== undefined) query.set("path", directory);
    if (options.search !== undefined) query.set("search", options.search);
    if (identity === undefined) return api.get<List<Entry>>(action, `${path}?${query}`);
    return api.post<List<Entry>>(action, path, { ...Object.fromEntries(query), identity });
  });
  output.list(entries, ENTRIES);
}

async function hold({ api, output, terminal }: Cli, id: number, options: { reason?: string }): Promise<void> {
  const held = await api.post<{ data: Backup }>(`hold backup ${id}`, `/backups/${id}/hold`, options);
  output.answer(held, () => terminal.print(`Backup ${id} is held until it is released\n`));
}

async function release({ api, output, terminal }: Cli, id: number): Promise<void> {
  const path = `/backups/${id}/hold`;
  const released = await api.call<{ data: Backup }>({
    action: `release backup ${id}`,
    method: "DELETE",
    path,
  });
  const { hold_ends_at } = released.data;
  output.answer(released, () => {
    const state = hold_ends_at === null
      ? "is released: the rules of its task apply"
      : `is held until ${hold_ends_at}`;
    terminal.print(`Backup ${id} ${state}\n`);
  });
}

function clearSuspicion(cli: Cli, id: number): Promise<void> {
  const message = `Backup ${id} is not suspicious any more`;
  return clear(cli, `clear backup ${id} of suspicion`, `/backups/${id}/suspicion`, message);
}

function clearDamage(cli: Cli, id: number): Promise<void> {
  const message = `Backup ${id} is marked as intact`;
  return clear(cli, `clear backup ${id} of damage`, `/backups/${id}/damage`, message);
}

async function clear({ api, output, terminal }: Cli, action: string, path: string, message: string) {
  const cleared = await api.call<{ data: Backup }>({ action, method: "DELETE", path });
  output.answer(cleared, () => terminal.print(`${message}: the rules of its task apply\n`));
}

function nameOf({ path, type, link_target }: Entry): string {
  if (link_target !== null) return `${path} -> ${link_target}`;
  return type === "directory" && !path.endsWith("/") ? `${path}/` : path;
}
