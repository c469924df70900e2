/** Finds free ports, and waits until a server accepts connections. */

/**
 * The range from which {@link freePort} chooses. Linux itself chooses ports for connections, and for
 * listeners without a fixed port. It chooses only ports from 32768 upwards: see
 * `net.ipv4.ip_local_port_range`. So only another call of {@link freePort} can take a chosen port.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Returns a port of 127.0.0.1 on which nothing listened a moment ago. */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Resolves once a server accepts a connection. Rejects after ten seconds. */
export async function reachable(hostname: string, port: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      (await Deno.connect({ hostname, port })).close();
      return;
    } catch (cause) {
      if (performance.now() > deadline) {
        throw new Error(`Cannot reach ${hostname}:${port}: nothing listens after ten seconds`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
