/** The parameters of libpq's connection URI: which are handled here, passed to the driver, or refused. */

/** Accepted values of libpq's `sslmode`. The value `allow` is accepted too, and treated as `prefer`. */
const TLS_MODES = ["prefer", "require", "verify-ca", "verify-full"] as const;

export interface DatabaseTls {
  readonly mode: typeof TLS_MODES[number];
  /** Path of a CA certificate file; null trusts the system's authorities. */
  readonly rootCertificate: string | null;
}

/**
 * Parameters that this file handles or ignores. postgres.js must not get them: it would send them to the
 * server as settings, and the server would refuse them.
 */
export const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  "channel_binding",
  "client_encoding",
  "dbname",
  "fallback_application_name",
  "gssdelegation",
  "gssencmode",
  "gsslib",
  "host",
  "hostaddr",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "krbsrvname",
  "load_balance_hosts",
  "max_protocol_version",
  "min_protocol_version",
  "password",
  "port",
  "ssl",
  "sslcompression",
  "sslmode",
  "sslnegotiation",
  "sslrootcert",
  "sslsni",
  "target_session_attrs",
  "tcp_user_timeout",
  "user",
]);

/**
 * Parameters that are refused. If they were ignored, the connection might be less safe, or lead to another
 * server. Maps each parameter to the values that have no effect and are therefore accepted.
 */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  channel_binding: ["", "disable", "prefer"],
  gssencmode: ["", "disable", "prefer"],
  passfile: [],
  replication: ["", "false", "off", "no", "0"],
  require_auth: [""],
  requirepeer: [""],
  service: [],
  servicefile: [],
  sslcert: [""],
  sslcrl: [""],
  sslcrldir: [""],
  sslkey: [""],
  sslnegotiation: ["", "postgres"],
  sslpassword: [""],
};

/**
 * Parses parameters as libpq does. A plus sign is literal. If a name occurs several times, its last value
 * counts. Returns null if a parameter is not `NAME=VALUE`.
 */
export function readParameters(query: string): Map<string, string> | null {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((each) => each !== "")) {
    const equals = pair.indexOf("=");
    const name = decoded(pair.slice(0, equals));
    const value = decoded(pair.slice(equals + 1));
    if (equals < 1 || name === null || value === null) return null;
    parameters.set(name, value);
  }
  return parameters;
}

/** Returns why a parameter makes the URL unusable; null if none does. */
export function refusedParameter(parameters: ReadonlyMap<string, string>): string | null {
  for (const [name, harmless] of Object.entries(REFUSED)) {
    const value = parameters.get(name);
    if (value !== undefined && !harmless.includes(value)) {
      return `its parameter ${name} is not supported`;
    }
  }
  return null;
}

/** Returns how to use TLS; null for an unencrypted connection, undefined for an unknown mode. */
export function takeTls(parameters: ReadonlyMap<string, string>): DatabaseTls | null | undefined {
  const root = parameters.get("sslrootcert") || null;
  const rootCertificate = root === "system" ? null : root;
  let mode = parameters.get("sslmode") ?? parameters.get("ssl") ??
    (root === null ? "disable" : "verify-full");
  if (mode === "disable" || mode === "false") return null;
  if (mode === "allow") mode = "prefer";
  // As in libpq, a root certificate implies that the server's certificate is verified.
  if (mode === "true" || root === "system" || (root !== null && mode === "require")) mode = "verify-full";
  const known = TLS_MODES.find((each) => each === mode);
  return known && { mode: known, rootCertificate };
}

/** Splits a comma-separated list. A value can be empty. Returns null if there is no list. */
export function decodedList(text: string | undefined): string[] | null {
  return text === undefined || text === "" ? null : text.split(",");
}

/** Decodes percent-encoded text; null if the encoding is broken. */
export function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
