/** `tokens`: manages the caller's API tokens. */
import { Argument, type Command, Option } from "commander";
import type { Body, Schema } from "../../client/client.ts";
import { calling, type Cli, collect, parseId } from "../command_line.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type Token = Schema<"Token">;

const COLUMNS: readonly Column<Token>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Name", value: ({ name }) => name },
  { title: "Workspace", align: "right", value: (token) => token.workspace_id },
  { title: "Abilities", align: "right", value: ({ abilities }) => abilities.length },
  { title: "Expires", value: (token) => token.expires_at },
  { title: "Last used", value: (token) => token.last_used_at },
];

interface TokenOptions {
  name: string;
  ability: Body<"/api/tokens">["abilities"];
  workspace?: number;
  expiresAt?: string;
}

export function addTokenCommands(program: Command): void {
  const tokens = program.command("tokens").description("Your API tokens");
  addListOptions(tokens.command("list"), ["search", "sort"]).description("List them").action(calling(list));
  tokens.command("create")
    .description("Create one. Prints only its text, which can't be shown again")
    .requiredOption("--name <text>", "what it is for")
    .requiredOption("--ability <ability>", "such as view-backup-tasks; may be repeated", collect)
    .addOption(new Option("--workspace <id>", "for this workspace").argParser(parseId))
    .option("--expires-at <time>", "such as 2030-01-31T12:00:00Z; default: never")
    .action(calling(create));
  tokens.command("revoke").addArgument(new Argument("<token>", "its id").argParser(parseId))
    .description("Revoke one").action(calling(revoke));
}

async function list({ api, output }: Cli, choice: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list tokens", "/api/tokens", choice), COLUMNS);
}

async function create({ api, output, terminal }: Cli, options: TokenOptions): Promise<void> {
  const { ability: abilities, expiresAt: expires_at, name, workspace: workspace_id } = options;
  const body = { name, abilities, expires_at, workspace_id };
  const made = await api.post("create the token", "/api/tokens", { body });
  output.answer(made, () => terminal.print(`${made.data.token}\n`));
}

async function revoke({ api, output, terminal }: Cli, id: number): Promise<void> {
  const revoked = await api.delete(`revoke token ${id}`, "/api/tokens/{id}", { id });
  output.answer(revoked, () => terminal.print(`Token ${id} revoked\n`));
}
