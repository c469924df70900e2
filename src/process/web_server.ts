/** The listening socket of the server. */
import { StartError } from "./start_error.ts";

/** How long answers under way may take once the server stops. Milliseconds. */
const GRACE = 5_000;

export interface WebServer extends AsyncDisposable {
  readonly port: number;
  /** What a program on this machine reaches it by: a wildcard address becomes the loopback one. */
  readonly localUrl: string;
}

export interface WebServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly handler: Deno.ServeHandler<Deno.NetAddr>;
}

/** Listens at once. Throws a {@link StartError} where the address can't be had. Disposed, it takes no new
 * connection, lets answers under way end and then cuts off what is left. */
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
