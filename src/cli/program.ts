/** Defines every command of `rearguard`. */
import tab from "@bomb.sh/tab/commander";
import { Command } from "commander";
import { RELEASE } from "../domain/release.ts";
import { EXIT_HELP } from "./command_error.ts";
import { addAuditCommand } from "./commands/audit.ts";
import { addBackupCommands } from "./commands/backups.ts";
import { addDestinationCommands } from "./commands/destinations.ts";
import { addHistoryCommands } from "./commands/history.ts";
import { addInstallationCommand } from "./commands/installation.ts";
import { addLogCommands } from "./commands/logs.ts";
import { addOverviewCommand } from "./commands/overview.ts";
import { addLoginCommands } from "./commands/login.ts";
import { addLoginSettingsCommands } from "./commands/login_settings.ts";
import { addPasskeyCommands } from "./commands/passkeys.ts";
import { addRecoveryKitCommand } from "./commands/recovery_kit.ts";
import { addScriptCommands } from "./commands/scripts.ts";
import { addTagCommands } from "./commands/tasks/tags.ts";
import { addServerCommands } from "./commands/servers.ts";
import { addSessionCommands } from "./commands/sessions.ts";
import { addStreamCommands } from "./commands/streams.ts";
import { addTaskCommands } from "./commands/tasks.ts";
import { addTokenCommands } from "./commands/tokens.ts";
import { addTrashCommands } from "./commands/trash.ts";
import { addUserCommands } from "./commands/users.ts";
import { addWorkspaceCommands } from "./commands/workspaces.ts";

const ENVIRONMENT_HELP = `
Environment:
  REARGUARD_URL        the control plane's URL, instead of the stored login's
  REARGUARD_API_TOKEN  the token, instead of the stored one
  RG_TOKEN             the token that login stores
  NO_COLOR             no colours`;

/**
 * Returns the program. Parsing the arguments runs their command, and throws the command's error. For wrong
 * usage and for help, parsing throws a `CommanderError`.
 */
export function rearguard(): Command {
  const program = new Command("rearguard")
    .description("Controls a Rearguard control plane through its API")
    .version(`rearguard ${RELEASE}`, "--version", "the version of this program")
    .option("--json", "print only the API's JSON on standard output")
    .configureHelp({ showGlobalOptions: true })
    // Commander prints no errors itself: `main.ts` prints every error in one line.
    .configureOutput({ outputError() {} })
    .exitOverride()
    .addHelpText("after", `${ENVIRONMENT_HELP}\n${EXIT_HELP}`);
  addLoginCommands(program);
  addOverviewCommand(program);
  addHistoryCommands(program);
  addTaskCommands(program);
  addLogCommands(program);
  addBackupCommands(program);
  addServerCommands(program);
  addDestinationCommands(program);
  addScriptCommands(program);
  addTagCommands(program);
  addStreamCommands(program);
  addTrashCommands(program);
  addInstallationCommand(program);
  addRecoveryKitCommand(program);
  addAuditCommand(program);
  addTokenCommands(program);
  addSessionCommands(program);
  addPasskeyCommands(program);
  addWorkspaceCommands(program);
  addUserCommands(program);
  addLoginSettingsCommands(program);
  // Add the completion last, because it covers only the commands that were added before.
  tab(program, { completionCommandName: "completion" });
  return program;
}
