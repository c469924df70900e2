/**
 * Finds the certificate authorities for node:https, because node:https ignores Deno's environment variables.
 * Only agents use this file, because it needs Deno permissions that the control plane lacks. The control
 * plane uses `tls_agent.ts`.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import tls from "node:tls";

/** Node has this function since version 22.15; Deno's types lack it. */
const { getCACertificates } = tls as unknown as {
  getCACertificates(store: "system" | "bundled" | "extra"): string[];
};

let authorities: string[] | undefined;

/**
 * Returns the certificate authorities, in PEM, that `DENO_TLS_CA_STORE`, `DENO_CERT` and
 * `NODE_EXTRA_CA_CERTS` name. Deno's `fetch` and websockets read the two `DENO_` variables in the same way.
 * If neither of these two is set, returns undefined, and Node uses its own list. Throws if a file can't be
 * read.
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
