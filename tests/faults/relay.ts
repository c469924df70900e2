/**
 * A TCP relay in front of a destination's server. It can slow connections down, end a connection after a
 * number of bytes, end all connections, and stop passing data.
 */
import { systemClock } from "../../src/domain/clock.ts";
import { closeQuietly, isGone } from "./wire.ts";

export class Relay implements AsyncDisposable {
  /** Maximum bytes per second for each connection and direction; null for no limit. */
  bytesPerSecond: number | null = null;
  /**
   * Called for each new connection. Returns the number of response bytes after which the relay ends the
   * connection; null if the relay never ends it.
   */
  endsAfter: () => number | null = () => null;
  /**
   * Set while connections are accepted but no data passes: a promise that resolves at the repair. Null while
   * data passes.
   */
  #muted: { readonly promise: Promise<void>; resolve(): void } | null = null;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #carried = new Set<Promise<unknown>>();
  readonly #accepting: Promise<void>;

  /** @param target The port of the server on 127.0.0.1. */
  constructor(private readonly target: number) {
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Ends every open connection, and returns how many there were. New connections are accepted. */
  drop(): number {
    const count = this.#open.size / 2;
    for (const end of this.#open) closeQuietly(end);
    return count;
  }

  /** Stops passing data on all connections. The connections stay open until {@link heal} ends them. */
  mute(): void {
    this.#muted ??= Promise.withResolvers<void>();
  }

  heal(): void {
    if (this.#muted !== null) {
      this.drop();
      this.#muted.resolve();
      this.#muted = null;
    }
    this.bytesPerSecond = null;
    this.endsAfter = () => null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.heal();
    this.drop();
    await this.#accepting;
    await Promise.all(this.#carried);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      const carried = this.#carry(client, server).finally(() => this.#carried.delete(carried));
      this.#carried.add(carried);
    }
  }

  async #carry(client: Deno.TcpConn, server: Deno.TcpConn): Promise<void> {
    this.#open.add(client).add(server);
    await Promise.all([this.#pass(client, server, null), this.#pass(server, client, this.endsAfter())]);
    for (const end of [client, server]) {
      closeQuietly(end);
      this.#open.delete(end);
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, limit: number | null): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    let left = limit ?? Infinity;
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        if (this.#muted !== null) await this.#muted.promise;
        const kept = Math.min(count, left);
        for (let at = 0; at < kept;) at += await to.write(buffer.subarray(at, kept));
        left -= kept;
        if (kept < count) break;
        if (this.bytesPerSecond !== null) await systemClock.sleep(1000 * count / this.bytesPerSecond);
      }
      if (left === 0) [from, to].forEach(closeQuietly);
      else await to.closeWrite();
    } catch (error) {
      if (!isGone(error)) throw error;
      [from, to].forEach(closeQuietly);
    }
  }
}
