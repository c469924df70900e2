/** Options that filter and sort lists. Each option is a query parameter of the API. */
import { type Command, Option } from "commander";
import type { InputArgument, ListPath, RowOf } from "../client/client.ts";
import type { Api, List, PageChoice } from "./api.ts";
import { addPages, parseId } from "./command_line.ts";

const OPTIONS = {
  status: ["--status <status>", "only with this status", "status"],
  protection: ["--protection <status>", "only with this protection, such as late", "protection"],
  state: ["--state <state>", "only in this state: waiting, sent, given_up", "state"],
  event: ["--event <event>", "only of this event, such as backup.failed", "event"],
  kind: ["--kind <kind>", "only runs of this kind: backup, restore, verify, drill", "kind"],
  type: ["--type <type>", "only of this type", "type"],
  task: ["--task <id>", "only for this backup task", "backup_task_id"],
  server: ["--server <id>", "only for this remote server", "remote_server_id"],
  destination: ["--destination <id>", "only for this backup destination", "backup_destination_id"],
  backup: ["--backup <id>", "only runs that read this backup", "backup_id"],
  tag: ["--tag <id>", "only with this tag", "tag_id"],
  since: ["--since <time>", "created at this day or time, or later", "since"],
  until: ["--until <time>", "created before this day or time", "until"],
  search: ["--search <text>", "only records that contain this text", "search"],
  sort: ["--sort <field>", "such as created_at; -id shows the newest first", "sort"],
} as const;
export type ListOption = keyof typeof OPTIONS;
/** Options of the lists of tasks, of runs and of backups. */
export const TASK_RECORD_OPTIONS = [
  "server",
  "destination",
  "tag",
  "since",
  "until",
  "search",
  "sort",
] as const;
export type ListChoice = PageChoice & Partial<Record<ListOption, string | number>>;

/** Adds the named options to a command that lists records, and the options that choose a page. */
export function addListOptions(command: Command, names: readonly ListOption[]): Command {
  for (const name of names) {
    const [flag, description] = OPTIONS[name];
    const option = new Option(flag, description);
    command.addOption(flag.endsWith("<id>") ? option.argParser(parseId) : option);
  }
  return addPages(command);
}

/** Fetches the requested page of the filtered list. If no page option is set, fetches every page. */
export async function listChosen<P extends ListPath>(
  api: Api,
  action: string,
  path: P,
  { page, perPage, ...choice }: ListChoice,
  ...[input]: InputArgument<P, "get">
): Promise<List<RowOf<P>>> {
  const query: Record<string, unknown> = { ...input?.query };
  for (const [name, [, , parameter]] of Object.entries(OPTIONS)) {
    query[parameter] ??= choice[name as ListOption];
  }
  // Parameters that the list does not have are undefined here, because the command has no options for them.
  return await api.list(action, path, { page, perPage }, ...[{ ...input, query }] as InputArgument<P, "get">);
}
