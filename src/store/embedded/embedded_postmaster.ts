/** Finds out whether a cluster's Postgres runs, from the file `postmaster.pid` and the process table. */
import { join } from "node:path";
import type { Clock } from "../../domain/clock.ts";
import { readProc } from "./proc_file.ts";

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  /** Path with which the running program was started. */
  readonly program: string;
  /** False while Postgres recovers or shuts down. */
  readonly ready: boolean;
}

const POLL_MS = 50;

/**
 * Returns the Postgres that runs in the directory `data`; null if none runs. If none runs but a
 * `postmaster.pid` is left, for example after a power cut, removes this file. Does so even if the process id
 * in the file now belongs to another program.
 */
export async function findPostmaster(data: string): Promise<Postmaster | null> {
  const path = join(data, "postmaster.pid");
  const text = await readOptional(path);
  if (text === null) return null;
  // Lines of the file: process id, data directory, start time, port, socket directory, address, shared
  // memory, status.
  const lines = text.split("\n").map((line) => line.trim());
  const pid = Number(lines[0]);
  const command = await commandOf(pid);
  if (command === null || !command.includes(data)) {
    await Deno.remove(path);
    return null;
  }
  return {
    pid,
    port: Number(lines[3]),
    socketDirectory: lines[4] ?? "",
    program: command[0]!,
    ready: lines[7] === "ready",
  };
}

/**
 * Waits while Postgres recovers or shuts down, without a time limit. Then returns the same as
 * {@link findPostmaster}.
 */
export async function settledPostmaster(data: string, clock: Clock): Promise<Postmaster | null> {
  for (;;) {
    const postmaster = await findPostmaster(data);
    if (postmaster === null || postmaster.ready) return postmaster;
    await clock.sleep(POLL_MS);
  }
}

/** Returns a process's command and arguments; null if there is no such process. */
async function commandOf(pid: number): Promise<string[] | null> {
  if (Deno.build.os === "linux") {
    return (await readProc(`/proc/${pid}/cmdline`))?.split("\0") ?? null;
  }
  const command = new Deno.Command("ps", { args: ["-o", "command=", "-p", String(pid)] });
  const { code, stdout } = await command.output();
  return code === 0 ? new TextDecoder().decode(stdout).trim().split(" ") : null;
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
}
