/** `servers`: manages the machines whose data is backed up. */
import { Argument, type Command, Option } from "commander";
import type { Schema } from "../../client/client.ts";
import { calling, type Cli, parseCount, parseId } from "../command_line.ts";
import { addCreate } from "../creation.ts";
import { addDelete, FORGET, SERVER } from "../deletion.ts";
import { addListOptions, type ListChoice, listChosen } from "../list_options.ts";
import type { Column } from "../output.ts";
import { addConnectivityCommand } from "./server_connectivity.ts";
import { addExploreCommands } from "./explore_server.ts";

type Server = Schema<"RemoteServer">;

const COLUMNS: readonly Column<Server>[] = [
  { title: "ID", align: "right", value: ({ id }) => id },
  { title: "Label", value: ({ label }) => label },
  { title: "Address", value: (server) => server.connection.ip_address },
  { title: "Agent", value: ({ agent }) => agent?.version ?? null },
  { title: "Status", value: ({ status }) => status.connectivity },
  { title: "Last connected", value: ({ status }) => status.last_connected_at },
];

export function addServerCommands(program: Command): void {
  const servers = program.command("servers").description(
    "Manages the remote servers whose data is backed up",
  );
  addListOptions(servers.command("list"), ["status", "since", "until", "search", "sort"]).description(
    "List them",
  ).action(calling(list));
  servers.command("show").addArgument(serverId()).description("Show one").action(calling(show));
  addCreate(servers, SERVER, [["--label <text>", "its name"], ["--ip-address <address>", "its address"]]);
  addDelete(servers, serverId(), SERVER, FORGET);
  servers.command("enrol").addArgument(serverId())
    .description("Create an enrolment token, and show the command that installs the agent")
    .addOption(new Option("--expires-in <seconds>", "default: an hour").argParser(parseCount))
    .action(calling(enrol));
  addConnectivityCommand(servers.command("connectivity"));
  addExploreCommands((name) => servers.command(name).addArgument(serverId()));
}

function serverId(): Argument {
  return new Argument("<server>", "its id").argParser(parseId);
}

async function list({ api, output }: Cli, options: ListChoice): Promise<void> {
  output.list(await listChosen(api, "list servers", SERVER.path, options), COLUMNS);
}

async function show({ api, output }: Cli, id: number): Promise<void> {
  output.record(await api.get(`show server ${id}`, `${SERVER.path}/{id}`, { id }));
}

async function enrol(
  { api, output, terminal }: Cli,
  id: number,
  options: { expiresIn?: number },
): Promise<void> {
  const made = await api.post(`enrol server ${id}`, `${SERVER.path}/{id}/enrolment-tokens`, {
    id,
    body: { expires_in: options.expiresIn },
  });
  output.answer(made, () => {
    const { expires_at, install_command } = made.data;
    terminal.write(`Run this on the server, once, before ${expires_at}:\n\n${install_command}\n`);
  });
}
