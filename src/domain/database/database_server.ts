/** Selects the database server that a restore or a drill loads into. */
import { InvalidError } from "../errors.ts";

export interface DatabaseServer {
  /** Null: the local socket of the machine whose agent loads the database. */
  readonly host: string | null;
  /** Null: the default port. */
  readonly port: number | null;
  /** Null: the server's default user. */
  readonly username: string | null;
}

/** The server as callers send it. An absent host means the task's server; null means the local socket. */
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
 * Returns null if no server is requested. Throws an {@link InvalidError} if a port or a user comes without a
 * host.
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
 * Returns the server to load into: the requested one, else the task's own. Throws an {@link InvalidError} if
 * the task's own server is on another machine and the restore is not done by the task's machine. A caller who
 * says "on server 3" does not mean the original.
 *
 * @param task Null if the task is deleted: then the local socket is used.
 * @param isAtHome Whether the task's own machine loads the database.
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

/** Returns whether a host name means, on any machine, that machine itself. */
export function isThisMachine(host: string | null): boolean {
  // A socket directory is on the machine that connects.
  if (host === null || host.startsWith("/")) return true;
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(name)) return true;
  if (!name.includes(":")) return false;
  const address = URL.parse(`http://[${name}]/`)?.hostname;
  return address === "[::1]" || /^\[::ffff:7f[0-9a-f]{2}:/.test(address ?? "");
}
