/**
 * Certificate authorities for node:https, which ignores Deno's environment variables. For agents, which have
 * every Deno permission; the control plane uses `tls_agent.ts`.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import tls from "node:tls";

/** Exists since Node 22.15; missing from Deno's types. */
const { getCACertificates } = tls as unknown as {
  getCACertificates(store: "system" | "bundled" | "extra"): string[];
};

let authorities: string[] | undefined;

/**
 * Returns the authorities in PEM that `DENO_TLS_CA_STORE`, `DENO_CERT` (as for `fetch` and websockets) and
 * `NODE_EXTRA_CA_CERTS` name. Returns undefined, for Node's own list, if neither of the first two is set.
 * Throws if a file can't be read, as `fetch` does.
 */
export function trustedAuthorities(): string[] | undefined {
  return authorities ??= readAuthorities(process.env);
}

function readAuthorities(
  { DENO_TLS_CA_STORE: stores, DENO_CERT: file }: Record<string, string | undefined>,
): string[] | undefined {
  if (!stores && !file) return undefined;
  const trusted = [...getCACertificates("extra")];
  for (const store of (stores || "mozilla").split(",")) {
    trusted.push(...getCACertificates(store.trim() === "system" ? "system" : "bundled"));
  }
  if (file) trusted.push(readFileSync(file, "utf8"));
  return trusted;
}
