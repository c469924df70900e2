/** `servers files`: shows what a server has that could be backed up. */
import type { Command } from "commander";
import type { List, PageChoice } from "../api.ts";
import { addPages, calling, type Cli, pageChoice } from "../command_line.ts";
import type { Entry } from "../records.ts";
import { ENTRIES } from "./backups.ts";

/** @param add Adds a command with the given name. The command's argument is the server's id. */
export function addExploreCommands(add: (name: string) => Command): void {
  addPages(add("files")).argument("[path]", "an absolute directory (default: /)")
    .description("List a directory of a server, through its agent")
    .option("--search <text>", "only names that contain this text")
    .action(calling(files));
}

async function files(
  { api, output }: Cli,
  id: number,
  directory: string | undefined,
  options: PageChoice & { search?: string },
): Promise<void> {
  const entries = await api.pages<Entry>(pageChoice(options), (query) => {
    if (directory !== undefined) query.set("path", directory);
    if (options.search !== undefined) query.set("search", options.search);
    return api.get<List<Entry>>(`list the files of server ${id}`, `/remote-servers/${id}/files?${query}`);
  });
  output.list(entries, ENTRIES);
}
