/**
 * Finds PostgreSQL's client programs. Several versions may be installed, and pg_dump rejects servers that are
 * newer than itself.
 */
import type { Children } from "../../programs/children.ts";
import { RunFailedError } from "../../ports.ts";
import { missingTools, type Packages, toolVersion } from "../../programs/tools.ts";

/** Debian packages of the programs. */
const PACKAGES: Packages = { pg_dump: "postgresql-client", psql: "postgresql-client" };

export interface Installation {
  major: number;
  /** Version as pg_dump prints it. */
  version: string;
  /** Directory of the programs; "" if they are found through `PATH`. */
  directory: string;
}

/**
 * Directories in which packages of Debian and of the PostgreSQL project install the programs, one
 * subdirectory per version.
 */
const ROOTS = [{ parent: "/usr/lib/postgresql", name: /^(\d+)$/ }, { parent: "/usr", name: /^pgsql-(\d+)$/ }];

/**
 * Returns the installed versions, newest first. Searches `PATH` only if the known directories contain none.
 */
export async function installations(children: Children): Promise<Installation[]> {
  const found: Installation[] = [];
  for (const directory of candidateDirectories()) {
    const version = await toolVersion(children, "pg_dump", `${directory}/pg_dump`);
    if (version !== null) found.push({ major: parseInt(version), version, directory });
  }
  if (found.length > 0) return found.sort((a, b) => b.major - a.major);
  const version = await toolVersion(children, "pg_dump");
  if (version === null) throw new RunFailedError(missingTools(["pg_dump", "psql"], PACKAGES));
  return [{ major: parseInt(version), version, directory: "" }];
}

/**
 * Returns the installation of the server's own version. If this version is not installed, returns the next
 * newer one. Throws if all installed versions are older.
 */
export function installationFor(
  serverMajor: number,
  serverVersion: string,
  found: Installation[],
): Installation {
  const compatible = found.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major)[0];
  if (compatible !== undefined) return compatible;
  throw new RunFailedError(
    `Cannot back up PostgreSQL ${serverVersion}: pg_dump here is ${
      found[0]!.version
    } and refuses newer servers. ` +
      `Install with: apt-get install postgresql-client-${serverMajor} (from apt.postgresql.org where Debian has none)`,
  );
}

/**
 * Returns the installation whose programs restore a dump: the oldest installation of at least version
 * `major`. If all installations are older than `major`, returns the newest installation. Then its programs
 * will fail and report why.
 *
 * @param major Major version of the backed-up server, or of the server that gets the data. The newer of the
 *   two versions.
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
