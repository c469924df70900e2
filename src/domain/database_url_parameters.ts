/** The parameters of libpq's connection URI: which are read here, which the driver gets, and which can't be honoured. */

/** As libpq's `sslmode`; `allow` counts as `prefer`. */
const TLS_MODES = ["prefer", "require", "verify-ca", "verify-full"] as const;

export interface DatabaseTls {
  readonly mode: typeof TLS_MODES[number];
  /** A file; null: the authorities that the system trusts. */
  readonly rootCertificate: string | null;
}

/** Read here, or of no use here: the driver would send them to the server as settings, which would refuse them. */
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

/** What would be less safe, or go elsewhere, if it were ignored; with the values that ask for nothing. */
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

/** As libpq reads them: a plus sign is one, and the last of a name counts. Null where one is not `NAME=VALUE`. */
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

/** Why a parameter keeps the URL from being used; null where none does. */
export function refusedParameter(parameters: ReadonlyMap<string, string>): string | null {
  for (const [name, harmless] of Object.entries(REFUSED)) {
    const value = parameters.get(name);
    if (value !== undefined && !harmless.includes(value)) {
      return `its parameter ${name} can't be honoured here`;
    }
  }
  return null;
}

/** Undefined for what is no mode. */
export function takeTls(parameters: ReadonlyMap<string, string>): DatabaseTls | null | undefined {
  const root = parameters.get("sslrootcert") || null;
  const rootCertificate = root === "system" ? null : root;
  let mode = parameters.get("sslmode") ?? parameters.get("ssl") ??
    (root === null ? "disable" : "verify-full");
  if (mode === "disable" || mode === "false") return null;
  if (mode === "allow") mode = "prefer";
  // A certificate that is named is meant to be looked at.
  if (mode === "true" || root === "system" || (root !== null && mode === "require")) mode = "verify-full";
  const known = TLS_MODES.find((each) => each === mode);
  return known && { mode: known, rootCertificate };
}

/** The values of a comma list that may be empty each; null where there is none. */
export function decodedList(text: string | undefined): string[] | null {
  return text === undefined || text === "" ? null : text.split(",");
}

/** Null for a percent-encoding that is broken. */
export function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
