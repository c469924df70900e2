/** Finds the programs that have a database open or locked, from `/proc`. */
import { basename } from "node:path";
import { capture } from "../../programs/capture.ts";
import type { Children } from "../../programs/children.ts";
import type { Runner } from "./program.ts";

/** Files that belong to an open database, by what their names end with. */
export const COMPANIONS = ["-wal", "-shm", "-journal"];

/** Returns the programs that keep others from reading one of the databases: `python3 (process 12)`. */
export async function findLockHolders(paths: readonly string[]): Promise<string[]> {
  return await describeProcesses(await lockingProcesses(paths, (access) => access === "WRITE"));
}

/**
 * Returns the programs that have a database open, as far as the system lets the agent see them. An open
 * write-ahead log is always locked. The files of other users' programs are looked up as the database's owner,
 * because the agent of the systemd unit may not see them.
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

/** Returns the processes that have a file open. Empty if the user can't be looked up. */
async function openers(path: string, { children, user }: Runner): Promise<string[]> {
  const script = 'for file in /proc/[0-9]*/fd/*; do [ "$file" -ef "$1" ] && echo "$file"; done; true';
  const command = { program: "sh", args: ["-c", script, "sh", path], user };
  const { stdout } = await capture(children, command);
  return [...stdout.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => pid!);
}

/** Returns the processes that hold locks of the databases or their companions, from proc_locks(5). */
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
  // A line is `1: POSIX  ADVISORY  WRITE 12 fd:01:1234 0 EOF`.
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
