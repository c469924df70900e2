/** HTTPS connections of the control plane, which runs with few rights of Deno's. */
import { Agent, type AgentOptions } from "node:https";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";

type Target = AgentOptions & { host: string; port: number; servername?: string };

/**
 * Trusts whom Deno's environment says: `DENO_CERT`, `DENO_TLS_CA_STORE`, `NODE_EXTRA_CA_CERTS`. Deno 2.9.6's own agent asks
 * `getCACertificates` for the last of these, a right (`sys=ca`) that `--allow-sys` can grant only together with all others, and does
 * not know the first two. `tls.connect` without any `ca` has Deno's own list.
 */
export class TlsAgent extends Agent {
  constructor() {
    super({ keepAlive: false });
  }

  // Called by node:_http_agent for each connection.
  override createConnection({ host, port, lookup, servername }: Target): TLSSocket {
    const name = servername || host;
    return connect({
      host,
      port,
      ...(lookup === undefined ? {} : { lookup }),
      ...(isIP(name) === 0 ? { servername: name } : {}),
    });
  }
}
