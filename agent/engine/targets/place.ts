/** The directory that files are restored into, as it is found, and the unfinished directory they are unpacked in. */
import { dirname, join } from "node:path";
import { readMounts } from "../mounts.ts";
import { capture } from "../capture.ts";
import { Children } from "../children.ts";
import { isThere } from "../is_there.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";

export interface Place {
  /** Absolute; of a directory that is there, its real path. */
  path: string;
  state: "missing" | "empty" | "occupied";
}

/** Rejects where it is no directory and can't become one. */
export async function inspectPlace(path: string): Promise<Place> {
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new RunFailedError(`${JSON.stringify(path)} is no absolute path. Correct target_path.`);
  }
  try {
    const real = await Deno.realPath(path);
    if (!(await Deno.stat(real)).isDirectory) {
      throw new RunFailedError(`${path} is not a directory. Choose another target_path.`);
    }
    for await (const _ of Deno.readDir(real)) return { path: real, state: "occupied" };
    return { path: real, state: "empty" };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (await isThere(path)) {
    throw new RunFailedError(`${path} is a link that leads nowhere. Choose another target_path.`);
  }
  return { path: path.replace(/\/+$/, ""), state: "missing" };
}

/** Where a restore keeps what it replaces until it is done. */
export function asideOf(staging: string): string {
  return `${staging}.replaced`;
}

/** On the same file system as the place, so that what it holds can be moved there at once. */
export class Staging {
  private constructor(
    readonly path: string,
    private readonly directory: string,
    /** A file with the directory's time. */
    private readonly time: string,
    private readonly context: RestoreContext,
  ) {}

  static async make(place: Place, name: string, context: RestoreContext): Promise<Staging> {
    const { ports } = context;
    const directory = await directoryFor(place);
    const path = join(directory, name);
    const time = timeFile(ports.workDirectory);
    await copyTime(directory, time, context.children);
    await ports.scratch(path);
    await Deno.mkdir(path, { mode: 0o700 });
    return new Staging(path, directory, time, context);
  }

  /** @param untouched Also the time of the directory that it lies in is to be as it was. */
  async remove(untouched: boolean): Promise<void> {
    await Deno.remove(this.path, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    if (!untouched) return;
    // The run's own are over where it was cancelled, or where one of them failed.
    await using children = new Children(this.context.ports.clock, new AbortController().signal);
    await copyTime(this.time, this.directory, children);
  }
}

/** Has the time that the directory had before it was unpacked in. */
export function timeFile(workDirectory: string): string {
  return join(workDirectory, "time");
}

/** With all its digits, which a number can't hold. */
export async function copyTime(from: string, to: string, children: Children): Promise<void> {
  await capture(children, { program: "touch", args: [`--reference=${from}`, "--", to] });
}

/** Beside the place where it can take the place's name; inside where it can't. */
async function directoryFor({ path, state }: Place): Promise<string> {
  if (state === "occupied") return path;
  if (state === "empty") {
    const { mounts } = await readMounts();
    const isMount = mounts.some(({ point }) => point === path);
    return isMount || path === "/" ? path : dirname(path);
  }
  let at = dirname(path);
  while (!(await isThere(at))) at = dirname(at);
  return await Deno.realPath(at);
}
