/** Free ports, and waiting until a server takes connections. */

/**
 * Ports below those that Linux gives to connections and to listeners without a wish (32768 and up, see
 * `net.ipv4.ip_local_port_range`): between the choice of a port and its use, only a like choice takes it.
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

/** Resolves once a connection is taken; rejects after ten seconds. */
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
