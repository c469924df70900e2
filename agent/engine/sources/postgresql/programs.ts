/**
 * PostgreSQL's client programs: several versions may be installed side by side, and pg_dump refuses newer
 * servers.
 */
import type { Children } from "../../programs/children.ts";
import { RunFailedError } from "../../ports.ts";
import { missingTools, toolVersion } from "../../programs/tools.ts";

export interface Installation {
  major: number;
  /** As pg_dump prints it. */
  version: string;
  /** Where the programs are; empty: on the `PATH`. */
  directory: string;
}

/** Where Debian's and the PostgreSQL project's packages put each version. */
const ROOTS = [{ parent: "/usr/lib/postgresql", name: /^(\d+)$/ }, { parent: "/usr", name: /^pgsql-(\d+)$/ }];

/** Newest first; what is on the `PATH` only where none of the known places has any. */
export async function installations(children: Children): Promise<Installation[]> {
  const found: Installation[] = [];
  for (const directory of candidateDirectories()) {
    const version = await toolVersion(children, "pg_dump", `${directory}/pg_dump`);
    if (version !== null) found.push({ major: parseInt(version), version, directory });
  }
  if (found.length > 0) return found.sort((a, b) => b.major - a.major);
  const version = await toolVersion(children, "pg_dump");
  if (version === null) throw new RunFailedError(missingTools(["pg_dump", "psql"]));
  return [{ major: parseInt(version), version, directory: "" }];
}

/** The server's own version, or the next newer one. */
export function installationFor(
  serverMajor: number,
  serverVersion: string,
  found: Installation[],
): Installation {
  const fitting = found.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major)[0];
  if (fitting !== undefined) return fitting;
  throw new RunFailedError(
    `Cannot back up PostgreSQL ${serverVersion}: pg_dump here is ${
      found[0]!.version
    } and refuses newer servers. ` +
      `Install with: apt-get install postgresql-client-${serverMajor} (from apt.postgresql.org where Debian has none)`,
  );
}

/**
 * To restore what a server of version `major` held, or one that is `major` now; an older one than that may
 * fail, and says how.
 */
export function installationToRestore(major: number, found: Installation[]): Installation {
  return found.filter((each) => each.major >= major).at(-1) ?? found[0]!;
}

export function programPath(
  { directory }: Installation,
  name: "pg_dump" | "pg_dumpall" | "pg_restore" | "psql",
): string {
  return directory === "" ? name : `${directory}/${name}`;
}

function candidateDirectories(): string[] {
  return ROOTS.flatMap(({ parent, name }) => {
    try {
      return [...Deno.readDirSync(parent)].filter((entry) => name.test(entry.name))
        .map((entry) => `${parent}/${entry.name}/bin`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}
