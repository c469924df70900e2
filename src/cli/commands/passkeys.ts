/** `passkeys`: lists and deletes the caller's passkeys. Only a browser can add one. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addDelete } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type Passkey = Schema<"Passkey">;

const PASSKEY = { noun: "passkey", path: "/api/user/passkeys" } as const;

const COLUMNS: readonly Column<Passkey>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Name", value: ({ name }) => name },
  { title: "Added", value: (passkey) => passkey.created_at },
  { title: "Last used", value: (passkey) => passkey.last_used_at },
];

export function addPasskeyCommands(program: Command): void {
  const passkeys = program.command("passkeys").description("Your passkeys. Add them on /account/passkeys");
  addListOptions(passkeys.command("list"), ["sort"]).description("List them").action(calling(list));
  addDelete(passkeys, new Argument("<passkey>", "its id").argParser(parseId), PASSKEY);
}

async function list({ api, output }: Cli, choice: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list passkeys", PASSKEY.path, choice), COLUMNS);
}
