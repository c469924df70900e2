/** Lists the unfinished operations at a run's destination. A stalled run might be waiting for one of them. */
import type { Clock } from "../../src/domain/clock.ts";
import type { Destination } from "./ports.ts";

export interface PendingCall {
  /** The action of the operation, for messages: `write an object`. */
  readonly what: string;
  /** Time of the monotonic clock when the operation began, in milliseconds. */
  readonly since: number;
}

const CALLS: Readonly<Record<string, string>> = {
  findLocation: "find the location of the objects",
  makeLocation: "create the location of the objects",
  create: "begin an object",
  size: "report the size of an object",
  remove: "remove an object",
  write: "take bytes of an object",
  settle: "store an object",
  commit: "store an object",
  abort: "remove an object",
};

export class PendingCalls {
  readonly #calls = new Set<PendingCall>();

  constructor(private readonly clock: Pick<Clock, "monotonic">) {}

  /** Returns the operation that has been pending for the longest; null if there is none. */
  oldest(): PendingCall | null {
    return this.#calls.values().next().value ?? null;
  }

  /** Runs an operation and returns its result. Lists the operation as pending until it ends. */
  async follow<T>(what: string, call: () => Promise<T>): Promise<T> {
    const pending = { what, since: this.clock.monotonic() };
    this.#calls.add(pending);
    try {
      return await call();
    } finally {
      this.#calls.delete(pending);
    }
  }

  /**
   * Returns a destination that passes all operations on to `destination`, and lists each operation while it
   * is pending.
   */
  watch(destination: Destination): Destination {
    return this.#watched(destination, {
      create: async (name: string, sizeHint: number | null) =>
        this.#watched(await this.follow(CALLS.create!, () => destination.create(name, sizeHint)), {}),
      read: (name: string, from: number, to: number) => this.#chunks(destination.read(name, from, to)),
    });
  }

  #watched<T extends object>(target: T, own: Record<string, unknown>): T {
    return new Proxy(target, {
      get: (_, name) => {
        if (typeof name === "string" && name in own) return own[name];
        const value = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const what = typeof name === "string" ? CALLS[name] : undefined;
        if (what === undefined) return value.bind(target);
        return (...args: unknown[]) => this.follow(what, async () => await value.apply(target, args));
      },
    });
  }

  async *#chunks(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const iterator = chunks[Symbol.asyncIterator]();
    try {
      while (true) {
        const next = await this.follow("give bytes of an object", async () => await iterator.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
}
