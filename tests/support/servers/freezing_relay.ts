/**
 * A TCP relay that can stop passing data, like a machine or a network that fails without closing its
 * connections.
 */
export class FreezingRelay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #carried: Promise<void>[] = [];
  readonly #accepting: Promise<void>;
  #thawed = Promise.resolve();
  #thaw = () => {};
  #frozen = new Set<Deno.Conn>();
  readonly #clients = new Set<Deno.Conn>();

  constructor(private readonly target: number) {
    this.#accepting = this.#accept();
  }

  /** The number of open connections to clients. */
  get open(): number {
    return this.#clients.size;
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Stops passing data, on open connections and on new connections. */
  freeze(): void {
    this.#thawed = new Promise((resolve) => this.#thaw = resolve);
    this.#frozen = new Set(this.#open);
  }

  /** Passes data on new connections again. Connections that were open at {@link freeze} stay blocked. */
  thaw(): void {
    this.#thaw();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    this.#listener.close();
    for (const connection of this.#open) if (this.#open.delete(connection)) connection.close();
    await this.#accepting;
    await Promise.all(this.#carried);
  }

  async #accept(): Promise<void> {
    for await (const from of this.#listener) {
      const to = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.add(from).add(to);
      this.#clients.add(from);
      const carried = this.#carry(from, to).finally(() => this.#clients.delete(from));
      this.#carried.push(carried, this.#carry(to, from));
    }
  }

  async #carry(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    try {
      // Keeps reading while frozen, to notice when a client closes its connection.
      for (let n = await from.read(bytes); n !== null; n = await from.read(bytes)) {
        if (this.#frozen.has(from)) continue;
        await this.#thawed;
        if (this.#frozen.has(from)) continue;
        for (let sent = 0; sent < n;) sent += await to.write(bytes.subarray(sent, n));
      }
    } catch {
      // One side is closed. The code below closes the other side.
    }
    if (this.#frozen.has(from)) return;
    for (const connection of [from, to]) if (this.#open.delete(connection)) connection.close();
  }
}
