/** `backups restore`, `verify` and `drill`: start runs that read a backup. */
import { type Command, Option } from "commander";
import { CommandError, EXIT } from "../command_error.ts";
import { calling, type Cli, collect, parseCount, parseId } from "../command_line.ts";
import { identityOption, readIdentity, type WithIdentity } from "../identity.ts";
import type { Answer, Body } from "../../client/client.ts";
import type { Column } from "../output.ts";
import { humanSize } from "../progress.ts";
import { showStarted } from "../run_follower.ts";

/**
 * Adds the commands that start runs for a backup: `restore`, `verify` and `drill`.
 *
 * @param add Adds a command with the given name. The command's argument is the backup's id.
 */
export function addBackupRunCommands(add: (name: string) => Command): void {
  addDatabaseServer(addRun(add("restore"), "the server to restore on (default: the one that made it)"))
    .description("Restore files or databases")
    .option("--target-path <path>", "restore into this directory (default: the original one)")
    .option("--path <path>", "restore only this file or directory; may be repeated", collect)
    .option("--databases <name>", "restore only this database; may be repeated", collect)
    .option("--database-name <name>", "restore under this name (default: the original one)")
    .option("--overwrite", "replace existing files or databases")
    .option("--no-owners", "PostgreSQL: do not restore owners and grants")
    .addOption(
      new Option("--definers <whose>", "MySQL: keep the backup's definers, or use the login").choices([
        "keep",
        "login",
      ]),
    )
    .option("--continue-on-errors", "databases: continue after failing statements, and list them")
    .option("--dry-run", "change nothing: show where it would be restored, and what is in the way")
    .addOption(identityOption())
    .action(calling(restore));
  addRun(add("verify"), "the server that reads it (default: the one that made it)")
    .description("Read a backup back and verify it")
    .action(calling(verify));
  addDatabaseServer(addRun(add("drill"), "the server to restore on (default: the one that made it)"))
    .description("Restore a backup in a drill: compare the result and remove it")
    .action(calling(drill));
}

interface RunOptions {
  server?: number;
  follow?: boolean;
}

function addRun(command: Command, where: string): Command {
  return command
    .addOption(new Option("--server <id>", where).argParser(parseId))
    .option("--follow", "show the run's output until it ends; the exit code shows the result (default)")
    .option("--no-follow", "do not wait for the run to end");
}

interface DatabaseServerOptions {
  databaseHost?: string;
  databasePort?: number;
  databaseUsername?: string;
  localSocket?: boolean;
}

function addDatabaseServer(command: Command): Command {
  return command
    .option("--database-host <host>", "the database server to load into (default: the task's)")
    .addOption(new Option("--database-port <port>", "of that server").argParser(parseCount))
    .option("--database-username <name>", "at that server")
    .addOption(
      new Option("--local-socket", "load into the database server on the local socket").conflicts(
        "databaseHost",
      ),
    );
}

function databaseServer(
  { databaseHost, databasePort, databaseUsername, localSocket }: DatabaseServerOptions,
) {
  return {
    database_host: localSocket ? null : databaseHost,
    database_port: databasePort,
    database_username: databaseUsername,
  };
}

interface RestoreOptions extends RunOptions, DatabaseServerOptions, WithIdentity {
  targetPath?: string;
  path?: string[];
  databases?: string[];
  databaseName?: string;
  overwrite?: boolean;
  /** Whether owners and grants are restored; false with `--no-owners`. */
  owners: boolean;
  definers?: "keep" | "login";
  continueOnErrors?: boolean;
  dryRun?: boolean;
}

type Target = Answer<"/api/backups/{id}/restore/preview", "post">["data"]["targets"][number];

const TARGETS: readonly Column<Target>[] = [
  { title: "Of the backup", value: ({ source }) => source },
  { title: "Restored to", value: ({ path, database_name }) => path ?? database_name },
  { title: "There now", value: ({ state }) => state },
];

async function restore(cli: Cli, id: number, options: RestoreOptions): Promise<void> {
  const body = {
    remote_server_id: options.server,
    target_path: options.targetPath,
    paths: options.path,
    databases: options.databases,
    database_name: options.databaseName,
    ...databaseServer(options),
    overwrite: options.overwrite,
    owners: options.owners ? undefined : false,
    definers: options.definers,
    continue_on_errors: options.continueOnErrors,
    identity: await readIdentity(options.identityFrom),
  };
  if (options.dryRun) return await preview(cli, id, body);
  const started = await cli.api.post(`restore backup ${id}`, "/api/backups/{id}/restore", { id, body });
  await showStarted(cli, started, options.follow ?? true);
}

async function preview(
  { api, output, terminal }: Cli,
  id: number,
  body: Body<"/api/backups/{id}/restore/preview", "post">,
): Promise<void> {
  const action = `restore backup ${id}`;
  const found = await api.post(action, "/api/backups/{id}/restore/preview", { id, body });
  const { targets, requested, obstacles, obstacles_count, warnings } = found.data;
  output.answer(found, () => {
    output.rows(targets, TARGETS);
    const amounts = Object.entries(requested).filter(([, count]) => count !== null)
      .map(([name, count]) =>
        name === "bytes" ? humanSize(count!) : `${count} ${name.replace("_count", "")}`
      );
    if (amounts.length > 0) terminal.print(`\nIt would restore ${amounts.join(", ")}\n`);
    for (const warning of warnings) terminal.print(`Warning: ${warning}\n`);
    for (const { path, problem, solution } of obstacles) {
      terminal.print(`In the way: ${path === null ? "" : `${path} `}${problem}. ${solution}\n`);
    }
  });
  if (obstacles_count === 0) return;
  const things = obstacles_count === 1 ? "something is" : `${obstacles_count} things are`;
  throw new CommandError(EXIT.failed, `Cannot ${action}: ${things} in the way`);
}

async function verify(cli: Cli, id: number, { server, follow = true }: RunOptions): Promise<void> {
  const body = { remote_server_id: server };
  const started = await cli.api.post(`verify backup ${id}`, "/api/backups/{id}/verify", { id, body });
  await showStarted(cli, started, follow);
}

async function drill(cli: Cli, id: number, options: RunOptions & DatabaseServerOptions): Promise<void> {
  const body = { remote_server_id: options.server, ...databaseServer(options) };
  const started = await cli.api.post(`restore backup ${id} in a drill`, "/api/backups/{id}/drill", {
    id,
    body,
  });
  await showStarted(cli, started, options.follow ?? true);
}
