/** A directory held against the index of the archive that was unpacked there: every name, its type, its size. */
import { join } from "node:path";
import { IndexParser, type Member } from "./archive_index.ts";
import { bytesOf } from "./bytes.ts";
import { capture } from "./capture.ts";
import type { Children } from "./children.ts";
import { printable } from "./line.ts";
import { BackupDamagedError, RunFailedError, type RunPorts } from "./ports.ts";
import type { ReadLines } from "./targets/selection.ts";

/** As `find -printf %y` tells them; a hard link is what it leads to. */
const TYPES: Record<Exclude<Member["type"], "hardlink">, string> = {
  file: "f",
  directory: "d",
  symlink: "l",
  fifo: "p",
  character_device: "c",
  block_device: "b",
};

/** Characters held back until they are written at once. */
const BATCH = 1024 * 1024;
const TOLD_BYTES = 4096;

/**
 * Resolves with how many members there are. Rejects with a `BackupDamagedError` that names one where the two differ. Both lists are
 * files in the work directory, sorted there: memory stays flat however many there are.
 */
export async function compareTree(
  directory: string,
  readIndex: ReadLines,
  ports: RunPorts,
  children: Children,
): Promise<number> {
  const expected = join(ports.workDirectory, "expected");
  const found = join(ports.workDirectory, "found");
  const count = await listIndex(expected, readIndex);
  await listTree(directory, found, children);
  for (const path of [expected, found]) {
    await succeed(children, ["sort", "-z", `--temporary-directory=${ports.workDirectory}`, "-o", path, path]);
  }
  const difference = await firstDifference(expected, found, children);
  await Promise.all([expected, found].map((path) => Deno.remove(path)));
  if (difference !== null) throw new BackupDamagedError(difference, difference);
  return count;
}

/** Entries of `<type> <size> <name>`, each ended by NUL. */
async function listIndex(path: string, readIndex: ReadLines): Promise<number> {
  const targets = await linkTargets(readIndex);
  const parser = new IndexParser();
  let count = 0;
  let batch = "";
  const flush = () => {
    Deno.writeFileSync(path, bytesOf(batch), { append: true, mode: 0o600 });
    batch = "";
  };
  await readIndex((line) => {
    const member = parser.line(line);
    if (member === null || member.name === "") return;
    const entry = entryOf(member, targets);
    if (targets.has(member.name)) targets.set(member.name, entry);
    batch += `${entry} ${member.name}\0`;
    count++;
    if (batch.length >= BATCH) flush();
  });
  flush();
  return count;
}

/** What hard links lead to comes before they do, and is not known to be led to by then. */
async function linkTargets(readIndex: ReadLines): Promise<Map<string, string>> {
  const targets = new Map<string, string>();
  const parser = new IndexParser();
  await readIndex((line) => {
    const member = parser.line(line);
    if (member?.type === "hardlink") targets.set(member.linkTarget!, "");
  });
  return targets;
}

function entryOf(member: Member, targets: Map<string, string>): string {
  if (member.type === "hardlink") return targets.get(member.linkTarget!) ?? "?";
  return `${TYPES[member.type]} ${member.size}`;
}

async function listTree(directory: string, path: string, children: Children): Promise<void> {
  const files = ["-type", "f", "-fprintf", path, "f %s %P\\0"];
  const others = ["-fprintf", path, "%y 0 %P\\0"];
  await succeed(children, ["find", directory, "-mindepth", "1", "(", ...files, ")", "-o", ...others]);
}

async function succeed(children: Children, [program, ...args]: string[]): Promise<void> {
  const command = { program: program!, args, env: { LC_ALL: "C" } };
  const { exit, messages } = await capture(children, command);
  if (exit.code !== 0) throw new RunFailedError(messages[0] ?? `${program} failed`);
}

/** One line; null where there is none. */
async function firstDifference(
  expected: string,
  found: string,
  children: Children,
): Promise<string | null> {
  const child = children.spawn({
    program: "comm",
    args: ["-z", "-3", expected, found],
    env: { LC_ALL: "C" },
  }, { stdout: "piped", onMessage: () => {} });
  let first = new Uint8Array(0);
  let count = 0;
  for await (const chunk of child.stdout!) {
    for (const byte of chunk) if (byte === 0) count++;
    if (first.length < TOLD_BYTES) first = new Uint8Array([...first, ...chunk.subarray(0, TOLD_BYTES)]);
  }
  const { code } = await child.exited;
  if (code !== 0) throw new RunFailedError("what came back can't be compared with the index: comm failed");
  if (count === 0) return null;
  const end = first.indexOf(0);
  const entry = printable(first.subarray(0, end < 0 ? undefined : end)).replace(/^(?:\t|\\t)/, "");
  const [, type, size, name] = /^(\S) (\d+) (.*)$/s.exec(entry) ?? [null, "?", "?", entry];
  return `${count} ${
    count === 1 ? "difference" : "differences"
  } between what came back and its index, the first at ${name} (type ${type}, ${size} bytes)`;
}
