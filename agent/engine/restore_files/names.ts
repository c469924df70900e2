/** Runs programs on many files. The names are byte strings, relative to a directory. */
import { bytesOf, latin1 } from "../archive/bytes.ts";
import { capture } from "../programs/capture.ts";
import type { Children, Redirect } from "../programs/children.ts";
import { exists } from "../exists.ts";
import { RunFailedError } from "../ports.ts";

/**
 * A command with this redirect ends when the agent is killed. Every command that changes a restore directory
 * needs the redirect. Otherwise, the command could still run while the next agent undoes its changes. A
 * program that the command starts needs {@link ENDS_WITH_PARENT}: it then ends with the command.
 */
export const ENDS_WITH_AGENT: Redirect[] = [{ descriptor: 3, direction: "<", path: "/dev/null" }];
export const ENDS_WITH_PARENT = ["setpriv", "--pdeathsig=KILL", "--"];

/**
 * A short path of the directory that a command writes to: the path of a file descriptor. With this path, the
 * paths below the directory stay within the system's limit, even if the directory's usual path is long.
 */
export const DIRECTORY_INTO = "/proc/self/fd/4";
const INTO = { descriptor: 4, direction: "<" } as const;

/**
 * Runs a command in `directory`. The arguments of the command are followed by `names`.
 *
 * @param to The directory that the command writes to. The command's arguments name this directory as
 * {@link DIRECTORY_INTO}.
 */
export async function overNames(
  directory: string,
  command: readonly string[],
  names: readonly string[],
  children: Children,
  to: string | null = null,
): Promise<void> {
  if (names.length === 0) return;
  const { exit, messages } = await capture(
    children,
    {
      program: "env",
      args: [`--chdir=${directory}`, "xargs", "-0", "-r", ...ENDS_WITH_PARENT, ...command],
      redirects: to === null ? ENDS_WITH_AGENT : [...ENDS_WITH_AGENT, { ...INTO, path: to }],
    },
    joinNames(names),
  );
  if (exit.code !== 0) {
    throw new RunFailedError(
      messages[0]?.replaceAll(DIRECTORY_INTO, to ?? "") ?? `${command[0]} exited with ${exit.code}`,
    );
  }
}

/**
 * Returns the directories that the agent is not allowed to write to. An empty name in the result stands for
 * `root` itself.
 */
export async function unwritableDirectories(
  root: string,
  names: readonly string[],
  children: Children,
): Promise<string[]> {
  if (names.length === 0) return [];
  const find = 'exec find "$@" -maxdepth 0 ! -writable -print0';
  const { stdout } = await capture(
    children,
    { program: "env", args: [`--chdir=${root}`, "xargs", "-0", "-r", "sh", "-c", find, "sh"] },
    joinNames(names),
  );
  return stdout.split("\0").slice(0, -1).map((name) => name.slice("./".length));
}

/**
 * Returns the names in one byte array. Each name is preceded by `./`, so that programs do not take it for an
 * option, and ends with NUL.
 */
export function joinNames(names: readonly string[]): Uint8Array {
  return bytesOf(names.map((name) => `./${name}\0`).join(""));
}

/** Maximum number of names in one batch. */
const BATCH = 10_000;

/** Reads a file in the format of {@link joinNames}. Yields the names in batches. */
export async function* readNames(list: string): AsyncGenerator<string[]> {
  let rest = "";
  let names: string[] = [];
  for await (const chunk of (await Deno.open(list)).readable) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    names.push(...entries.map((entry) => entry.slice("./".length)));
    if (names.length < BATCH) continue;
    yield names;
    names = [];
  }
  yield names;
}

/**
 * Exit codes with which xargs(1) reports that it ran every command. 0: all commands succeeded. 123: some
 * commands exited with a code from 1 to 125. If a command was killed or could not be started, xargs exits
 * with another code.
 */
const FINISHED_CODES = [0, 123];

/**
 * Returns the output of stat(1) for each name that exists. Returns an empty list if the directory does not
 * exist. Rejects if stat did not check every name.
 *
 * @param list A file of names that {@link joinNames} wrote.
 * @param format A format of stat(1) without tabs.
 */
export async function statNames(
  directory: string,
  list: string,
  format: string,
  children: Children,
): Promise<[output: string, name: string][]> {
  const found: [string, string][] = [];
  if (!(await exists(directory))) return found;
  const child = children.spawn({
    program: "env",
    args: [`--chdir=${directory}`, "xargs", "-0", "-r", "stat", `--printf=${format}\\t%n\\0`, "--"],
    redirects: [
      { descriptor: 0, direction: "<", path: list },
      // stat writes a message for each name that does not exist.
      { descriptor: 2, direction: ">", path: "/dev/null" },
    ],
  }, { stdout: "piped", onMessage: () => {} });
  let rest = "";
  for await (const chunk of child.stdout!) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    for (const entry of entries) {
      const cut = entry.indexOf("\t");
      found.push([entry.slice(0, cut), entry.slice(cut + 3)]);
    }
  }
  const { code, signal } = await child.exited;
  if (signal !== null || !FINISHED_CODES.includes(code)) {
    const how = signal === null ? `xargs exited with ${code}` : `xargs was ended by ${signal}`;
    throw new RunFailedError(`the contents of ${directory} can't be listed: ${how}`);
  }
  return found;
}
