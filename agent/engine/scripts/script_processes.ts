/** Finds and ends the processes that a script has started. */
import type { Clock } from "../../../src/domain/clock.ts";
import { type ProcessStat, processTree, runningProcesses, signalAll } from "../programs/process_tree.ts";
import { INVOCATION } from "./script_environment.ts";

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const GRACE = 5_000;
/**
 * Time to wait after SIGKILL, in milliseconds. A process that still runs after this time counts as impossible
 * to kill.
 */
const LAST = 10_000;
const POLL = 50;

/**
 * Identifies the processes of a script. The leader is the process that the agent started for the script, in a
 * new session.
 */
export interface ScriptProcesses {
  /** Process id of the leader; null if the leader has ended. */
  readonly leader: number | null;
  /** Value of the variable {@link INVOCATION} in the environment of the script's processes. */
  readonly invocation: string;
}

/**
 * Returns the script's processes: those of the leader's session, those that the leader started, and those
 * with the script's environment variable. The variable is only readable in processes of the agent's own user.
 */
function processesOf({ leader, invocation }: ScriptProcesses): ProcessStat[] {
  const tree = leader === null ? [] : processTree(leader);
  const descendants = new Set(tree.map(({ pid }) => pid));
  return runningProcesses().filter(({ pid, session, group }) =>
    leader !== null && (session === leader || group === leader) || descendants.has(pid) ||
    hasVariable(pid, `${INVOCATION}=${invocation}`)
  );
}

/**
 * Returns the id of the process that an earlier agent started for a script; null if this process has ended.
 */
export function findLeader(startedPath: string): number | null {
  const found = runningProcesses().find(({ pid, session }) =>
    pid === session && readWords(pid, "cmdline").includes(startedPath)
  );
  return found?.pid ?? null;
}

/** Ends the processes of a script. Resolves with false if one of them cannot be killed. */
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

/**
 * Returns the arguments or environment variables of a process. Returns an empty array if the process has
 * ended, or if the system hides the file.
 */
function readWords(pid: number, file: "cmdline" | "environ"): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`).split("\0");
  } catch {
    return [];
  }
}
