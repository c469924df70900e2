/**
 * Restores SQLite databases. Each database is written to a staging directory next to its path, and is
 * checked. Then the old database and its journal are renamed, and the new database is moved to the path. If
 * the old journal kept its name, SQLite would apply this journal to the new database.
 */
import { basename, dirname, join, resolve as absolute } from "node:path";
import type { SqliteTarget } from "../../../../src/definitions/sources/sqlite.ts";
import type { Obstacle, TARGET_STATES } from "../../../../src/protocol/restore_preview.ts";
import { type Inspection, refusing } from "../../obstacles.ts";
import { RunFailedError } from "../../ports.ts";
import { capture } from "../../programs/capture.ts";
import { removeTree } from "../../remove_tree.ts";
import type { ProgramContext } from "../../run_context.ts";
import {
  type DatabaseHost,
  type DatabaseToRestore,
  type Loader,
  occupied,
} from "../database/database_host.ts";
import { faultsOf } from "./contents.ts";
import { COMPANIONS, findUsers } from "./holders.ts";
import { STAGING_PREFIX } from "./names.ts";
import { requireSqlite, run } from "./program.ts";
import { writeCommand } from "./scratch.ts";

interface DatabasePaths {
  /** Path of the database, without symbolic links. */
  readonly path: string;
  readonly staging: string;
  /** Path of the old database until the restore is complete. */
  readonly replaced: string;
  /** The existing file; null if there is none. */
  readonly existing: Deno.FileInfo | null;
}

export class SqliteHost implements DatabaseHost {
  readonly #databases = new Map<string, DatabasePaths>();
  readonly #made = new Set<string>();
  readonly description = null;

  constructor(private readonly target: SqliteTarget, private readonly programs: ProgramContext) {}

  async inspect(
    wanted: readonly DatabaseToRestore[],
    inspection: Inspection,
  ): Promise<(typeof TARGET_STATES[number])[]> {
    await requireSqlite(this.programs.children);
    const taken = new Set<string>();
    const states: (typeof TARGET_STATES[number])[] = [];
    for (const { name } of wanted) {
      const paths = await this.#inspect(name, inspection);
      if (taken.has(paths.path)) throw new RunFailedError(`two databases would be restored to ${paths.path}`);
      taken.add(paths.path);
      this.#databases.set(name, paths);
      const { existing } = paths;
      states.push(existing === null ? "missing" : existing.size > 0 ? "occupied" : "empty");
    }
    return states;
  }

  async create({ name, original }: DatabaseToRestore): Promise<Loader> {
    const { staging } = this.#databases.get(name)!;
    await this.programs.ports.scratch(staging);
    this.#made.add(staging);
    await run(this.programs, "mkdir", ["-m", "0700", "--", staging]).catch((error) => {
      throw new RunFailedError(`${dirname(staging)} can't be written: ${(error as Error).message}`);
    });
    const fresh = `${staging}/database`;
    return {
      command: writeCommand(fresh, this.programs),
      rewrite: null,
      finish: async () => {
        const { faults } = await faultsOf(this.programs, fresh, "quick_check");
        if (faults.length > 0) {
          throw new RunFailedError(`database ${original} is damaged: ${faults.join("; ")}`);
        }
      },
    };
  }

  async publish(wanted: readonly DatabaseToRestore[], programs: ProgramContext): Promise<void> {
    const databases = wanted.map(({ name }) => this.#databases.get(name)!);
    for (const paths of databases) await this.#prepareFresh(paths, programs);
    for (const { path } of databases) refusing.report(await usedBy(path, programs));
    const done: DatabasePaths[] = [];
    try {
      for (const paths of databases) {
        done.push(paths);
        await replace(paths, programs);
      }
    } catch (error) {
      for (const paths of done.reverse()) await putBack(paths, programs);
      throw error;
    }
    for (const { replaced } of databases) await removeDatabase(replaced, programs);
  }

  async discard({ ports }: ProgramContext): Promise<void> {
    for (const staging of this.#made) {
      await removeTree(staging, ports.clock).catch((error) =>
        ports.output.warning(`${staging} could not be removed: ${(error as Error).message}`)
      );
    }
  }

  async #inspect(name: string, inspection: Inspection): Promise<DatabasePaths> {
    const { output } = this.programs.ports;
    if (!name.startsWith("/")) {
      throw new RunFailedError(`${name} is no absolute path. Choose another database_name`);
    }
    const path = await resolve(name);
    const paths = {
      path,
      staging: join(dirname(path), `${STAGING_PREFIX}${crypto.randomUUID()}`),
      replaced: join(dirname(path), `${STAGING_PREFIX}replaced-${basename(path)}`),
    };
    if (!inspection.isPreview && await recover(paths, this.programs)) {
      output.line(`Put ${path} back, which a restore had moved when its agent was killed`);
    }
    const existing = await Deno.stat(path).catch(() => null);
    if (existing !== null && !existing.isFile) {
      throw new RunFailedError(`${path} is not a regular file. Choose another database_name`);
    }
    if ((existing?.size ?? 0) > 0 && !this.target.overwrite) inspection.report([occupied(name)]);
    inspection.report(await usedBy(path, this.programs));
    inspection.report(await closedDirectory(dirname(path), this.programs));
    return { ...paths, existing };
  }

  /**
   * Gives the new file the owner and mode of the existing file. If no file exists, the new file belongs to
   * the user that the programs run as, and only this user is allowed to access it.
   */
  async #prepareFresh({ staging, existing }: DatabasePaths, programs: ProgramContext): Promise<void> {
    const fresh = `${staging}/database`;
    const mode = (existing?.mode ?? 0o600) & 0o7777;
    await run(programs, "chmod", [mode.toString(8), "--", fresh]);
    if (existing === null) return;
    await run(programs, "chown", [`${existing.uid}:${existing.gid}`, "--", fresh]).catch((error) =>
      programs.ports.output.warning(`The owner of the database can't be set: ${(error as Error).message}`)
    );
  }
}

/** Returns the path without symbolic links. The file itself does not have to exist. */
async function resolve(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw new RunFailedError((error as Error).message);
  }
  const link = await Deno.readLink(path).catch(() => null);
  if (link !== null) return await resolve(absolute(dirname(path), link));
  try {
    return join(await Deno.realPath(dirname(path)), basename(path));
  } catch {
    throw new RunFailedError(
      `the directory ${dirname(path)} is missing. Create it, or choose another database_name`,
    );
  }
}

/** Returns an obstacle if programs have the database open. */
async function usedBy(path: string, { children }: ProgramContext): Promise<Obstacle[]> {
  const users = await findUsers(path, children);
  return users.length === 0 ? [] : [{
    path: `database ${path}`,
    problem: `is in use by ${users.join(", ")}, which would go on with the old one`,
    solution: "Stop it, or choose another database_name.",
  }];
}

/** Returns an obstacle if the user who runs the programs has no right to create files in the directory. */
async function closedDirectory(path: string, { children, user }: ProgramContext): Promise<Obstacle[]> {
  const { exit } = await capture(children, { program: "test", args: ["-w", path], user });
  return exit.code === 0 ? [] : [{
    path,
    problem: "can't be written",
    solution: "Give the programs' user the right to, or choose another database_name.",
  }];
}

const FILES = [...COMPANIONS, ""];

/** Renames the old database, its journal first. Then moves the new database to `path`. */
async function replace({ path, replaced, staging }: DatabasePaths, programs: ProgramContext): Promise<void> {
  for (const end of FILES) {
    if (await exists(path + end)) await move(path + end, replaced + end, programs);
  }
  await move(`${staging}/database`, path, programs);
}

/**
 * Moves the old database back if a failed or killed restore has renamed it. Resolves with true if the
 * database was moved back.
 */
async function putBack(
  paths: Pick<DatabasePaths, "path" | "replaced">,
  programs: ProgramContext,
): Promise<boolean> {
  const { path, replaced } = paths;
  let isMoved = false;
  for (const end of FILES.toReversed()) {
    if (!await exists(replaced + end)) continue;
    isMoved = true;
    await move(replaced + end, path + end, programs);
  }
  return isMoved;
}

/**
 * Completes what a killed restore began. If the new database is in place, removes the old database. If not,
 * moves the old database back. Resolves with true if the old database was moved back.
 */
async function recover(
  paths: Pick<DatabasePaths, "path" | "replaced">,
  programs: ProgramContext,
): Promise<boolean> {
  const isMoved = await exists(paths.replaced);
  if (isMoved && await exists(paths.path)) {
    await removeDatabase(paths.replaced, programs);
    return false;
  }
  return await putBack(paths, programs);
}

async function removeDatabase(path: string, programs: ProgramContext): Promise<void> {
  await run(programs, "rm", ["-f", "--", ...FILES.toReversed().map((end) => path + end)]);
}

async function move(from: string, to: string, programs: ProgramContext): Promise<void> {
  await run(programs, "mv", ["-f", "-T", "--", from, to]);
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}
