/** Whether a cluster's Postgres runs, as its own `postmaster.pid` and the process table tell. */
import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  /** `other`: started from programs of another version or place. */
  readonly program: "current" | "other";
}

const POLL_MS = 50;

/**
 * Null when none runs: no file, or one that a power cut left, also when its process id has since gone to another
 * program; that file is then removed. One that still recovers or shuts down is waited for, as long as it takes.
 */
export async function postmasterOf(data: string, programs: string, clock: Clock): Promise<Postmaster | null> {
  for (;;) {
    const file = await readPidFile(join(data, "postmaster.pid"));
    if (file === null) return null;
    const command = await commandOf(file.pid);
    if (command === null || !command.includes(data)) {
      await Deno.remove(join(data, "postmaster.pid"));
      return null;
    }
    if (file.status === "ready") {
      const program = command[0] === join(programs, "bin", "postgres") ? "current" : "other";
      return { pid: file.pid, port: file.port, socketDirectory: file.socketDirectory, program };
    }
    await clock.sleep(POLL_MS);
  }
}

/** Its lines: process id, data directory, start time, port, socket directory, address, shared memory, status. */
async function readPidFile(path: string) {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
  const lines = text.split("\n").map((line) => line.trim());
  return {
    pid: Number(lines[0]),
    port: Number(lines[3]),
    socketDirectory: lines[4] ?? "",
    status: lines[7] ?? "",
  };
}

/** A process's arguments, null when there is no such process. */
async function commandOf(pid: number): Promise<string[] | null> {
  if (Deno.build.os !== "linux") {
    const { code, stdout } = await new Deno.Command("ps", { args: ["-o", "command=", "-p", String(pid)] })
      .output();
    return code === 0 ? new TextDecoder().decode(stdout).trim().split(" ") : null;
  }
  try {
    return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    // The process ended between opening the file and reading it.
    if ((cause as { code?: string }).code === "ESRCH") return null;
    throw cause;
  }
}
