/** Finds the programs that have a database open or locked, by reading `/proc`. */
import { basename } from "node:path";
import { capture } from "../../programs/capture.ts";
import type { Children } from "../../programs/children.ts";
import type { Runner } from "./program.ts";

/** Suffixes of the files that SQLite keeps next to an open database. */
export const COMPANIONS = ["-wal", "-shm", "-journal"];

/**
 * Returns the programs that hold a write lock on one of the databases, such as `python3 (process 12)`. A
 * write lock prevents other programs from reading.
 */
export async function findLockHolders(paths: readonly string[]): Promise<string[]> {
  return await describeProcesses(await lockingProcesses(paths, (access) => access === "WRITE"));
}

/**
 * Returns the programs that have a database open, as far as the system lets the agent see them. A program
 * that uses a write-ahead log is found by its lock, because it always holds one. Other programs are found by
 * their open files.
 *
 * The agent's systemd unit might hide the open files of other users' programs. So an agent that runs as root
 * also searches as the user who owns the database file.
 */
export async function findUsers(path: string, children: Children): Promise<string[]> {
  const file = await Deno.stat(path).catch(() => null);
  if (file === null) return [];
  const pids = await lockingProcesses([path], () => true);
  const { uid, gid } = file;
  const owner = Deno.uid() === 0 && uid ? { name: String(uid), uid, gid: gid ?? uid, home: "/" } : null;
  for (const user of owner === null ? [null] : [null, owner]) {
    pids.push(...await openers(path, { children, user }));
  }
  return await describeProcesses(pids);
}

/**
 * Returns the ids of processes that have a file open, searching as the given user. Returns an empty array if
 * the search fails.
 */
async function openers(path: string, { children, user }: Runner): Promise<string[]> {
  const script = 'for file in /proc/[0-9]*/fd/*; do [ "$file" -ef "$1" ] && echo "$file"; done; true';
  const command = { program: "sh", args: ["-c", script, "sh", path], user };
  const { stdout } = await capture(children, command);
  return [...stdout.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => pid!);
}

/**
 * Returns the ids of processes that hold locks on the databases or on the files in {@link COMPANIONS}. The
 * locks are read from /proc/locks, see proc_locks(5).
 */
async function lockingProcesses(
  paths: readonly string[],
  isWanted: (access: string) => boolean,
): Promise<string[]> {
  const inodes = new Set<string>();
  for (const path of paths.flatMap((path) => ["", ...COMPANIONS].map((end) => path + end))) {
    const found = await Deno.stat(path).catch(() => null);
    if (found?.ino) inodes.add(String(found.ino));
  }
  const locks = await Deno.readTextFile("/proc/locks").catch(() => "");
  // A line of the file looks like `1: POSIX  ADVISORY  WRITE 12 fd:01:1234 0 EOF`. 12 is the process and 1234
  // the inode.
  return locks.split("\n").flatMap((line) => {
    const [, , , access = "", pid = "", place = ""] = line.trim().split(/\s+/);
    return isWanted(access) && inodes.has(place.split(":")[2] ?? "") ? [pid] : [];
  });
}

async function describeProcesses(pids: readonly string[]): Promise<string[]> {
  return await Promise.all([...new Set(pids)].map(async (pid) => {
    const command = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    const program = basename(command.split("\0")[0] ?? "");
    return program === "" ? `process ${pid}` : `${program} (process ${pid})`;
  }));
}
