/**
 * Parses libpq's connection URI, which names one or more servers:
 * `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?…`. Parameters override the parts before them, as in
 * `postgres:///DATABASE?host=/run/postgresql&port=5433`.
 */
import {
  type DatabaseTls,
  decoded,
  decodedList,
  OWN_PARAMETERS,
  readParameters,
  refusedParameter,
  takeTls,
} from "./database_url_parameters.ts";

export type { DatabaseTls };

export interface ServerAddress {
  /** Host name, address (IPv6 without brackets), or directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /**
   * Address to connect to, so that the host name is not resolved. Certificates are still checked against the
   * host name.
   */
  readonly address?: string;
}

export interface DatabaseUrl {
  /**
   * The URL for postgres.js: it names only the first server, and lacks the parameters that this file handles.
   */
  readonly url: string;
  /** How to use TLS; null for an unencrypted connection. */
  readonly tls: DatabaseTls | null;
  /** The servers in the order given; empty if the URL names none. */
  readonly servers: readonly ServerAddress[];
  /** Name of the database. If it is null, the environment or the user's name determines the database. */
  readonly database: string | null;
  /** The URL's parameter `port` if the URL names no host; null if it names a host or lacks the parameter. */
  readonly port: number | null;
}

const PORT = 5432;
/**
 * Accepted values of `target_session_attrs`. The control plane must be able to write. Other values allow a
 * standby, which is read-only.
 */
const WRITABLE = ["read-write", "primary"];
const SHAPE = "it is not a postgres:// URL (postgres://USER@HOST:PORT,HOST:PORT/DATABASE)";

/**
 * Parses a URL. Returns null if the text is not a URL of this form, or if the URL requires something that is
 * not supported, such as a read-only server.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl | null {
  const read = readDatabaseUrl(text);
  return typeof read === "string" ? null : read;
}

/** Returns why a URL cannot be used, without repeating any of its values; null if it can be used. */
export function databaseUrlProblem(text: string): string | null {
  const read = readDatabaseUrl(text);
  return typeof read === "string" ? read : null;
}

function readDatabaseUrl(text: string): DatabaseUrl | string {
  const [, scheme, authority, path, query] =
    /^(postgres(?:ql)?:\/\/)([^/?#\s]*)(?:\/([^?#\s]*))?(?:\?([^#\s]*))?$/.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return SHAPE;
  const parameters = readParameters(query ?? "");
  if (parameters === null) return "a parameter of it is not NAME=VALUE, or its percent-encoding is broken";
  const refused = refusedParameter(parameters);
  if (refused !== null) return refused;
  const at = authority.lastIndexOf("@") + 1;
  const servers = serversOf(authority.slice(at), parameters);
  if (typeof servers === "string") return servers;
  const sessionType = parameters.get("target_session_attrs");
  if (sessionType !== undefined && !WRITABLE.includes(sessionType)) {
    return "target_session_attrs must be read-write or primary";
  }
  const tls = takeTls(parameters);
  if (tls === undefined) return "its sslmode is not known";
  const database = parameters.get("dbname") ?? decoded(path ?? "");
  const user = userOf(authority.slice(0, Math.max(0, at - 1)), parameters);
  if (database === null || user === null) return "its percent-encoding is broken";
  const list = authority.slice(at);
  return {
    url: driverUrl(
      `${scheme}${user}${serverText(list, servers)}/${encodeURIComponent(database)}`,
      parameters,
    ),
    tls,
    servers,
    database: database === "" ? null : database,
    port: servers.length === 0 && parameters.has("port") ? Number(parameters.get("port")) : null,
  };
}

/** Returns the URL for postgres.js. Leaves out the parameters that this module handles itself. */
function driverUrl(base: string, parameters: ReadonlyMap<string, string>): string {
  const kept = [...parameters].filter(([name]) => !OWN_PARAMETERS.has(name));
  const query = kept.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join(
    "&",
  );
  return query === "" ? base.replace(/\/$/, "") : `${base}?${query}`;
}

/** Returns the first server as text. The server comes from the URL itself, or else from a parameter. */
function serverText(list: string, [first]: readonly ServerAddress[]): string {
  if (list !== "") return list.split(",")[0]!;
  if (first === undefined) return "localhost";
  const isV6 = first.host.includes(":") && !first.host.startsWith("/");
  const host = isV6 ? `[${first.host}]` : encodeURIComponent(first.host);
  return `${host}:${first.port}`;
}

/**
 * Returns the encoded user and password as `user:password@`; empty if there is neither. Returns null if the
 * user or the password cannot be decoded.
 */
function userOf(text: string, parameters: ReadonlyMap<string, string>): string | null {
  const colon = text.indexOf(":");
  const user = parameters.get("user") ?? decoded(colon === -1 ? text : text.slice(0, colon));
  const password = parameters.get("password") ?? decoded(colon === -1 ? "" : text.slice(colon + 1));
  if (user === null || password === null) return null;
  if (user === "" && password === "") return "";
  return `${encodeURIComponent(user)}${password === "" ? "" : `:${encodeURIComponent(password)}`}@`;
}

/** Returns the servers of a URL. If they cannot be parsed, returns the reason as a text. */
function serversOf(list: string, parameters: ReadonlyMap<string, string>): ServerAddress[] | string {
  const named = list === "" ? [] : list.split(",").map(readServer);
  if (named.includes(null)) return "a host or a port of it is not valid";
  const hosts = decodedList(parameters.get("host")) ?? named.map((server) => server!.host);
  const addresses = decodedList(parameters.get("hostaddr"));
  const count = Math.max(hosts.length, addresses?.length ?? 0);
  if (addresses !== null && hosts.length > 0 && addresses.length !== hosts.length) {
    return "the numbers of hostaddr values and of hosts differ";
  }
  const own = decodedList(parameters.get("port"));
  if (own !== null && own.length !== 1 && own.length !== count) {
    return "it must have one port, or one for each host";
  }
  const servers = Array.from({ length: count }, (_, at): ServerAddress | null => {
    const address = addresses?.[at] ?? "";
    const host = hosts[at] || address;
    const port = own === null ? named[at]?.port ?? PORT : portOf(own.length === 1 ? own[0]! : own[at]!);
    if (!isHost(host) || port === null) return null;
    return address === "" || address === host ? { host, port } : { host, port, address };
  });
  if (servers.includes(null)) return "a host or a port of it is not valid";
  if (count === 0 && own !== null && portOf(own[0]!) === null) return "its port is not valid";
  return servers as ServerAddress[];
}

/**
 * Returns whether the text looks like a host name, an address or a directory. Abstract sockets (`@name`) are
 * not supported, because they exist only on Linux.
 */
function isHost(host: string): boolean {
  return host.startsWith("/") || /^[^\s@/,[\]]+$/.test(host);
}

function portOf(text: string): number | null {
  if (text === "") return PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port < 1 || port > 65535 ? null : port;
}

function readServer(text: string): ServerAddress | null {
  const [, v6, name, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\],]+))(?::(\d{0,5}))?$/.exec(text) ?? [];
  const host = v6 ?? (name && decoded(name));
  const number = portOf(port ?? "");
  return !host || number === null ? null : { host, port: number };
}
