/**
 * Activity of a run's programs, as counted by the kernel. Two equal results mean that the programs did
 * nothing in between.
 */
import { basename } from "node:path";
import { processTree } from "./process_tree.ts";

export interface RunningProgram {
  /** The program's name without its directory. */
  readonly name: string;
  readonly pid: number;
}

const running = new WeakMap<AbortSignal, Set<RunningProgram>>();

/** Registers a program under the signal that ends it. Returns a function that unregisters it. */
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

/** Returns the processor time and the bytes read and written of the programs and their descendants. */
export function activityOf(programs: readonly RunningProgram[]): string {
  return programs.flatMap(({ pid }) => processTree(pid)).map(({ pid }) => {
    const stat = readProc(pid, "stat");
    // After the name in parentheses, the state is at index 0, user and system time at 11 and 12.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const bytes = [...readProc(pid, "io").matchAll(/^[rw]char: (\d+)$/gm)].map(([, count]) => count);
    return [pid, fields[11], fields[12], ...bytes].join(" ");
  }).join("\n");
}

/** Returns the programs that wait for a disk or a network file system, themselves or through a descendant. */
export function waitingForDisk(programs: readonly RunningProgram[]): RunningProgram[] {
  return programs.filter(({ pid }) =>
    processTree(pid).some((process) => /\) D /.test(readProc(process.pid, "stat")))
  );
}

/** Returns an empty string if the process has ended or a hardened system hides it. */
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
