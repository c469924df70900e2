/** Finds a process and its descendants in `/proc`, proc(5). */

/**
 * Identifies a process. The pid alone is not unique, because pids are reused. The pid together with the start
 * time is unique.
 */
export interface RunningProcess {
  readonly pid: number;
  /** Time when the process was started, in clock ticks since boot. */
  readonly startTime: string;
}

/** A process with the pids of its parent, its process group and its session. */
export interface ProcessStat extends RunningProcess {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Returns every process that has not ended. */
export function runningProcesses(): ProcessStat[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    return stat === null ? [] : [stat];
  });
}

/**
 * Returns the process and its descendants, parents first. Returns an empty array if the process has ended.
 * Does not find a descendant whose parent has ended.
 */
export function processTree(root: number): RunningProcess[] {
  const children = new Map<number, RunningProcess[]>();
  let found: RunningProcess[] = [];
  for (const { parent, pid, startTime } of runningProcesses()) {
    const running = { pid, startTime };
    if (pid === root) found = [running];
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [running]);
    else siblings.push(running);
  }
  for (let at = 0; at < found.length; at++) found.push(...children.get(found[at]!.pid) ?? []);
  return found;
}

/** Sends a signal to the processes that are still running. */
export function signalAll(processes: readonly RunningProcess[], signal: Deno.Signal): void {
  for (const { pid, startTime } of processes) {
    if (readStat(pid)?.startTime !== startTime) continue;
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Returns the process with this pid; null if it has ended or is a zombie. */
function readStat(pid: number): ProcessStat | null {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH: the process ended after the file was opened.
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) return null;
    throw error;
  }
  // Skip the program's name in parentheses, because the name may contain any character. The state is field 3
  // of the line, the start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") return null;
  const [parent, group, session] = fields.slice(1, 4).map(Number) as [number, number, number];
  return { pid, startTime: fields[19]!, parent, group, session };
}
