/** `backups`: lists, holds, deletes, checks and restores backups. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import type { PageChoice } from "../api.ts";
import { addPages, calling, type Cli, pageChoice, parseId } from "../command_line.ts";
import { identityOption, readIdentity, type WithIdentity } from "../identity.ts";
import { addDelete, addUndelete, BACKUP, FORGET } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen, TASK_RECORD_OPTIONS } from "../list_options.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";
import { addBackupRunCommands } from "./backup_runs.ts";
import { addDownloadCommand } from "./download.ts";
import { addFindCommand } from "./find_files.ts";

type Backup = Schema<"Backup">;
/** An entry of a backup, or of a directory on a server. */
type Entry = Omit<Schema<"BackupEntry">, "type"> & { type: string };

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
  addFindCommand(backups.command("find"));
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
  const action = "list backups";
  const backups = task === undefined
    ? await listChosen(api, action, "/api/backups", options)
    : await listChosen(api, action, "/api/backup-tasks/{id}/backups", options, { id: task });
  output.list(backups, COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show backup ${id}`, "/api/backups/{id}", { id }));
}

async function files(
  { api, output }: Cli,
  id: number,
  directory: string | undefined,
  options: PageChoice & WithIdentity & { search?: string },
): Promise<void> {
  const action = `list the files of backup ${id}`;
  const path = "/api/backups/{id}/files";
  const identity = await readIdentity(options.identityFrom);
  const entries = await api.pages<Entry>(pageChoice(options), (page) => {
    const query = { ...page, path: directory, search: options.search };
    if (identity === undefined) return api.get(action, path, { id, query });
    return api.post(action, path, { id, body: { ...query, identity } });
  });
  output.list(entries, ENTRIES);
}

async function hold({ api, output, terminal }: Cli, id: number, options: { reason?: string }): Promise<void> {
  const held = await api.post(`hold backup ${id}`, "/api/backups/{id}/hold", { id, body: options });
  output.answer(held, () => terminal.print(`Backup ${id} is held until it is released\n`));
}

async function release({ api, output, terminal }: Cli, id: number): Promise<void> {
  const released = await api.delete(`release backup ${id}`, "/api/backups/{id}/hold", { id });
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
  return clear(cli, id, { action: `clear backup ${id} of suspicion`, from: "suspicion", message });
}

function clearDamage(cli: Cli, id: number): Promise<void> {
  const message = `Backup ${id} is marked as intact`;
  return clear(cli, id, { action: `clear backup ${id} of damage`, from: "damage", message });
}

async function clear(
  { api, output, terminal }: Cli,
  id: number,
  { action, from, message }: { action: string; from: "suspicion" | "damage"; message: string },
) {
  const cleared = await api.delete(action, `/api/backups/{id}/${from}`, { id });
  output.answer(cleared, () => terminal.print(`${message}: the rules of its task apply\n`));
}

function nameOf({ path, type, link_target }: Entry): string {
  if (link_target !== null) return `${path} -> ${link_target}`;
  return type === "directory" && !path.endsWith("/") ? `${path}/` : path;
}
