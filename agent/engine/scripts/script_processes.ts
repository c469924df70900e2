/** Finds and ends the processes that a script has started. */
import type { Clock } from "../../../src/domain/clock.ts";
import { type ProcessStat, processTree, runningProcesses, signalAll } from "../programs/process_tree.ts";
import { INVOCATION } from "./script_environment.ts";

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const GRACE = 5_000;
/** Time after SIGKILL until a process counts as one that can't be killed. */
const LAST = 10_000;
const POLL = 50;

/** A script's own process: the leader of the session that it was started in. */
export interface ScriptProcesses {
  /** Null if the script's own process has ended. */
  readonly leader: number | null;
  /** Value of the environment variable that all of its processes have. */
  readonly invocation: string;
}

/**
 * Returns the processes of a script: those of its session, the descendants of its own process, and those
 * that have its environment, which the system shows for processes of the agent's own user.
 */
function processesOf({ leader, invocation }: ScriptProcesses): ProcessStat[] {
  const tree = leader === null ? [] : processTree(leader);
  const descendants = new Set(tree.map(({ pid }) => pid));
  return runningProcesses().filter(({ pid, session, group }) =>
    leader !== null && (session === leader || group === leader) || descendants.has(pid) ||
    hasVariable(pid, `${INVOCATION}=${invocation}`)
  );
}

/** Returns the process of a script that an earlier agent has started; null if it has ended. */
export function findLeader(startedPath: string): number | null {
  const found = runningProcesses().find(({ pid, session }) =>
    pid === session && readWords(pid, "cmdline").includes(startedPath)
  );
  return found?.pid ?? null;
}

/** Ends the processes. Resolves with false if one of them can't be killed. */
export async function endProcesses(of: ScriptProcesses, clock: Clock): Promise<boolean> {
  signalAll(processesOf(of), "SIGTERM");
  if (await haveEnded(of, clock, GRACE, () => {})) return true;
  return await haveEnded(of, clock, LAST, (left) => signalAll(left, "SIGKILL"));
}

async function haveEnded(
  of: ScriptProcesses,
  clock: Clock,
  patience: number,
  act: (left: ProcessStat[]) => void,
): Promise<boolean> {
  const until = clock.monotonic() + patience;
  while (true) {
    const left = processesOf(of);
    if (left.length === 0) return true;
    if (clock.monotonic() >= until) return false;
    act(left);
    await clock.sleep(POLL);
  }
}

function hasVariable(pid: number, variable: string): boolean {
  return readWords(pid, "environ").includes(variable);
}

/** Returns an empty list for a process that has ended, or that the system hides. */
function readWords(pid: number, file: "cmdline" | "environ"): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`).split("\0");
  } catch {
    return [];
  }
}
