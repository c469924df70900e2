/** Finds system programs, including those that are not on every user's PATH. */

/** Returns a program's path; null if the program is not installed. */
export async function findProgram(name: string): Promise<string | null> {
  const directories = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  for (const directory of [...directories, ...await postgresDirectories()]) {
    if (directory !== "" && await exists(`${directory}/${name}`)) return `${directory}/${name}`;
  }
  return null;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return false;
    if (cause instanceof Deno.errors.PermissionDenied) return false;
    throw cause;
  }
}

/** Debian's directory of PostgreSQL, with a subdirectory for the programs of each major version. */
const POSTGRES = "/usr/lib/postgresql";

async function postgresDirectories(): Promise<string[]> {
  return (await postgresVersions()).map((version) => `${POSTGRES}/${version}/bin`);
}

/** Returns the installed major versions of PostgreSQL, the newest first. */
export async function postgresVersions(): Promise<string[]> {
  if (!await exists(POSTGRES)) return [];
  const versions = (await Array.fromAsync(Deno.readDir(POSTGRES))).map(({ name }) => name);
  return versions.toSorted((a, b) => Number(b) - Number(a));
}
