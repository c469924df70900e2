/** Counts the rows of a MySQL dump in what was stored of it, while it is stored. */
import type { ProgramContext } from "../run_context.ts";
import { pump } from "../pump.ts";
import { DumpRows } from "./mysql_dump_rows.ts";
import { describeContents, type RowCounting } from "./row_counts.ts";

/** The dump itself never waits for more than this: what it takes to unpack and count keeps up with every dump. */
export function countStored(database: string, { children, ports }: ProgramContext): RowCounting {
  let reason: string | null = null;
  const chunks = new Handover();
  const child = children.spawn({ program: "zstd", args: ["-d", "-q", "-c"] }, {
    stdin: "piped",
    stdout: "piped",
    onMessage: (line) => void (reason ??= line),
  });
  const rows = new DumpRows();
  const fed = child.feed(chunks.taken()).finally(() => chunks.close());
  const read = pump(child.stdout!, (chunk) => rows.push(chunk), () => chunks.close());
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
      const contents = { tables: rows.tables() };
      ports.output.line(`Counted in the dump of ${database}: ${describeContents(contents)}`);
      return contents;
    },
  };
}

/** Hands chunks over one at a time: each push waits until its chunk is taken, or nobody takes any more. */
class Handover {
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

  async *taken(): AsyncIterable<Uint8Array> {
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
