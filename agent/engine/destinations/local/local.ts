/** A destination in a directory on the agent's own server. */
import type { DestinationSpace } from "../../../../src/protocol/job.ts";
import { statfs } from "node:fs/promises";
import type { Clock } from "../../../../src/domain/clock.ts";
import type { LocalDestination as Spec } from "../../../../src/definitions/destinations/local.ts";
import { exists } from "../../exists.ts";
import { mountOf, readMounts, refuseVanished } from "../../mounts.ts";
import type { Destination, ObjectWriter, Output } from "../../ports.ts";
import { ObjectMissingError, RunFailedError } from "../../ports.ts";
import type { DestinationLimits } from "../limits.ts";
import { codeOf } from "./errors.ts";
import { LocalFiles } from "./files.ts";
import { readLocal } from "./reader.ts";
import { LocalWriter, syncDirectory } from "./writer.ts";
import { checkObjectName, joinPath, partialName } from "../object_name.ts";

/**
 * Mode of new directories: only the agent's user is allowed to enter them. A backup might contain files that
 * only root is allowed to read.
 */
const DIRECTORY_MODE = 0o700;

/** Time limit for measuring the free space, in milliseconds. */
const SPACE_LIMIT = 10_000;

/**
 * Types of file systems on local disks. Such a file system uses neither another server nor a helper program,
 * so it cannot hang because of one.
 */
const DISKS = new Set([
  "bcachefs",
  "btrfs",
  "exfat",
  "ext2",
  "ext3",
  "ext4",
  "f2fs",
  "jfs",
  "ntfs3",
  "overlay",
  "ramfs",
  "reiserfs",
  "tmpfs",
  "vfat",
  "xfs",
  "zfs",
]);

export interface LocalPorts {
  readonly clock?: Clock;
  readonly limits?: DestinationLimits;
  readonly mounts?: typeof readMounts;
}

export class LocalDestination implements Destination {
  readonly description: string;
  readonly #files: LocalFiles;
  /**
   * Whether the directory is on a disk of this server. False for network file systems and for file systems
   * that a program provides.
   */
  #isDisk = false;
  readonly #mounts: typeof readMounts;

  /** @param output Output of the run. Each repeated read writes a line to it. Null outside a run. */
  constructor(
    private readonly spec: Spec,
    private readonly signal: AbortSignal,
    private readonly output: Pick<Output, "line"> | null = null,
    { clock, limits, mounts = readMounts }: LocalPorts = {},
  ) {
    this.description = `directory ${spec.directory}`;
    this.#files = new LocalFiles(spec.directory, signal, clock, limits?.idleMs);
    this.#mounts = mounts;
    if (!spec.directory.startsWith("/") || spec.directory.includes("\0") || !spec.directory.isWellFormed()) {
      throw new RunFailedError(
        `Cannot use ${JSON.stringify(spec.directory)} as a destination: it must be an absolute path`,
      );
    }
  }

  partialPath(name: string): string {
    return this.#path(partialName(name));
  }

  async findLocation(): Promise<void> {
    const { directory } = this.spec;
    await this.#refuseVanished(`use ${directory}`);
    if (await this.#exists(`use ${directory}`, directory)) return;
    throw new RunFailedError(
      `Cannot use ${directory}: it does not exist. Check whether its file system is mounted; ` +
        "if it is gone for good, create it again.",
    );
  }

  async create(name: string, _sizeHint: number | null): Promise<ObjectWriter> {
    const { directory } = this.spec;
    this.signal.throwIfAborted();
    const final = this.#path(checkObjectName(name));
    await this.makeLocation();
    if (await this.#exists(`write to ${directory}`, final)) {
      throw new RunFailedError(
        `Cannot write ${final}: it already exists. Move it away, and run the task again.`,
      );
    }
    return await LocalWriter.open(this.partialPath(name), final, {
      signal: this.signal,
      files: this.#files,
      isDisk: this.#isDisk,
    });
  }

  async makeLocation(): Promise<void> {
    const { directory } = this.spec;
    // Refuse to write if the file system is not mounted. Otherwise the backup would fill the disk that holds
    // the mount point, and would be hidden once the file system is mounted again.
    await this.#refuseVanished(`write to ${directory}`);
    await this.#files.at(`write to ${directory}`, () => makeDirectory(directory));
  }

  async remove(name: string): Promise<boolean> {
    let wasThere = false;
    for (const path of [this.partialPath(name), this.#path(name)]) {
      wasThere = await this.#files.at(`remove ${path}`, () => removeIfThere(path)) || wasThere;
    }
    if (!wasThere) await this.findLocation();
    return wasThere;
  }

  async *read(name: string, from: number, to: number): AsyncIterable<Uint8Array> {
    const path = this.#path(checkObjectName(name));
    if (!(await this.#exists(`read ${path}`, path))) {
      await this.findLocation();
      throw new RunFailedError(`Cannot read ${path}: it does not exist. It was deleted or moved.`);
    }
    yield* readLocal(path, { from, to }, this.#files, this.signal, this.output);
  }

  /**
   * Returns the object's path, for programs that read the object. Their reads have no time limit. So this
   * returns null if the file system might hang or its type is unknown.
   */
  localPath(name: string): string | null {
    const path = this.#path(checkObjectName(name));
    return this.#isDisk ? path : null;
  }

  async space(): Promise<DestinationSpace> {
    const { directory } = this.spec;
    const measured = this.#files.at(`measure ${directory}`, () => statfs(directory), SPACE_LIMIT);
    const { bavail, blocks, bsize } = await measured;
    return { free: bavail * bsize, total: blocks * bsize };
  }

  async size(name: string): Promise<number> {
    const path = this.#path(checkObjectName(name));
    await this.findLocation();
    if (!(await this.#exists(`read ${path}`, path))) {
      await this.#refuseEmpty(path);
      throw new ObjectMissingError(`Cannot read ${path}: it is not there`);
    }
    const { size } = await this.#files.at(`read ${path}`, () => Deno.stat(path));
    return size;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #refuseVanished(action: string): Promise<void> {
    const path = await this.#files.at(action, () => realPath(this.spec.directory));
    const mounts = await this.#mounts();
    refuseVanished(action, path, mounts);
    this.#isDisk = DISKS.has(mountOf(path, mounts.mounts)?.type ?? "");
  }

  #exists(action: string, path: string): Promise<boolean> {
    return this.#files.at(action, () => exists(path));
  }

  /**
   * Rejects if the directory is empty. The directory might then be a mount point, and the file system with
   * the backup might not be mounted.
   */
  async #refuseEmpty(path: string): Promise<void> {
    const { directory } = this.spec;
    const isEmpty = await this.#files.at(`read ${directory}`, async () => {
      for await (const _ of Deno.readDir(directory)) return false;
      return true;
    });
    if (!isEmpty) return;
    throw new RunFailedError(
      `Cannot read ${path}: ${directory} is empty. Check whether its file system is mounted.`,
    );
  }

  #path(name: string): string {
    return joinPath(this.spec.directory, name);
  }
}

/**
 * Returns the path without symbolic links. If only a part of the path exists, links are resolved in that
 * part.
 */
async function realPath(path: string): Promise<string> {
  if (path === "/") return path;
  try {
    return await Deno.realPath(path);
  } catch {
    return joinPath(await realPath(parentOf(path)), path.replace(/\/+$/, "").replace(/^.*\//s, ""));
  }
}

/** Creates the missing directories of a path durably: syncs the parent of each new directory. */
async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; at !== "/" && !(await exists(at)); at = parentOf(at)) missing.push(at);
  await Deno.mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  for (const made of missing) await syncDirectory(parentOf(made));
}

function parentOf(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(0, trimmed.lastIndexOf("/")) || "/";
}

/** Removes a file. Returns whether the file existed. */
async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
    return false;
  }
}
