/**
 * Names of restored members, in two files: directories, and all other members. Each is `./name` ended by NUL.
 */
import { join } from "node:path";
import { latin1 } from "../archive/bytes.ts";
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { RunFailedError } from "../ports.ts";
import { joinNames, statNames } from "./names.ts";

/** Names that are buffered for one write. */
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

  /** @param list Calls `take` once for each name. */
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

  /** Removes names that do not exist in the directory. */
  async keepExisting(directory: string, children: Children): Promise<void> {
    for (const list of [this.directories, this.others]) {
      const kept: string[] = [];
      for (const [, name] of await statNames(directory, list, "%F", children)) kept.push(name);
      await Deno.writeFile(list, joinNames(kept));
    }
  }

  /** Returns all names at once: not for lists that may be long. */
  async readOthers(): Promise<string[]> {
    const names = latin1(await Deno.readFile(this.others)).split("\0").slice(0, -1);
    return names.map((name) => name.slice("./".length));
  }

  /** Lists the contents of a directory. */
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
