/**
 * Names of restored members in two files: one for directories, one for all other members. Each name is
 * written as `./name` and ends with NUL.
 */
import { join } from "node:path";
import { latin1 } from "../archive/bytes.ts";
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { joinNames, statNames } from "./names.ts";

/** Number of names that are buffered for one write. */
const BATCH = 10_000;

export class NameLists {
  readonly directories: string;
  readonly others: string;
  areWritten = false;

  constructor(workDirectory: string) {
    this.directories = join(workDirectory, "directories");
    this.others = join(workDirectory, "others");
  }

  async write(directories: readonly string[], others: readonly string[]): Promise<void> {
    await Deno.writeFile(this.directories, joinNames(directories));
    await Deno.writeFile(this.others, joinNames(others));
    this.areWritten = true;
  }

  /**
   * Writes the names of members to the two files.
   *
   * @param list Calls `take` once for each member.
   */
  async collect(
    list: (take: (name: string, isDirectory: boolean) => void) => Promise<void>,
  ): Promise<void> {
    await this.write([], []);
    const batches = { [this.directories]: [] as string[], [this.others]: [] as string[] };
    const flush = (path: string) => {
      Deno.writeFileSync(path, joinNames(batches[path]!.splice(0)), { append: true });
    };
    await list((name, isDirectory) => {
      const path = isDirectory ? this.directories : this.others;
      batches[path]!.push(name);
      if (batches[path]!.length === BATCH) flush(path);
    });
    flush(this.directories);
    flush(this.others);
  }

  /** Removes names from the two lists if nothing with that name exists in `directory`. */
  async keepExisting(directory: string, children: Children): Promise<void> {
    for (const list of [this.directories, this.others]) {
      const kept: string[] = [];
      for (const [, name] of await statNames(directory, list, "%F", children)) kept.push(name);
      await Deno.writeFile(list, joinNames(kept));
    }
  }

  /**
   * Returns the names of all members that are not directories. All names are in memory at once, so do not
   * call this for long lists.
   */
  async readOthers(): Promise<string[]> {
    const names = latin1(await Deno.readFile(this.others)).split("\0").slice(0, -1);
    return names.map((name) => name.slice("./".length));
  }

  /** Writes the names of a directory's contents to the files `directories` and `others`. */
  async find(directory: string, children: Children): Promise<void> {
    const printed = (path: string) => ["-fprintf", path, "./%P\\0"];
    const { exit, messages } = await capture(children, {
      program: "find",
      args: [
        directory,
        "-mindepth",
        "1",
        ...["(", "-type", "d", ...printed(this.directories), ")"],
        ...["-o", ...printed(this.others)],
      ],
    });
    if (exit.code !== 0) throw new RunFailedError(messages[0] ?? "find failed");
    this.areWritten = true;
  }
}
