/**
 * A TCP load balancer: one address for several servers. Passes each new connection to the next server that
 * runs.
 */
export class Balancer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #carried = new Set<Promise<unknown>>();
  readonly #accepting: Promise<void>;
  #next = 0;

  /** @param ports The servers' ports on 127.0.0.1. */
  constructor(private readonly ports: readonly number[]) {
    this.#accepting = this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Ends every open connection. New connections are accepted. */
  cut(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
    await Promise.all(this.#carried);
  }

  async #accept(): Promise<void> {
    for await (const from of this.#listener) {
      const to = await this.#connect();
      if (to === null) {
        close(from);
        continue;
      }
      const carried = this.#carry(from, to).finally(() => this.#carried.delete(carried));
      this.#carried.add(carried);
    }
  }

  async #connect(): Promise<Deno.TcpConn | null> {
    for (let tries = 0; tries < this.ports.length; tries++) {
      const port = this.ports[this.#next++ % this.ports.length]!;
      try {
        return await Deno.connect({ hostname: "127.0.0.1", port });
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
    }
    return null;
  }

  /**
   * Copies bytes in both directions until one side ends. Copies no faster than the receiving side accepts
   * bytes.
   */
  async #carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const both = [from, to];
    for (const connection of both) this.#open.add(connection);
    await Promise.race([from.readable.pipeTo(to.writable), to.readable.pipeTo(from.writable)]).catch(
      () => {},
    );
    for (const connection of both) {
      close(connection);
      this.#open.delete(connection);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // The connection was already closed, because the stream ended.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
