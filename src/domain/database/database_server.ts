/** Which database server a restore or a drill loads into. */
import { InvalidError } from "../errors.ts";

export interface DatabaseServer {
  /** Null: the local socket of the machine whose agent does it. */
  readonly host: string | null;
  /** Null: the usual one. */
  readonly port: number | null;
  /** Null: the one that such a server has for it. */
  readonly username: string | null;
}

/** As callers give it. A host that is left out is the task's; null is the local socket. */
export interface AskedDatabaseServer {
  database_host?: string | null;
  database_port?: number | null;
  database_username?: string | null;
}

export const DATABASE_SERVER_FIELDS = [
  "database_host",
  "database_port",
  "database_username",
] as const satisfies (keyof AskedDatabaseServer)[];

/**
 * Null where nothing is asked for. Throws an {@link InvalidError} where a port or a user is not told of which
 * host.
 */
export function askedServer(asked: AskedDatabaseServer): DatabaseServer | null {
  const { database_host: host, database_port: port, database_username: username } = asked;
  if (host !== undefined) return { host, port: port ?? null, username: username ?? null };
  const stray = DATABASE_SERVER_FIELDS.filter((field) => asked[field] !== undefined);
  if (stray.length === 0) return null;
  const sentence = (field: string) =>
    `The ${field.replaceAll("_", " ")} field needs database_host, where null is the local socket.`;
  throw new InvalidError(Object.fromEntries(stray.map((field) => [field, [sentence(field)]])));
}

/**
 * Where it is loaded: where was asked for, else where the task's databases are. Throws an {@link
 * InvalidError} where that is another machine's server, seen from one that is not the task's: whoever says
 * "on server 3" does not mean the original.
 *
 * @param task Null once it is deleted: then the local socket.
 * @param isAtHome Whether the task's own machine does it.
 */
export function serverToLoadInto(
  task: DatabaseServer | null,
  isAtHome: boolean,
  asked: DatabaseServer | null,
): DatabaseServer {
  if (asked !== null) return asked;
  if (task === null) return { host: null, port: null, username: null };
  if (isAtHome || isThisMachine(task.host)) return task;
  throw new InvalidError({
    database_host: [
      `The task's own database server, ${task.host}, may hold the original, and is not used from another server than the task's. ` +
      "Say which one to use in database_host, where null is the local socket.",
    ],
  });
}

/** Whether the name means, on any machine, that machine itself. */
export function isThisMachine(host: string | null): boolean {
  // The socket directory is on the machine that connects.
  if (host === null || host.startsWith("/")) return true;
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(name)) return true;
  if (!name.includes(":")) return false;
  const address = URL.parse(`http://[${name}]/`)?.hostname;
  return address === "[::1]" || /^\[::ffff:7f[0-9a-f]{2}:/.test(address ?? "");
}
