/**
 * Defines the scratch databases of drills. A drill loads a dump into a scratch database on the server that
 * the dump came from, and drops this database afterwards.
 */
import { statfs } from "node:fs/promises";
import { RunFailedError } from "../../ports.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { DatabaseContents } from "./row_counts.ts";
import type { DatabaseToRestore, Loader } from "./database_host.ts";

/** Server on which drills are performed. Its existing databases are not changed. */
export interface ScratchHost {
  /** Whether the database belongs to the server itself, so that a restore would reject its name. */
  isSystemDatabase(name: string): boolean;
  /** Returns the name of the scratch database for a database. */
  scratchName(database: string): string;
  /**
   * Drops leftovers of drills whose agent was killed. Rejects if a drill is not possible. Called before any
   * archive is read.
   */
  prepare(wanted: readonly DatabaseToRestore[]): Promise<void>;
  /** Returns the current size of a database in bytes; null if it does not exist. */
  sizeOf(name: string): Promise<number | null>;
  /**
   * Returns the server's data directory. Returns null if the server is on another machine, or if the login
   * is not allowed to read the server's setting.
   */
  dataDirectory(): string | null | Promise<string | null>;
  /** Creates the scratch database. The returned loader loads the dump into that database. */
  create(wanted: DatabaseToRestore): Promise<Loader>;
  /**
   * Returns the contents of the scratch database. Rejects if the database was dropped or replaced since this
   * drill created it.
   *
   * @param expected The contents recorded in the backup. The same things are counted in the scratch database.
   *   If null, the tables are listed without numbers of rows.
   */
  contents(wanted: DatabaseToRestore, expected: DatabaseContents | null): Promise<DatabaseContents>;
  /**
   * Drops the scratch databases. Resolves with false if one of them could not be dropped. Never rejects.
   *
   * @param programs Can start programs even after the run was cancelled.
   */
  discard(programs: ProgramContext): Promise<boolean>;
}

/**
 * A drill requires as much free space as the database's size times this factor. The additional 5 % are for
 * what the server writes during the drill.
 */
const ROOM_FACTOR = 1.05;
export const ADVICE = "or set the task's drill_every to 0";

/**
 * Rejects if the server has too little free space for the scratch database. Checks this only if the server
 * runs on this machine.
 *
 * @param dumped Size of the dump in bytes. The database takes at least as much.
 */
export async function checkDatabaseRoom(
  host: ScratchHost,
  { original }: DatabaseToRestore,
  dumped: number,
  { ports }: ProgramContext,
): Promise<void> {
  const directory = await host.dataDirectory();
  const found = directory === null ? null : await statfs(directory).catch(() => null);
  if (found === null) {
    return ports.output.line("The free space of the database's server can't be checked from here");
  }
  const needed = Math.ceil(Math.max(dumped, await host.sizeOf(original) ?? 0) * ROOM_FACTOR);
  const free = found.bavail * found.bsize;
  ports.output.line(`Room in ${directory}: ${formatBytes(needed)} needed, ${formatBytes(free)} free`);
  if (free >= needed) return;
  throw new RunFailedError(
    `there is no room for database ${original} in ${directory}: it needs ${formatBytes(needed)}, ${
      formatBytes(free)
    } are free. Free some, ${ADVICE}.`,
  );
}

/** Whether a host name, address or socket path is on this machine. Null stands for the default socket. */
export function isLocal(host: string | null): boolean {
  return host === null || host.startsWith("/") || /^(?:localhost|127\..*|::1)$/.test(host);
}
