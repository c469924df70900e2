/** `users`: lists and creates users, and makes their set-up links. For administrators. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { USER } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type User = Schema<"User">;

const COLUMNS: readonly Column<User>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Name", value: (user) => user.personal_info.name },
  { title: "Email", value: (user) => user.personal_info.email },
  { title: "Administrator", value: (user) => user.account_settings.is_admin ? "yes" : null },
  { title: "Created", value: (user) => user.timestamps.account_created },
];

interface NewUser {
  name: string;
  email: string;
  admin?: boolean;
}

export function addUserCommands(program: Command): void {
  const users = program.command("users").description("The users of the control plane, for administrators");
  addListOptions(users.command("list"), ["status", "search", "sort"]).description("List them")
    .action(calling(list));
  users.command("create")
    .requiredOption("--name <text>", "the user's name")
    .requiredOption("--email <address>", "the address with which the user logs in")
    .option("--admin", "as an administrator")
    .description("Create one, who has no access yet").action(calling(create));
  users.command("setup-link").addArgument(new Argument("<user>", "its id").argParser(parseId))
    .option("--reset-second-factor", "the use of the link removes the user's second factor")
    .description("Make the link with which one sets a password. Prints only the link")
    .action(calling(createSetupLink));
}

async function list({ api, output }: Cli, choice: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list users", USER.path, choice), COLUMNS);
}

async function create(
  { api, output, terminal }: Cli,
  { admin: is_admin = false, email, name }: NewUser,
): Promise<void> {
  const made = await api.post("create the user", USER.path, { body: { name, email, is_admin } });
  const { id, personal_info } = made.data;
  output.answer(made, () => terminal.print(`User ${id} created: ${personal_info.email}\n`));
}

async function createSetupLink(
  { api, output, terminal }: Cli,
  id: number,
  { resetSecondFactor: reset_second_factor = false }: { resetSecondFactor?: boolean },
): Promise<void> {
  const made = await api.post(`make a set-up link for user ${id}`, `${USER.path}/{id}/setup-link`, {
    id,
    body: { reset_second_factor },
  });
  output.answer(made, () => terminal.print(`${made.data.url}\n`));
}
