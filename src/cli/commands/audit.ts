/** `audit`: lists the audit log, for administrators. */
import { type Command, Option } from "commander";
import type { Schema } from "../../client/client.ts";
import type { PageChoice } from "../api.ts";
import { addPages, calling, type Cli, pageChoice, parseId } from "../command_line.ts";
import type { Column } from "../output.ts";

type AuditEntry = Schema<"AuditLogEntry">;

interface Filter {
  user?: number;
  workspace?: number;
  action?: string;
  resource?: string;
  resourceId?: number;
  result?: string;
  from?: string;
  to?: string;
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "At", value: ({ at }) => at },
  { title: "Who", value: ({ actor }) => actor.name ?? actor.type },
  { title: "Action", value: ({ action }) => action },
  {
    title: "Of",
    value: (entry) => [entry.resource, entry.resource_id].filter((part) => part !== null).join(" "),
  },
  { title: "Result", value: ({ result }) => result },
  { title: "From", value: ({ address }) => address },
  { title: "Reason", value: ({ reason }) => reason },
];

export function addAuditCommand(program: Command): void {
  addPages(program.command("audit"))
    .description("Lists the audit log: who changed what, read a secret or was refused")
    .addOption(new Option("--user <id>", "of this user").argParser(parseId))
    .addOption(new Option("--workspace <id>", "of this workspace").argParser(parseId))
    .option("--action <name>", "an operation's id in the API document, such as updateBackupTask")
    .option("--resource <name>", "as in the API's paths, such as backup-tasks")
    .addOption(new Option("--resource-id <id>", "of that resource").argParser(parseId))
    .option("--result <result>", "done, refused or failed")
    .option("--from <time>", "at this time or later, such as 2026-01-31T12:00:00Z")
    .option("--to <time>", "before this time")
    .action(calling(audit));
}

async function audit({ api, output }: Cli, options: Filter & PageChoice): Promise<void> {
  const { user, workspace, resourceId, action, resource, result, from, to } = options;
  const query = {
    user_id: user,
    workspace_id: workspace,
    action,
    resource,
    resource_id: resourceId,
    result,
    from,
    to,
  };
  const entries = await api.list("list the audit log", "/api/audit-log", pageChoice(options), { query });
  output.list(entries, COLUMNS);
}
