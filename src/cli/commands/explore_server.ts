/**
 * `servers files`, `databases`, `unprotected` and `dismiss`: show what a server has that could be backed up.
 */
import { type Command, Option } from "commander";
import type { Answer, Body } from "../../client/client.ts";
import type { PageChoice } from "../api.ts";
import {
  addPages,
  calling,
  type Cli,
  pageChoice,
  parseCount,
  parseId,
  parseSource,
} from "../command_line.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";
import { readSecret, type SecretSource, SOURCE_HELP } from "../secret_source.ts";
import { ENTRIES } from "./backups.ts";

type Database = Answer<"/api/remote-servers/{id}/databases", "post">["data"]["databases"][number];

const DATABASES: readonly Column<Database>[] = [
  { title: "Name", value: ({ name }) => name },
  { title: "Size", align: "right", value: ({ size }) => size === null ? null : humanSize(size) },
  { title: "Problem", value: ({ problem }) => problem },
];

type Unprotected = Answer<"/api/remote-servers/{id}/unprotected">["data"][number];

const UNPROTECTED: readonly Column<Unprotected>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "Size", align: "right", value: ({ size }) => size === null ? null : humanSize(size) },
  { title: "Covered", value: ({ is_partly_protected }) => is_partly_protected ? "in part" : "no" },
  { title: "Dismissed", value: ({ is_dismissed }) => is_dismissed ? "yes" : "no" },
];

/** @param add Adds a command with the given name. The command's argument is the server's id. */
export function addExploreCommands(add: (name: string) => Command): void {
  addPages(add("files")).argument("[path]", "an absolute directory (default: /)")
    .description("List a directory of a server, through its agent")
    .option("--search <text>", "only names that contain this text")
    .action(calling(files));
  add("databases").description("List the databases of a server, through its agent")
    .option("--database-type <type>", "kind of database server (default: the kind that is found)")
    .option("--database-host <host>", "host of the database server (default: its local socket)")
    .addOption(new Option("--database-port <port>", "port of that server").argParser(parseCount))
    .option("--database-username <name>", "user that logs in")
    .option("--isolated-username <name>", "system user that runs the database's programs")
    .addOption(new Option("--task <id>", "use the login of this task").argParser(parseId))
    .addOption(
      new Option("--database-password-from <source>", `password of that user: ${SOURCE_HELP}`)
        .argParser(parseSource),
    )
    .action(calling(databases));
  add("unprotected").description("List what of a server no task backs up")
    .option("--now", "let the agent look now, instead of its last inventory")
    .action(calling(unprotected));
  add("dismiss").argument("<item...>", "ids that `unprotected` lists")
    .description("Dismiss items that need no backup")
    .option("--undo", "take the items back")
    .action(calling(dismiss));
}

async function files(
  { api, output }: Cli,
  id: number,
  directory: string | undefined,
  options: PageChoice & { search?: string },
): Promise<void> {
  const query = { path: directory, search: options.search };
  const entries = await api.list(
    `list the files of server ${id}`,
    "/api/remote-servers/{id}/files",
    pageChoice(options),
    { id, query },
  );
  output.list(entries, ENTRIES);
}

interface LoginOptions {
  databaseType?: Body<"/api/remote-servers/{id}/databases">["database_type"];
  databaseHost?: string;
  databasePort?: number;
  databaseUsername?: string;
  databasePasswordFrom?: SecretSource;
  isolatedUsername?: string;
  task?: number;
}

async function databases({ api, output, terminal }: Cli, id: number, options: LoginOptions): Promise<void> {
  const source = options.databasePasswordFrom;
  const found = await api.post(
    `list the databases of server ${id}`,
    "/api/remote-servers/{id}/databases",
    {
      id,
      body: {
        database_type: options.databaseType,
        database_host: options.databaseHost,
        database_port: options.databasePort,
        database_username: options.databaseUsername,
        database_password: source && await readSecret(source, "The database password"),
        isolated_username: options.isolatedUsername,
        backup_task_id: options.task,
      },
    },
  );
  output.answer(found, () => {
    terminal.print(`${found.data.server}\n`);
    output.rows(found.data.databases, DATABASES);
  });
}

async function unprotected(
  { api, output, terminal }: Cli,
  id: number,
  options: { now?: boolean },
): Promise<void> {
  const action = `list what of server ${id} is not protected`;
  const found = options.now
    ? await api.post(action, "/api/remote-servers/{id}/inventory", { id })
    : await api.get(action, "/api/remote-servers/{id}/unprotected", { id });
  output.answer(found, () => {
    output.rows(found.data, UNPROTECTED);
    for (const note of found.notes) terminal.print(`${note}\n`);
    if (found.inventoried_at === null) terminal.print("Its agent has not looked yet: use --now\n");
  });
}

async function dismiss(
  { api, output, terminal }: Cli,
  id: number,
  ids: string[],
  options: { undo?: boolean },
): Promise<void> {
  const verb = options.undo ? "undismiss" : "dismiss";
  const path = `/api/remote-servers/{id}/unprotected/${verb}` as const;
  const left = await api.post(`${verb} items of server ${id}`, path, { id, body: { ids } });
  output.answer(left, () => terminal.print(`${left.unprotected_count} items are not protected\n`));
}
