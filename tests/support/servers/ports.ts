/** Free ports, and waiting until a server takes connections. */

/** A port of 127.0.0.1 that nothing listened on a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
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
