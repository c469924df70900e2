/**
 * Writes and finds the files of a run's scripts. All files are written before the first script starts.
 *
 * Before a script starts, its file is renamed. Only one process can rename the file, and only once. So if a
 * file still has its first name, its script was never run. This is true even after a crash of the agent or
 * the machine.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { removeTree } from "../remove_tree.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import type { SystemUser } from "../programs/system_user.ts";

/** Program that runs a script whose text does not begin with `#!`. */
const SHELL = "/bin/sh";

/** Returns the path of the file of a script that has not been started yet. */
export function readyPath(directory: string, index: number): string {
  return join(directory, `${index}.ready`);
}

/**
 * Returns the path to which a script's file is renamed when the script is started. Each start gets a new
 * path.
 */
export function newStartedPath(directory: string, index: number): string {
  return join(directory, `${index}.started-${crypto.randomUUID()}`);
}

/**
 * Returns the path of the file of a started script; null if the script was not started, or if the directory
 * does not exist.
 */
export async function findStartedPath(directory: string, index: number): Promise<string | null> {
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (name.startsWith(`${index}.started-`) && !name.endsWith(".exit")) return join(directory, name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return null;
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Returns the interpreter that a script's first line names, then the interpreter's argument if there is one.
 * Reads the first line in the same way as execve(2). The agent starts the interpreter instead of the script's
 * file. Otherwise the script could not be started on a file system with `noexec`.
 */
export function interpreterOf(text: string): string[] {
  const [, program, argument] = /^#![ \t]*(\S+)(?:[ \t]+([^\n]*?))?[ \t]*(?:\n|$)/.exec(text) ?? [];
  if (program === undefined) return [SHELL];
  return argument ? [program, argument] : [program];
}

/**
 * Creates an empty directory for scripts. Other users cannot list the directory, and can open only the files
 * that they own.
 */
export async function makeScriptDirectory(directory: string, clock: Clock): Promise<void> {
  await removeTree(directory, clock);
  await Deno.mkdir(directory, { recursive: true, mode: 0o711 });
}

/**
 * Writes a script's file. Only the script's user can read the file. The file is safe against a crash once
 * {@link settleScripts} has resolved.
 */
export async function writeScript(path: string, text: string, user: SystemUser | null): Promise<void> {
  const file = await Deno.open(path, { createNew: true, write: true, mode: 0o700 });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
  if (user !== null) await Deno.chown(path, user.uid, user.gid);
}

export async function settleScripts(directory: string): Promise<void> {
  for (const path of [directory, join(directory, "..")]) {
    using opened = await Deno.open(path);
    await opened.sync();
  }
}
