/** How connections by node:http leave this machine: as those of `fetch` and of the websocket do, which ask Deno's environment. */
import { readFileSync } from "node:fs";
import process from "node:process";
import tls from "node:tls";

/** Since Node 22.15; not yet in the types that Deno has. */
const { getCACertificates } = tls as unknown as {
  getCACertificates(store: "system" | "bundled"): string[];
};

/** For agents of node:http and node:https: through the proxy that the environment names, if any. */
export const outgoing = { proxyEnv: process.env };

let authorities: string[] | undefined;

/**
 * Who may vouch for a server, in PEM: what `DENO_TLS_CA_STORE` and `DENO_CERT` say; undefined, node's own, without both.
 * Throws where that file can't be read, as `fetch` does.
 */
export function trustedAuthorities(): string[] | undefined {
  return authorities ??= readAuthorities(process.env);
}

function readAuthorities(
  { DENO_TLS_CA_STORE: stores, DENO_CERT: file }: Record<string, string | undefined>,
): string[] | undefined {
  if (!stores && !file) return undefined;
  const trusted: string[] = [];
  for (const store of (stores || "mozilla").split(",")) {
    trusted.push(...getCACertificates(store.trim() === "system" ? "system" : "bundled"));
  }
  if (file) trusted.push(readFileSync(file, "utf8"));
  return trusted;
}
