/** A TLS proxy in front of a plain server. */
import type { Authority } from "./authority.ts";

export class TlsFront implements AsyncDisposable {
  readonly #listener: Deno.TlsListener;
  readonly #accepting: Promise<void>;
  readonly #open = new Set<Deno.Conn>();

  /** @param target The plain server's port on 127.0.0.1. */
  constructor({ cert, key }: Pick<Authority, "cert" | "key">, private readonly target: number) {
    this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for (;;) {
      let client: Deno.TlsConn;
      try {
        client = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        continue; // the client broke off the handshake
      }
      void this.#serve(client);
    }
  }

  async #serve(client: Deno.TlsConn): Promise<void> {
    this.#open.add(client);
    try {
      await client.handshake();
      using server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.add(server);
      await Promise.allSettled([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
      this.#open.delete(server);
    } catch {
      // The client ends the handshake because it does not trust the certificate.
    } finally {
      this.#open.delete(client);
      close(client);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
