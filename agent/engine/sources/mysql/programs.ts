/**
 * Chooses the program that dumps databases of a MySQL or MariaDB server. Also returns the extra arguments
 * that Oracle's mysqldump needs.
 */
import type { Children } from "../../programs/children.ts";
import { RunFailedError } from "../../ports.ts";
import { firstTool, missingTools, type Packages } from "../../programs/tools.ts";

/** Debian packages of the programs. */
export const PACKAGES: Packages = {
  "mariadb-dump": "mariadb-client",
  mysqldump: "mariadb-client",
  mariadb: "mariadb-client",
  mysql: "mariadb-client",
};

export interface ServerVersion {
  version: string;
  isMariadb: boolean;
}

export interface DumpProgram {
  tool: string;
  version: string;
}

/** Whether a version, as printed by a server or a program, is the given minimum or later. */
export function isAtLeast(version: string, ...minimum: number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [index, number] of minimum.entries()) {
    const part = parts[index] || 0;
    if (part !== number) return part > number;
  }
  return true;
}

/** Whether databases can have comments on this server. */
export function hasDatabaseComments({ version, isMariadb }: ServerVersion): boolean {
  return isMariadb && isAtLeast(version, 10, 5);
}

/**
 * Returns the installed dump program. Prefers the program of the server's vendor, because the other vendor's
 * program might lack a login method, or might write SQL that the server cannot read.
 */
export async function dumpProgram({ isMariadb }: ServerVersion, children: Children): Promise<DumpProgram> {
  const tools = isMariadb ? ["mariadb-dump", "mysqldump"] : ["mysqldump", "mariadb-dump"];
  const found = await firstTool(children, tools);
  if (found === null) throw new RunFailedError(missingTools([tools[0]!], PACKAGES));
  return found;
}

/**
 * Returns extra arguments for Oracle's mysqldump. Returns none for other programs. With these arguments,
 * mysqldump does not dump replication state. It also does not query histograms that the server lacks.
 */
export function oracleArguments(server: ServerVersion, { version }: DumpProgram): string[] {
  if (/mariadb/i.test(version)) return [];
  const hasHistograms = !server.isMariadb && parseInt(server.version) >= 8;
  const columnStatistics = parseInt(version) >= 8 && !hasHistograms ? ["--column-statistics=0"] : [];
  return ["--set-gtid-purged=OFF", ...columnStatistics];
}
