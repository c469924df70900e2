/** Listens for HTTP requests. */
import { StartError } from "./start_error.ts";

/** When the server stops, open requests have this many milliseconds to finish. Then they are aborted. */
const GRACE = 5_000;

export interface WebServer extends AsyncDisposable {
  readonly port: number;
  /**
   * URL for programs on this machine. If the server listens on all addresses, this is the loopback address.
   */
  readonly localUrl: string;
}

export interface WebServerOptions {
  readonly host: string;
  /** Port to listen on; 0 means any free port. */
  readonly port: number;
  readonly handler: Deno.ServeHandler<Deno.NetAddr>;
}

/**
 * Starts to listen, and returns the server. Throws a {@link StartError} if the address is not available. When
 * the server is disposed, it takes no new connections, waits some time for open requests, and aborts the
 * rest.
 */
export function serveWeb({ host, port, handler }: WebServerOptions): WebServer {
  const cut = new AbortController();
  const server = listen(host, port, cut.signal, handler);
  const local = host === "0.0.0.0" || host === "" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return {
    port: server.addr.port,
    localUrl: `http://${local.includes(":") ? `[${local}]` : local}:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      const ended = server.shutdown();
      const timer = setTimeout(() => cut.abort(), GRACE);
      await ended;
      clearTimeout(timer);
    },
  };
}

function listen(
  hostname: string,
  port: number,
  signal: AbortSignal,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, signal, onListen: () => {} }, handler);
  } catch (cause) {
    const at = `port ${port} on ${hostname}`;
    if (cause instanceof Deno.errors.AddrInUse) {
      throw new StartError(`Cannot start: ${at} is taken; stop what uses it, or set PORT`, { cause });
    }
    throw new StartError(`Cannot start: ${at} can't be listened on: ${(cause as Error).message}`, { cause });
  }
}
