/** Scratch databases: a dump loaded on the server that it is of, beside its database, and dropped again. */
import { statfs } from "node:fs/promises";
import type { DatabaseTarget } from "../../../../src/protocol/job.ts";
import { RunFailedError } from "../../ports.ts";
import { formatBytes } from "../../jobs/progress.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { DatabaseContents } from "./row_counts.ts";
import type { Loader, WantedDatabase } from "./database_host.ts";

/** A database server that takes drills. Nothing of what is there is changed. */
export interface ScratchHost {
  /** Whether a restore would refuse it: a database of the server itself. */
  isServers(name: string): boolean;
  /** What the drill's copy of a database is called. */
  scratchName(database: string): string;
  /**
   * Drops what drills left that an agent was killed in. Rejects, before anything is read, where no drill can
   * be made there.
   */
  prepare(wanted: readonly WantedDatabase[]): Promise<void>;
  /** Bytes that a database takes now; null where it is not there. */
  sizeOf(name: string): Promise<number | null>;
  /** Where the server keeps its data; null where the user may not know. */
  dataDirectory(): Promise<string | null>;
  /**
   * Makes the scratch database; what the command reads is loaded into it, rewritten on its way where the
   * loader says how.
   */
  create(wanted: WantedDatabase): Promise<Loader>;
  /**
   * Of the scratch database. @param expected Null: tables are only listed. Rejects where it is not this
   * drill's any more.
   */
  contents(wanted: WantedDatabase, expected: DatabaseContents | null): Promise<DatabaseContents>;
  /**
   * Drops what was made; never rejects. False where something is left. `programs` may be started in a run
   * that is over.
   */
  discard(programs: ProgramContext): Promise<boolean>;
}

/** What else the server writes must go on: a twentieth more than what the drill takes has to be free. */
const ROOM = 1.05;
export const ADVICE = "or set the task's drill_every to 0";

/**
 * Looks whether the server has room for one more such database, where it runs here and that can be told.
 *
 * @param dumped Bytes of its dump: it takes as much at least.
 */
export async function checkDatabaseRoom(
  host: ScratchHost,
  target: DatabaseTarget,
  { original }: WantedDatabase,
  dumped: number,
  { ports }: ProgramContext,
): Promise<void> {
  const directory = isHere(target.host) ? await host.dataDirectory() : null;
  const found = directory === null ? null : await statfs(directory).catch(() => null);
  if (found === null) {
    return ports.output.line("How much room there is on the database's server can't be told from here");
  }
  const needed = Math.ceil(Math.max(dumped, await host.sizeOf(original) ?? 0) * ROOM);
  const free = found.bavail * found.bsize;
  ports.output.line(`Room in ${directory}: ${formatBytes(needed)} needed, ${formatBytes(free)} free`);
  if (free >= needed) return;
  throw new RunFailedError(
    `there is no room for database ${original} in ${directory}: it needs ${formatBytes(needed)}, ${
      formatBytes(free)
    } are free. Free some, ${ADVICE}.`,
  );
}

function isHere(host: string | null): boolean {
  return host === null || host.startsWith("/") || /^(?:localhost|127\..*|::1)$/.test(host);
}
