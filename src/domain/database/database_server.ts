/** Selects the database server into which a restore or a drill loads a backup. */
import { InvalidError } from "../errors.ts";

export interface DatabaseServer {
  /** Host name or address; null is the local socket of the machine whose agent loads the backup. */
  readonly host: string | null;
  /** Port; null is the default port. */
  readonly port: number | null;
  /** User name; null is the server's default. */
  readonly username: string | null;
}

/**
 * A database server as callers send it. If `database_host` is missing, the task's server is used. If
 * `database_host` is null, the local socket is used.
 */
export interface RequestedDatabaseServer {
  database_host?: string | null;
  database_port?: number | null;
  database_username?: string | null;
}

export const DATABASE_SERVER_FIELDS = [
  "database_host",
  "database_port",
  "database_username",
] as const satisfies (keyof RequestedDatabaseServer)[];

/**
 * Returns the requested server; null if the caller names none. Throws an {@link InvalidError} if a port or a
 * user is sent without a host.
 */
export function requestedServer(requested: RequestedDatabaseServer): DatabaseServer | null {
  const { database_host: host, database_port: port, database_username: username } = requested;
  if (host !== undefined) return { host, port: port ?? null, username: username ?? null };
  const stray = DATABASE_SERVER_FIELDS.filter((field) => requested[field] !== undefined);
  if (stray.length === 0) return null;
  const sentence = (field: string) =>
    `The ${field.replaceAll("_", " ")} field requires database_host; null is the local socket.`;
  throw new InvalidError(Object.fromEntries(stray.map((field) => [field, [sentence(field)]])));
}

/**
 * Returns the server to load into: the requested server, or the task's own server if none is requested.
 *
 * The task's own server is refused with an {@link InvalidError} if another machine than the task's loads the
 * backup, and the server is not on the loading machine. The task's server might hold the original databases,
 * and the owner might not expect the load to change them.
 *
 * @param task The task's database server; null if the task is deleted. Null selects the local socket.
 * @param isAtHome Whether the task's own machine loads the backup.
 */
export function serverToLoadInto(
  task: DatabaseServer | null,
  isAtHome: boolean,
  requested: DatabaseServer | null,
): DatabaseServer {
  if (requested !== null) return requested;
  if (task === null) return { host: null, port: null, username: null };
  if (isAtHome || isThisMachine(task.host)) return task;
  throw new InvalidError({
    database_host: [
      `The task's own database server, ${task.host}, may hold the original, and can only be used from the task's server. ` +
      "Set database_host to the server to use; null is the local socket.",
    ],
  });
}

/** Returns whether a host name refers to the machine that uses it, such as `localhost`. */
export function isThisMachine(host: string | null): boolean {
  // A host that starts with a slash is the directory of a local socket.
  if (host === null || host.startsWith("/")) return true;
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(name)) return true;
  if (!name.includes(":")) return false;
  const address = URL.parse(`http://[${name}]/`)?.hostname;
  return address === "[::1]" || /^\[::ffff:7f[0-9a-f]{2}:/.test(address ?? "");
}
