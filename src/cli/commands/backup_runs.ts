/** `backups restore`, `verify` and `drill`: start runs that read a backup. */
import { type Command, Option } from "commander";
import { calling, type Cli, collect, parseCount, parseId } from "../command_line.ts";
import { identityOption, readIdentity, type WithIdentity } from "../identity.ts";
import type { Started } from "../records.ts";
import { showStarted } from "../run_follower.ts";

/** @param add Adds a command of that name, with the backup's id as its argument. */
export function addBackupRunCommands(add: (name: string) => Command): void {
  addDatabaseServer(addRun(add("restore"), "to this server (default: where it is from)"))
    .description("Restore files or databases")
    .option("--target-path <path>", "into this directory (default: where they were)")
    .option("--path <path>", "only this file or directory; may be given again", collect)
    .option("--databases <name>", "only this database; may be given again", collect)
    .option("--database-name <name>", "into this database (default: its own)")
    .option("--overwrite", "replace what is there")
    .option("--no-owners", "PostgreSQL: leave owners and grants out")
    .addOption(
      new Option("--definers <whose>", "MySQL: definers as in the backup, or the login").choices([
        "keep",
        "login",
      ]),
    )
    .option("--continue-on-errors", "databases: go on after statements that fail, and list them")
    .addOption(identityOption())
    .action(calling(restore));
  addRun(add("verify"), "read it there (default: where it is from)")
    .description("Read one back and check it")
    .action(calling(verify));
  addDatabaseServer(addRun(add("drill"), "restore it there (default: where it is from)"))
    .description("Restore one in a drill, compare it and drop it again")
    .action(calling(drill));
}

interface RunOptions {
  server?: number;
  follow?: boolean;
}

function addRun(command: Command, where: string): Command {
  return command
    .addOption(new Option("--server <id>", where).argParser(parseId))
    .option("--follow", "show its output until it is over; the exit code tells how it ended (default)")
    .option("--no-follow", "leave once it has begun");
}

interface DatabaseServerOptions {
  databaseHost?: string;
  databasePort?: number;
  databaseUsername?: string;
  localSocket?: boolean;
}

function addDatabaseServer(command: Command): Command {
  return command
    .option("--database-host <host>", "of the database server to load into (default: the task's)")
    .addOption(new Option("--database-port <port>", "of that server").argParser(parseCount))
    .option("--database-username <name>", "at that server")
    .addOption(
      new Option("--local-socket", "load into the server on the local socket").conflicts("databaseHost"),
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
  /** False with `--no-owners`. */
  owners: boolean;
  definers?: string;
  continueOnErrors?: boolean;
}

async function restore(cli: Cli, id: number, options: RestoreOptions): Promise<void> {
  const started = await cli.api.post<Started>(`restore backup ${id}`, `/backups/${id}/restore`, {
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
  });
  await showStarted(cli, started, options.follow ?? true);
}

async function verify(cli: Cli, id: number, { server, follow = true }: RunOptions): Promise<void> {
  const body = { remote_server_id: server };
  const started = await cli.api.post<Started>(`verify backup ${id}`, `/backups/${id}/verify`, body);
  await showStarted(cli, started, follow);
}

async function drill(cli: Cli, id: number, options: RunOptions & DatabaseServerOptions): Promise<void> {
  const body = { remote_server_id: options.server, ...databaseServer(options) };
  const started = await cli.api.post<Started>(
    `restore backup ${id} in a drill`,
    `/backups/${id}/drill`,
    body,
  );
  await showStarted(cli, started, options.follow ?? true);
}
