/**
 * Counts the rows of a MySQL dump while the dump is stored. The counter reads the compressed bytes that are
 * stored.
 */
import type { ProgramContext } from "../../run_context.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import { readDoubleBuffered } from "../../programs/double_buffer.ts";
import { DumpRows } from "./dump_rows.ts";
import { inBoth, NOT_COMPARED, type ObjectNames } from "./objects.ts";
import {
  type DatabaseContents,
  describeContents,
  type RowCounting,
  type TableRows,
} from "../database/row_counts.ts";

/**
 * Starts a count of one dump's rows. Decompressing and counting is faster than making any dump, so the count
 * does not slow the dump down.
 */
export async function countRowsWhileStored(
  database: string,
  /** Maximum length of a statement that the server accepts, in bytes. */
  maxStatement: number,
  { children, ports }: ProgramContext,
  listObjects: () => Promise<ObjectNames>,
): Promise<RowCounting> {
  const before = await listObjects();
  // The dump is complete, so a server that is down by now does not make the run fail.
  const listAfter = async () => {
    try {
      return await listObjects();
    } catch (error) {
      ports.output.line(`Objects of ${database} are not listed: ${(error as Error).message}`);
      return {};
    }
  };
  let reason: string | null = null;
  const chunks = new ChunkQueue();
  const child = children.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: (line) => void (reason ??= line),
  });
  const rows = new DumpRows();
  const fed = child.feed(chunks.chunks()).finally(() => chunks.close());
  const read = readDoubleBuffered(child.stdout!, (chunk) => rows.push(chunk), () => chunks.close());
  child.exited.finally(() => chunks.close()).catch(() => {});
  const over = Promise.allSettled([fed, read, child.exited]);
  return {
    args: [],
    push: (chunk) => chunks.push(chunk),
    async end() {
      chunks.close();
      const [feeding, reading, exit] = await over;
      const isWhole = feeding.status === "fulfilled" && reading.status === "fulfilled" &&
        exit.status === "fulfilled" && exit.value.code === 0;
      if (!isWhole) {
        ports.output.line(
          `Rows are not counted in ${database}: ${reason ?? "the dump could not be unpacked"}`,
        );
        return null;
      }
      const longest = rows.longestStatement;
      if (longest > maxStatement) ports.output.warning(tooLongWarning(database, longest, maxStatement));
      const contents = describeDump(rows.tables(), inBoth(before, await listAfter()));
      ports.output.line(`Counted in the dump of ${database}: ${describeContents(contents)}`);
      return contents;
    },
  };
}

/**
 * Describes the contents of a dump. Tables that the server has but the dump lacks are included, so that a
 * drill reports them as missing.
 */
function describeDump(dumped: TableRows[], { table = [], ...objects }: ObjectNames): DatabaseContents {
  const names = new Set(dumped.map(({ name }) => name));
  const isListed = Object.keys(objects).length > 0;
  const others = table.filter((name) => !names.has(name)).map((name) => ({ name, rows: null }));
  return { tables: [...dumped, ...others], ...isListed ? { objects, not_compared: NOT_COMPARED } : {} };
}

/**
 * Returns a warning that the dump's longest statement is too long: with its current settings, the server
 * would refuse the statement on restore. Such a statement can occur because binary data takes twice as many
 * bytes in a dump as in its rows.
 */
function tooLongWarning(database: string, longest: number, maxStatement: number): string {
  return `The longest statement in the dump of ${database} is ${
    formatBytes(longest)
  }, and the server takes ` +
    `${formatBytes(maxStatement)}: it cannot be restored there as it is set now. ` +
    (longest < LARGEST_PACKET
      ? `Before a restore: SET GLOBAL max_allowed_packet = ${packetFor(longest)}`
      : "No server takes so long a statement: keep such a value in two rows, or in a file");
}

/** Maximum value of max_allowed_packet, in bytes. */
const LARGEST_PACKET = 1024 * 1024 * 1024;

/**
 * Returns a value for max_allowed_packet, in bytes, that is enough for a statement. The value is a multiple
 * of 1,024, because servers round other values down.
 */
function packetFor(bytes: number): number {
  return Math.min(Math.ceil(bytes / 1024 / 1024 + 1) * 1024 * 1024, LARGEST_PACKET);
}

/**
 * Queue that holds one chunk. `push` waits until the pushed chunk is processed, or until the reader has
 * ended.
 */
class ChunkQueue {
  #next = Promise.withResolvers<Uint8Array | null>();
  #done = Promise.withResolvers<void>();
  #isClosed = false;

  async push(chunk: Uint8Array): Promise<void> {
    if (this.#isClosed || chunk.length === 0) return;
    this.#next.resolve(chunk);
    await this.#done.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#next.resolve(null);
    this.#done.resolve();
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    for (;;) {
      const chunk = await this.#next.promise;
      if (chunk === null) return;
      yield chunk;
      this.#next = Promise.withResolvers();
      const done = this.#done;
      if (this.#isClosed) return;
      this.#done = Promise.withResolvers();
      done.resolve();
    }
  }
}
