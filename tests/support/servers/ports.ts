/** Selects free ports, and waits until a server accepts connections. */

/**
 * The first of the ports to choose from. Linux assigns ports from 32768 on to connections and to listeners
 * without a fixed port (see `net.ipv4.ip_local_port_range`), so only another choice from this range can take
 * a chosen port.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Returns a port of 127.0.0.1 that nothing listened on a moment ago. */
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

/** Resolves once a connection is accepted; rejects after ten seconds. */
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
