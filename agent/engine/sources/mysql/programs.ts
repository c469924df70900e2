/** Which program dumps a MySQL or MariaDB server, and what only one vendor's takes. */
import type { Children } from "../../programs/children.ts";
import { RunFailedError } from "../../ports.ts";
import { firstTool, missingTools, type Tool } from "../../programs/tools.ts";

export interface ServerVersion {
  version: string;
  isMariadb: boolean;
}

export interface DumpProgram {
  tool: Tool;
  version: string;
}

/** Whether a version, as a server or a program prints it, is this one or a later one. */
export function isAtLeast(version: string, ...wanted: number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [index, number] of wanted.entries()) {
    const part = parts[index] || 0;
    if (part !== number) return part > number;
  }
  return true;
}

/** Whether databases have comments. */
export function hasDatabaseComments({ version, isMariadb }: ServerVersion): boolean {
  return isMariadb && isAtLeast(version, 10, 5);
}

/**
 * Each server's own program first: the other may lack a way to log in, or write what the server does not
 * read.
 */
export async function dumpProgram({ isMariadb }: ServerVersion, children: Children): Promise<DumpProgram> {
  const tools: Tool[] = isMariadb ? ["mariadb-dump", "mysqldump"] : ["mysqldump", "mariadb-dump"];
  const found = await firstTool(children, tools);
  if (found === null) throw new RunFailedError(missingTools([tools[0]!]));
  return found;
}

/** Oracle's mysqldump would write replication state, and ask servers for histograms that they lack. */
export function oracleArguments(server: ServerVersion, { version }: DumpProgram): string[] {
  if (/mariadb/i.test(version)) return [];
  const hasHistograms = !server.isMariadb && parseInt(server.version) >= 8;
  const columnStatistics = parseInt(version) >= 8 && !hasHistograms ? ["--column-statistics=0"] : [];
  return ["--set-gtid-purged=OFF", ...columnStatistics];
}
