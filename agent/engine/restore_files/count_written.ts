/**
 * Counts what a restore has unpacked. The count can be made before publishing, because publishing moves
 * everything or nothing.
 */
import type { Amounts } from "../../../src/protocol/restore_report.ts";
import { latin1 } from "../archive/bytes.ts";
import { UNKNOWN_AMOUNTS } from "../obstacles.ts";
import { RunFailedError } from "../ports.ts";
import type { Child, Children } from "../programs/children.ts";
import type { NameLists } from "./name_lists.ts";
import type { RestoreScope } from "./selection.ts";

/**
 * Returns the amounts of the unpacked members. Directories above chosen members do not count, because nobody
 * asked for them.
 */
export async function countWritten(
  staging: string,
  scope: RestoreScope,
  lists: NameLists,
  children: Children,
): Promise<Amounts> {
  const count = new WrittenCount();
  if (scope.kind === "whole") {
    const args = [staging, "-mindepth", "1", "-printf", "%y\\t%n\\t%D:%i\\t%s\\0"];
    await readEntries(children.spawn({ program: "find", args }, { stdout: "piped", onMessage }), count);
    return count.amounts;
  }
  for (const list of [lists.directories, lists.others]) {
    const args = [
      `--chdir=${staging}`,
      "xargs",
      "-0",
      "-r",
      "stat",
      "--printf=%F\\t%h\\t%d:%i\\t%s\\0",
      "--",
    ];
    const redirects = [{ descriptor: 0, direction: "<", path: list } as const];
    await readEntries(
      children.spawn({ program: "env", args, redirects }, { stdout: "piped", onMessage }),
      count,
    );
  }
  return count.amounts;
}

const onMessage = () => {};

async function readEntries(child: Child, count: WrittenCount): Promise<void> {
  let rest = "";
  for await (const chunk of child.stdout!) {
    const entries = (rest + latin1(chunk)).split("\0");
    rest = entries.pop()!;
    for (const entry of entries) count.add(entry.split("\t"));
  }
  const { code } = await child.exited;
  if (code !== 0) {
    throw new RunFailedError(`what was unpacked can't be counted: ${child.program} exited with ${code}`);
  }
}

class WrittenCount {
  #files = 0;
  #directories = 0;
  #bytes = 0;
  /** Files with several names that were counted. */
  readonly #linked = new Set<string>();

  add([type, links, id, size]: string[]): void {
    if (type === "d" || type === "directory") {
      this.#directories++;
      return;
    }
    this.#files++;
    if (type !== "f" && !type!.startsWith("regular")) return;
    if (links !== "1") {
      if (this.#linked.has(id!)) return;
      this.#linked.add(id!);
    }
    this.#bytes += Number(size);
  }

  get amounts(): Amounts {
    return {
      ...UNKNOWN_AMOUNTS,
      files_count: this.#files,
      directories_count: this.#directories,
      bytes: this.#bytes,
    };
  }
}
