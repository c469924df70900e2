/** A local destination that takes some objects, then stops in the middle of the next until it is told to go on, or the run ends. */
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import type { Destination, ObjectWriter } from "../../agent/engine/ports.ts";
import type { BackupRun } from "./backup_run.ts";

export class StalledDestination implements Destination {
  readonly description = "a stalled destination";
  /** Resolves when bytes wait to be written. */
  readonly reached: Promise<void>;
  readonly #local: LocalDestination;
  readonly #release = Promise.withResolvers<void>();
  readonly #arrive = Promise.withResolvers<void>();

  #left: number;

  /** @param whole How many objects it takes before. */
  constructor(run: BackupRun, whole: number) {
    this.#left = whole;
    this.#local = new LocalDestination({ type: "local", directory: run.directory }, run.abort.signal);
    this.reached = this.#arrive.promise;
    run.abort.signal.addEventListener("abort", () => this.#release.reject(run.abort.signal.reason), {
      once: true,
    });
    this.#release.promise.catch(() => {});
  }

  resume(): void {
    this.#release.resolve();
  }

  fail(error: Error): void {
    this.#release.reject(error);
  }

  size(name: string): Promise<number> {
    return this.#local.size(name);
  }

  findPlace(): Promise<void> {
    return this.#local.findPlace();
  }

  partialPath(name: string): string {
    return this.#local.partialPath(name);
  }

  localPath(name: string): string | null {
    return this.#local.localPath(name);
  }

  async create(name: string, sizeHint: number | null): Promise<ObjectWriter> {
    const writer = await this.#local.create(name, sizeHint);
    if (this.#left-- > 0) return writer;
    return {
      write: async (chunk) => {
        await writer.write(chunk);
        this.#arrive.resolve();
        await this.#release.promise;
      },
      commit: () => writer.commit(),
      abort: () => writer.abort(),
    };
  }

  read(name: string, from: number, to: number): AsyncIterable<Uint8Array> {
    return this.#local.read(name, from, to);
  }

  remove(name: string): Promise<boolean> {
    return this.#local.remove(name);
  }

  close(): Promise<void> {
    return this.#local.close();
  }
}
