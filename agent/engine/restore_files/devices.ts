/**
 * Finds device files among unpacked files. A user who can open a device file can use the device itself,
 * wherever the file lies.
 */
import { join } from "node:path";
import { bytesOf, latin1 } from "../archive/bytes.ts";
import type { Children } from "../programs/children.ts";
import { printable } from "../programs/line.ts";
import { RunFailedError } from "../ports.ts";

/**
 * Devices that every system and container image has: null, zero, full, random, urandom, tty, console and
 * ptmx. The numbers are major:minor, from Linux's Documentation/admin-guide/devices.txt. 0:0 marks a deleted
 * name in an overlay file system. None of these devices gives access to a disk or to memory.
 */
const HARMLESS = new Set(["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "0:0"]);

/** Rejects if the directory contains a device file that is not listed in `HARMLESS`. */
export async function refuseDevices(directory: string, children: Children): Promise<void> {
  const child = children.spawn({
    program: "find",
    args: [
      directory,
      ...["(", "-type", "b", "-o", "-type", "c", ")"],
      ...["-exec", "stat", "--printf=%F\\t%t\\t%T\\t%n\\0", "--", "{}", "+"],
    ],
  }, { stdout: "piped", onMessage: () => {} });
  let refused: [type: string, name: string] | null = null;
  let rest = "";
  for await (const chunk of child.stdout!) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    for (const entry of entries) {
      const [type, major, minor, ...name] = entry.split("\t");
      const device = `${parseInt(major!, 16)}:${parseInt(minor!, 16)}`;
      if (type === "character special file" && HARMLESS.has(device)) continue;
      refused ??= [`${type} (${device})`, name.join("\t").slice(join(directory, "/").length)];
    }
  }
  const { code } = await child.exited;
  if (code !== 0) throw new RunFailedError(`the unpacked files in ${directory} can't be checked`);
  if (refused === null) return;
  const [what, name] = refused;
  throw new RunFailedError(
    `${printable(bytesOf(name))} is a ${what}, and device files go back only where they came from. ` +
      "Leave target_path out, or choose other paths.",
  );
}
