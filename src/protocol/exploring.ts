/** Requests about a server itself: which files and databases it has. Since protocol 7. */
import * as z from "zod";
import { DatabaseSource } from "../definitions/sources/database_server.ts";
import { INVENTORY_KINDS } from "../domain/inventory.ts";
import { BackupEntry } from "./browsing.ts";

/** Requests a list of a directory's entries: directories first, then by name. */
export const ServerBrowse = z.object({
  kind: z.literal("server.browse"),
  /** Absolute path. Bytes that are not UTF-8 are written as `\ooo`, in octal. */
  path: z.string(),
  offset: z.number().int().nonnegative(),
  limit: z.number().int().positive(),
  /** Lists only entries whose names contain this text, ignoring case. If absent, all entries are listed. */
  search: z.string().min(1).optional(),
});
export type ServerBrowse = z.infer<typeof ServerBrowse>;

export const ServerEntry = BackupEntry.extend({
  /** Absolute path in the same form as `path` in {@link ServerBrowse}. */
  path: z.string(),
  type: z.enum(["file", "directory", "symlink", "fifo", "socket", "character_device", "block_device"]),
  /**
   * Whether the agent is allowed to read the entry. Always true for a symbolic link, because the agent does
   * not follow links.
   */
  is_readable: z.boolean(),
});
export type ServerEntry = z.infer<typeof ServerEntry>;

export const ServerBrowseResult = z.discriminatedUnion("outcome", [
  z.object({
    outcome: z.literal("listed"),
    /** The path of the listed directory, without superfluous slashes. */
    path: z.string(),
    entries: z.array(ServerEntry),
    total: z.number().int().nonnegative(),
    /**
     * Whether the directory has more entries than the agent reads. `total` then counts only the entries that
     * the agent has read.
     */
    is_truncated: z.boolean(),
  }),
  /** The path cannot be listed. `reason` ends the sentence "The path …", without a period. */
  z.object({ outcome: z.literal("refused"), reason: z.string().max(4096) }),
]);
export type ServerBrowseResult = z.infer<typeof ServerBrowseResult>;

/** Requests the list of databases of a server that the agent can reach. Nothing is changed. */
export const ServerDatabases = z.object({
  kind: z.literal("server.databases"),
  /**
   * The fields mean the same as in a job. If `engine` is null, the agent finds out the type of the database
   * server.
   */
  login: DatabaseSource.pick({ engine: true, host: true, port: true, username: true, password: true }),
  /** System user that runs the database programs; null is the agent's own user. */
  run_as: z.string().nullable(),
});
export type ServerDatabases = z.infer<typeof ServerDatabases>;

/** A database that a task can back up. */
export const ServerDatabase = z.object({
  name: z.string().max(1024),
  /** Size in bytes; null if it is not known. */
  size: z.number().int().nonnegative().nullable(),
  /** Why a backup of the database would fail, in one line; null if no reason is known. */
  problem: z.string().max(4096).nullable(),
});
export type ServerDatabase = z.infer<typeof ServerDatabase>;

/** The parts of a database login that can be wrong. */
export const LOGIN_PARTS = ["engine", "host", "username", "password", "run_as"] as const;

export const ServerDatabasesResult = z.discriminatedUnion("outcome", [
  z.object({
    outcome: z.literal("listed"),
    engine: z.string().max(64),
    /** Description of the server and the login, for people. */
    server: z.string().max(4096),
    databases: z.array(ServerDatabase),
  }),
  /** The databases cannot be listed. `part` is the part of the login that a person should correct. */
  z.object({
    outcome: z.literal("refused"),
    part: z.enum(LOGIN_PARTS),
    /** One line that a person can act on. */
    reason: z.string().max(4096),
  }),
]);
export type ServerDatabasesResult = z.infer<typeof ServerDatabasesResult>;

/** Requests a list of everything on a server that could be backed up. The agent changes nothing. */
export const ServerInventory = z.object({
  kind: z.literal("server.inventory"),
  /** Password with which the agent logs in to the database servers on its machine; null for none. */
  password: z.string().nullable(),
});
export type ServerInventory = z.infer<typeof ServerInventory>;

/** Something on a server that could be backed up. */
const InventoryItem = z.object({
  kind: z.enum(INVENTORY_KINDS),
  /** Type of the database server; null for everything but databases. */
  engine: z.string().max(64).nullable(),
  name: z.string().max(4096),
  /** Absolute path; null for databases. */
  path: z.string().max(4096).nullable(),
  /** Mount point of the file system that contains the path; null for databases. */
  mount: z.string().max(4096).nullable(),
  /** Size in bytes; null if it takes long to find out. */
  size: z.number().int().nonnegative().nullable(),
});

export const ServerInventoryResult = z.object({
  items: z.array(InventoryItem).max(5000),
  /** Lines that say what is missing from `items`, and why. */
  notes: z.array(z.string().max(4096)).max(100),
});
export type ServerInventoryResult = z.infer<typeof ServerInventoryResult>;
