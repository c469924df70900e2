/** A process with all it started, found in `/proc` as proc(5) describes it. */

/** A pid is given to another process one day; together with its start it names one only. */
export interface RunningProcess {
  readonly pid: number;
  /** In clock ticks since the system's start. */
  readonly startTime: string;
}

/**
 * The process and its descendants, parents first. Empty where it has ended. One whose parent has ended is not
 * found.
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

/** Sends a signal to those that still run. */
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

/** Null where the process is gone, or only waits for its parent to take note of its end. */
function readStat(pid: number): { parent: number; startTime: string } | null {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH: it ended between opening and reading.
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) return null;
    throw error;
  }
  // The program's name, in parentheses, may hold anything; the state is the third field, the start the 22nd.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : { parent: Number(fields[1]), startTime: fields[19]! };
}
