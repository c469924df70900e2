/**
 * The files of a run's scripts. Each is written, ready to be run, before the run's first script begins. A
 * script is started by renaming its file: only one process can do that, and only once. A file that is not
 * renamed was never run, whatever happened to the agent or the machine.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { removeTree } from "../remove_tree.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import type { SystemUser } from "../programs/system_user.ts";

/** Runs a script's text without `#!`. */
const SHELL = "/bin/sh";

/** Returns the path of a script that was not started. */
export function readyPath(directory: string, index: number): string {
  return join(directory, `${index}.ready`);
}

/** Returns a path for a start, unlike that of any other start. */
export function newStartedPath(directory: string, index: number): string {
  return join(directory, `${index}.started-${crypto.randomUUID()}`);
}

/** Returns the path of the script's start; null if it was not started. */
export async function findStartedPath(directory: string, index: number): Promise<string | null> {
  for await (const { name } of Deno.readDir(directory)) {
    if (name.startsWith(`${index}.started-`) && !name.endsWith(".exit")) return join(directory, name);
  }
  return null;
}

/** Returns the SHA-256 of a script's text, in hex. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Returns the interpreter that the first line names, with its one argument, as execve(2) reads it. It is
 * started by name, so that scripts also run from file systems mounted with `noexec`.
 */
export function interpreterOf(text: string): string[] {
  const [, program, argument] = /^#![ \t]*(\S+)(?:[ \t]+([^\n]*?))?[ \t]*(?:\n|$)/.exec(text) ?? [];
  if (program === undefined) return [SHELL];
  return argument ? [program, argument] : [program];
}

/** Creates the directory. Other users can open a file in it only if it is theirs. */
export async function makeScriptDirectory(directory: string, clock: Clock): Promise<void> {
  await removeTree(directory, clock);
  await Deno.mkdir(directory, { recursive: true, mode: 0o711 });
}

/** Writes a script, which only its user can read. Durable when {@link settleScripts} resolves. */
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
