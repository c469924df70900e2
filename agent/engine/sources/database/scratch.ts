/**
 * Scratch databases of drills: a dump is loaded on the server of its database, under another name, and
 * dropped again.
 */
import { statfs } from "node:fs/promises";
import { RunFailedError } from "../../ports.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { DatabaseContents } from "./row_counts.ts";
import type { DatabaseToRestore, Loader } from "./database_host.ts";

/** Database server for drills. Existing databases are not changed. */
export interface ScratchHost {
  /** Whether a restore would reject the name, because the database belongs to the server itself. */
  isSystemDatabase(name: string): boolean;
  /** Returns the name of the drill's copy of a database. */
  scratchName(database: string): string;
  /**
   * Drops leftovers of drills whose agent was killed. Rejects, before anything is read, if a drill is not
   * possible.
   */
  prepare(wanted: readonly DatabaseToRestore[]): Promise<void>;
  /** Returns the current size of a database in bytes; null if it does not exist. */
  sizeOf(name: string): Promise<number | null>;
  /**
   * Returns the server's data directory; null if the user may not read the setting, or the server is on
   * another machine.
   */
  dataDirectory(): string | null | Promise<string | null>;
  /** Creates the scratch database. The returned loader loads the dump into it. */
  create(wanted: DatabaseToRestore): Promise<Loader>;
  /**
   * Returns the contents of the scratch database. Rejects if the database no longer belongs to this drill.
   *
   * @param expected Null if tables are only listed, not counted.
   */
  contents(wanted: DatabaseToRestore, expected: DatabaseContents | null): Promise<DatabaseContents>;
  /**
   * Drops the scratch databases. Never rejects; resolves with false if something is left. `programs` may be
   * started after the run has ended.
   */
  discard(programs: ProgramContext): Promise<boolean>;
}

/**
 * Factor of the room that must be free: 5 % more than the drill needs, because the server has to continue
 * writing.
 */
const ROOM_FACTOR = 1.05;
export const ADVICE = "or set the task's drill_every to 0";

/**
 * Rejects if the server has no room for the scratch database. Only possible if the server runs on this
 * machine.
 *
 * @param dumped Bytes of the dump: the database takes at least as much.
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

/** Returns whether a host, or a socket, is on this machine. */
export function isLocal(host: string | null): boolean {
  return host === null || host.startsWith("/") || /^(?:localhost|127\..*|::1)$/.test(host);
}
