/** Makes HTTPS connections for the control plane, which has few Deno permissions. */
import { Agent, type AgentOptions } from "node:https";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { startTls } from "./starttls.ts";
import { systemClock } from "../domain/clock.ts";

type Target = AgentOptions & { host: string; port: number; servername?: string };

/**
 * An HTTPS agent that trusts the authorities from three variables: `DENO_CERT`, `DENO_TLS_CA_STORE` and
 * `NODE_EXTRA_CA_CERTS`. The HTTPS agent of Deno 2.9.6 is no substitute:
 * - It ignores the first two variables.
 * - For the third, it calls `getCACertificates`. This call needs the permission `sys=ca`, and Deno grants
 *   `sys=ca` only together with all other permissions of `--allow-sys`.
 *
 * `TlsAgent` passes no `ca` to `tls.connect`. So `tls.connect` uses Deno's own list of authorities.
 */
export class TlsAgent extends Agent {
  constructor() {
    super({ keepAlive: false });
  }

  // node:_http_agent calls this method for each connection.
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

const DEFAULT_PORTS: Record<string, number> = { "https:": 443, "smtps:": 465, "smtp:": 587 };

/** Timeout for connecting again to read the certificate, in milliseconds. */
const INSPECTION_TIMEOUT = 5_000;

/**
 * Explains the error of a failed TLS connection. If the server's certificate has expired or is not valid yet,
 * returns an error with the date. In all other cases, returns `error`.
 *
 * Deno 2.9.6 reports the same error for an expired certificate as for an unknown authority: "unable to
 * verify". So this function connects again to read the certificate. It sends no data.
 *
 * @param url The server's URL: `https:`, `smtps:`, or `smtp:` for STARTTLS.
 * @param lookup Resolves host names, and checks the addresses.
 */
export async function withDates(error: unknown, url: URL, lookup: AgentOptions["lookup"]): Promise<unknown> {
  const { code, originalCode } = error as { code?: string; originalCode?: string };
  if (![code, originalCode].includes("UNABLE_TO_VERIFY_LEAF_SIGNATURE")) return error;
  const validity = await readValidity(url, lookup);
  if (validity === null) return error;
  const [from, to] = [validity.from.getTime() / 1000, validity.to.getTime() / 1000];
  const now = systemClock.now().getTime() / 1000;
  const cause = { cause: error };
  if (to < now) {
    return Object.assign(new Error(`certificate not valid after ${to}`, cause), { code: "CERT_HAS_EXPIRED" });
  }
  if (from > now) {
    return Object.assign(new Error(`certificate not valid before ${from}`, cause), {
      code: "CERT_NOT_YET_VALID",
    });
  }
  return error;
}

/** The period for which a certificate is valid. */
export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

/**
 * Connects to a server and returns the period for which its certificate is valid. Accepts a certificate from
 * any authority. Sends no data. Returns null if the server does not answer in time.
 *
 * @param url The server's URL: `https:`, `smtps:`, or `smtp:` for STARTTLS.
 * @param lookup Resolves host names, and checks the addresses.
 */
export async function readValidity(url: URL, lookup?: AgentOptions["lookup"]): Promise<Validity | null> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const { promise, resolve } = Promise.withResolvers<{ valid_from?: string; valid_to?: string }>();
  const port = Number(url.port || DEFAULT_PORTS[url.protocol]);
  const plain = url.protocol === "smtp:" ? await startTls(host, port, INSPECTION_TIMEOUT) : undefined;
  if (plain === null) return null;
  const socket = connect({
    ...(plain === undefined ? { host, port } : { socket: plain }),
    ...(lookup === undefined ? {} : { lookup }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
    timeout: INSPECTION_TIMEOUT,
  }, () => resolve(socket.getPeerCertificate()));
  for (const event of ["error", "timeout", "close"]) socket.once(event, () => resolve({}));
  const { valid_from, valid_to } = await promise;
  socket.on("error", () => {}); // the certificate has been read, so errors no longer matter
  socket.destroy();
  if (valid_from === undefined || valid_to === undefined) return null;
  return { from: new Date(valid_from), to: new Date(valid_to) };
}
