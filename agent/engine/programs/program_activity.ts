/**
 * Reads the counters in which the kernel counts the activity of a run's programs. If two readings are equal,
 * the programs did nothing between them.
 */
import { basename } from "node:path";
import { processTree } from "./process_tree.ts";

export interface RunningProgram {
  /** The program's name without its directory. */
  readonly name: string;
  readonly pid: number;
}

const running = new WeakMap<AbortSignal, Set<RunningProgram>>();

/**
 * Registers a program for {@link runningPrograms} under the signal that ends it. Returns a function that
 * unregisters it.
 */
export function noteProgram(signal: AbortSignal, program: string, pid: number): () => void {
  const noted = { name: basename(program), pid };
  const programs = running.get(signal) ?? new Set();
  running.set(signal, programs.add(noted));
  return () => void programs.delete(noted);
}

/** Returns the running programs that `signal` ends. */
export function runningPrograms(signal: AbortSignal): RunningProgram[] {
  return [...running.get(signal) ?? []];
}

/**
 * Returns a text about the activity of the programs and their descendants. The text contains the processor
 * time and the number of bytes read and written of each process. Callers compare it with an earlier text.
 */
export function activityOf(programs: readonly RunningProgram[]): string {
  return programs.flatMap(({ pid }) => processTree(pid)).map(({ pid }) => {
    const stat = readProc(pid, "stat");
    // Count the fields after the program's name in parentheses. Field 0 is the state, field 11 the user time,
    // and field 12 the system time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const bytes = [...readProc(pid, "io").matchAll(/^[rw]char: (\d+)$/gm)].map(([, count]) => count);
    return [pid, fields[11], fields[12], ...bytes].join(" ");
  }).join("\n");
}

/**
 * Returns the programs that wait for a disk or a network file system. A program also counts as waiting if one
 * of its descendants waits.
 */
export function waitingForDisk(programs: readonly RunningProgram[]): RunningProgram[] {
  return programs.filter(({ pid }) =>
    processTree(pid).some((process) => /\) D /.test(readProc(process.pid, "stat")))
  );
}

/**
 * Returns the text of a file in `/proc`; empty if the process has ended or a hardened system hides the file.
 */
function readProc(pid: number, file: "stat" | "io"): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch (error) {
    const isHidden = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      /os error 3\b/.test(String(error));
    if (!isHidden) throw error;
    return "";
  }
}
