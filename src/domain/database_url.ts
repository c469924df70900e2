/** `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?…`: libpq's connection URI, with one server or several. */

export interface ServerAddress {
  /** A name, an address (IPv6 without brackets), or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** As libpq's `sslmode`; `allow` counts as `prefer`. */
const TLS_MODES = ["prefer", "require", "verify-ca", "verify-full"] as const;

export interface DatabaseTls {
  readonly mode: typeof TLS_MODES[number];
  /** A file; null: the authorities that the system trusts. */
  readonly rootCertificate: string | null;
}

export interface DatabaseUrl {
  /** The same with the first server only and without the options that are read here: for postgres.js. */
  readonly url: string;
  /** Null: in plain text. */
  readonly tls: DatabaseTls | null;
  /** In the order given; empty where the URL names none. */
  readonly servers: readonly ServerAddress[];
}

const PORT = 5432;
/** A control plane writes: it has no use for a standby. */
const WRITABLE = ["read-write", "primary"];

/** Null for what is no such URL, or asks for servers that take no writes. */
export function parseDatabaseUrl(text: string): DatabaseUrl | null {
  const [, scheme, authority, rest] = /^(postgres(?:ql)?:\/\/)([^/?#\s]*)([^#\s]*)$/.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) return null;
  const at = authority.lastIndexOf("@") + 1;
  const list = authority.slice(at);
  const servers = list === "" ? [] : list.split(",").map(parseServer);
  if (!servers.every((server) => server !== null)) return null;
  const first = list.split(",")[0]!;
  const url = URL.parse(`${scheme}${authority.slice(0, at)}${first}${rest}`);
  if (url === null) return null;
  const wanted = url.searchParams.get("target_session_attrs");
  if (wanted !== null && !WRITABLE.includes(wanted)) return null;
  url.searchParams.delete("target_session_attrs");
  const tls = takeTls(url.searchParams);
  return tls === undefined ? null : { url: url.href, tls, servers };
}

/** Undefined for what is no mode. */
function takeTls(options: URLSearchParams): DatabaseTls | null | undefined {
  const root = options.get("sslrootcert");
  const rootCertificate = root === "system" ? null : root;
  let mode = options.get("sslmode") ?? options.get("ssl") ?? (root === null ? "disable" : "verify-full");
  for (const name of ["sslrootcert", "sslmode", "ssl"]) options.delete(name);
  if (mode === "disable" || mode === "false") return null;
  if (mode === "allow") mode = "prefer";
  // A certificate that is named is meant to be looked at.
  if (mode === "true" || root === "system" || (root !== null && mode === "require")) mode = "verify-full";
  const known = TLS_MODES.find((each) => each === mode);
  return known && { mode: known, rootCertificate };
}

function parseServer(text: string): ServerAddress | null {
  const [, v6, name, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\],]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? (name && decoded(name));
  const number = port === undefined ? PORT : Number(port);
  return !host || number < 1 || number > 65535 ? null : { host, port: number };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
