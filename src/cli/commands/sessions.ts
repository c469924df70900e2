/** `sessions`: lists and ends the caller's log-in sessions. */
import { Argument, type Command } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseId } from "../command_line.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";

type Session = Schema<"Session">;

const COLUMNS: readonly Column<Session>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Address", value: ({ address }) => address },
  { title: "Browser", value: (session) => session.user_agent },
  { title: "Began", value: (session) => session.created_at },
  { title: "Last used", value: (session) => session.last_used_at },
  { title: "Ends", value: (session) => session.expires_at },
];

export function addSessionCommands(program: Command): void {
  const sessions = program.command("sessions").description("Your log-ins with a browser");
  addListOptions(sessions.command("list"), ["sort"]).description("List them").action(calling(list));
  sessions.command("end").addArgument(new Argument("<session>", "its id").argParser(parseId))
    .description("End one: its browser is logged out at once").action(calling(end));
}

async function list({ api, output }: Cli, choice: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list sessions", "/api/sessions", choice), COLUMNS);
}

async function end({ api, output, terminal }: Cli, id: number): Promise<void> {
  const ended = await api.delete(`end session ${id}`, "/api/sessions/{id}", { id });
  output.answer(ended, () => terminal.print(`Session ${id} ended\n`));
}
