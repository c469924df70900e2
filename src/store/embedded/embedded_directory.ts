/**
 * Selects the directory for the cluster's files. Normally, it is in the data directory. If the system user
 * that runs Postgres cannot enter the data directory, the files are in /var/lib/rearguard.
 */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Account } from "./embedded_account.ts";
import { EmbeddedPostgresError } from "./embedded_programs.ts";

const ELSEWHERE = "/var/lib/rearguard/clusters";

/**
 * Creates `directory` and returns its real path. If `account` cannot enter `directory`, because only root is
 * allowed to enter a directory above it, creates a directory in /var/lib/rearguard/clusters instead. Then
 * makes `directory` a link to the new directory, and returns the path of the new directory.
 */
export async function prepareClusterDirectory(directory: string, account: Account | null): Promise<string> {
  const place = await makeEnterable(directory);
  if (account === null || await canEnter(place, account)) return place;
  // The data directory belongs to Rearguard, so Rearguard may let other users enter it. They still cannot
  // list it.
  const parent = await Deno.stat(dirname(directory));
  await Deno.chmod(dirname(directory), (parent.mode! & 0o7777) | 0o011);
  if (await canEnter(place, account)) return place;
  if (await holdsAnything(place)) {
    throw new EmbeddedPostgresError(
      `Cannot start the embedded Postgres: the system user that runs it can't enter ${place}; move DATA_DIR out of ` +
        "a directory that only root may enter (to /var/lib/rearguard, say), or set DATABASE_URL",
    );
  }
  return await moveClusterDirectory(directory, account);
}

async function makeEnterable(directory: string): Promise<string> {
  try {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.chmod(directory, 0o711);
    return await Deno.realPath(directory);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `Cannot start the embedded Postgres: ${directory} can't be used: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function moveClusterDirectory(link: string, account: Account): Promise<string> {
  const place = join(ELSEWHERE, randomBytes(8).toString("hex"));
  for (const directory of [dirname(ELSEWHERE), ELSEWHERE, place]) {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.chmod(directory, 0o711);
  }
  if (!await canEnter(place, account)) {
    throw new EmbeddedPostgresError(
      `Cannot start the embedded Postgres: the system user that runs it can enter neither ${link} nor ${place}; ` +
        "set DATA_DIR to a directory whose parents all users may enter, or set DATABASE_URL",
    );
  }
  await Deno.remove(link);
  await Deno.symlink(place, link);
  return place;
}

/**
 * Returns whether the user can enter the directory. Runs `cd` as this user, because a file mode does not show
 * ACLs.
 */
async function canEnter(directory: string, account: Account): Promise<boolean> {
  const command = new Deno.Command("/bin/sh", {
    args: ["-c", 'cd -- "$0"', directory],
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...account,
  });
  return (await command.output()).success;
}

async function holdsAnything(directory: string): Promise<boolean> {
  for await (const _entry of Deno.readDir(directory)) return true;
  return false;
}
