/** Finds a process and its descendants in `/proc`, proc(5). */

/** Identifies a process. Pids are reused; the pid together with the start time is unique. */
export interface RunningProcess {
  readonly pid: number;
  /** Start in clock ticks since boot. */
  readonly startTime: string;
}

/**
 * Returns the process and its descendants, parents first. Empty if the process has ended. Does not find
 * descendants whose parent has ended.
 */
export function processTree(root: number): RunningProcess[] {
  const children = new Map<number, RunningProcess[]>();
  let found: RunningProcess[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat === null) continue;
    const running = { pid: Number(name), startTime: stat.startTime };
    if (running.pid === root) found = [running];
    const siblings = children.get(stat.parent);
    if (siblings === undefined) children.set(stat.parent, [running]);
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

/** Returns null if the process has ended or is a zombie. */
function readStat(pid: number): { parent: number; startTime: string } | null {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH: the process ended between opening and reading.
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) return null;
    throw error;
  }
  // The name in parentheses may contain any character. The state is field 3, the start time field 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : { parent: Number(fields[1]), startTime: fields[19]! };
}
