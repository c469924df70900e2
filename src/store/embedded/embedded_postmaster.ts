/** Whether a cluster's Postgres runs, as its own `postmaster.pid` and the process table tell. */
import { join } from "node:path";
import type { Clock } from "../../domain/clock.ts";
import { readProc } from "./proc_file.ts";

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  /** Of the running program, as it was started. */
  readonly program: string;
  /** False while it recovers or shuts down. */
  readonly ready: boolean;
}

const POLL_MS = 50;

/**
 * Null when none runs: no file, or one that a power cut left, also when its process id has since gone to
 * another program; that file is then removed.
 */
export async function findPostmaster(data: string): Promise<Postmaster | null> {
  const path = join(data, "postmaster.pid");
  const text = await readOptional(path);
  if (text === null) return null;
  // Its lines: process id, data directory, start time, port, socket directory, address, shared memory,
  // status.
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

/** As {@link findPostmaster}, but waits, as long as it takes, for one that still recovers or shuts down. */
export async function settledPostmaster(data: string, clock: Clock): Promise<Postmaster | null> {
  for (;;) {
    const postmaster = await findPostmaster(data);
    if (postmaster === null || postmaster.ready) return postmaster;
    await clock.sleep(POLL_MS);
  }
}

/** A process's arguments, null when there is no such process. */
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
