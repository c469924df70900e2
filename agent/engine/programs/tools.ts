/** Finds the programs that the engine needs, and their versions. Says how to install missing programs. */
import { systemClock } from "../../../src/domain/clock.ts";
import { capture } from "./capture.ts";
import { Children, type Command } from "./children.ts";
import { RunFailedError } from "../ports.ts";

/** Debian packages, by the program that they contain. */
export type Packages = Readonly<Record<string, string>>;

/** Packages of the programs that backups of every source type use. */
const PACKAGES: Packages = {
  tar: "tar",
  zstd: "zstd",
  pzstd: "zstd",
  setpriv: "util-linux",
  mkfifo: "coreutils",
};

/**
 * Returns the versions of installed programs for the agent's hello message. Leaves out programs that are not
 * installed.
 */
export async function describeTools(programs: readonly string[]): Promise<Record<string, string>> {
  await using children = new Children(systemClock, new AbortController().signal);
  const named = [...new Set(["zstd", "pzstd", ...programs])];
  const found = await Promise.all(
    named.map(async (tool) => [tool, await toolVersion(children, tool)] as const),
  );
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== null));
}

/**
 * Returns the versions of required programs. Rejects with a `RunFailedError` if a program is missing.
 * @param paths Paths of programs that are not on the `PATH`.
 */
export async function requireTools(
  children: Children,
  tools: string[],
  paths: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const versions = await Promise.all(tools.map((tool) => toolVersion(children, tool, paths[tool])));
  const missing = tools.filter((_, index) => versions[index] === null);
  if (missing.length > 0) throw new RunFailedError(missingTools(missing));
  return Object.fromEntries(tools.map((tool, index) => [tool, versions[index]!]));
}

/** Returns the first program of `tools` that is installed, with its version; null if none is installed. */
export async function firstTool(
  children: Children,
  tools: readonly string[],
): Promise<{ tool: string; version: string } | null> {
  for (const tool of tools) {
    const version = await toolVersion(children, tool);
    if (version !== null) return { tool, version };
  }
  return null;
}

/**
 * Returns an error message that says how to install missing programs.
 *
 * @param packages The package of each program, by the program's name.
 */
export function missingTools(tools: readonly string[], packages: Packages = PACKAGES): string {
  const named = [...new Set(tools.map((tool) => packages[tool]))];
  return `Cannot find ${tools.join(", ")} on this server. Install with: apt-get install ${named.join(" ")}`;
}

/** Returns the version that a program prints, without the program's name; null if the program is missing. */
export async function toolVersion(
  children: Children,
  tool: string,
  path: string = tool,
): Promise<string | null> {
  const command: Command = { program: path, args: ["--version"] };
  try {
    const { exit, stdout, messages } = await capture(children, command);
    // pzstd prints its version on stderr.
    return exit.code === 0 ? parseVersion(stdout.trim() || messages.join("\n")) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Returns the version in a program's output. In `mariadb-dump  Ver 10.19 Distrib 10.11.6-MariaDB, for …`, the
 * version is the number after `Distrib`.
 */
function parseVersion(text: string): string | null {
  const match = /Distrib (\S+?),?\s/.exec(text) ?? /(\d+(?:\.\d+)+[^\s,;)]*)/.exec(text);
  return match === null ? null : match[1]!.replace(/[.,]+$/, "");
}
