/**
 * `recovery-kit`: prints what an operator needs to recover the control plane. The operator keeps the printed
 * text elsewhere.
 */
import type { Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli } from "../command_line.ts";
import { kitPdf } from "../kit_pdf.ts";
import { resolveFromCaller } from "../working_directory.ts";

export function addRecoveryKitCommand(program: Command): void {
  program.command("recovery-kit")
    .description("Print the recovery kit: where backups are, which keys decrypt them, and the commands")
    .option("--pdf <file>", "write it as a PDF instead")
    .action(calling(run));
}

async function run({ api, output, terminal }: Cli, { pdf }: { pdf?: string }): Promise<void> {
  const body = await api.get("make the recovery kit", "/api/recovery-kit");
  const lines = kitLines(api.connection.url, body.data);
  if (pdf === undefined) return output.answer(body, () => terminal.print(`${lines.join("\n")}\n`));
  const path = resolveFromCaller(pdf);
  await Deno.writeFile(path, await kitPdf(lines));
  output.answer({ data: { path } }, () => terminal.print(`Written to ${path}\n`));
}

/**
 * Returns the lines of the recovery kit.
 *
 * @param url The control plane's URL.
 */
function kitLines(url: string, kit: Schema<"RecoveryKit">): string[] {
  return [
    "# Rearguard recovery kit",
    `Of ${url}, made ${kit.made_at}. Print it anew when destinations or keys change. It holds no secret.`,
    "",
    "# The program",
    `- Rearguard ${kit.program.version} with Deno ${kit.program.deno}; its source is in ${kit.program.directory}. Keep a copy.`,
    `- Its database: ${kit.database}`,
    "",
    "# What to keep beside this page",
    `- The secret key: ${kit.secret_key.place}. Stored secrets are sealed with key ${
      list(kit.secret_key.key_ids)
    }.`,
    "- The encryption passwords of tasks, and the secret keys (age) of recipients.",
    "- The credentials of each destination: what the control plane knows of them is sealed.",
    "",
    "# Backups of the control plane",
    ...kit.control_plane.map((each) =>
      `- ${each.file_name}, ${each.place} (${each.created_at}; encryption: ${each.encryption})`
    ),
    ...kit.control_plane.length === 0
      ? ["- None. Make a task of type control_plane; until then only manifests tell what there is."]
      : [],
    "",
    "# Destinations",
    ...kit.destinations.flatMap((each) => [
      `- ${each.label} (${each.owner}): ${each.place}; ${each.backups_count} backups` +
      (each.newest_backup_at === null ? "" : `, the newest of ${each.newest_backup_at}`) +
      (each.needs_password ? "; some need a password" : ""),
      ...each.recipients.map((recipient) => `  opened by the secret key of ${recipient}`),
    ]),
    "",
    "# What to type",
    ...kit.commands.flatMap(({ purpose, lines }) => [`${purpose}:`, ...lines.map((line) => `  ${line}`), ""]),
  ];
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "(none yet)" : items.join(", ");
}
