/**
 * Requests for which an agent reads a stored backup: to list its members, and to send an object or a member.
 */
import * as z from "zod";
import { BackupToRead } from "./job.ts";

/**
 * A presigned URL of an object, for GET requests with ranges. The agent gets this URL in a request that does
 * not belong to a run. So the agent cannot ask for another URL after this one has expired.
 */
export const SignedObject = z.object({
  name: z.string(),
  url: z.string(),
  expires_in_ms: z.number().positive(),
});
export type SignedObject = z.infer<typeof SignedObject>;

/**
 * Requests a list of the members directly below a directory. Directories come before other members. Both are
 * sorted by name. If `path` leads to a member that is not a directory, the list contains only this member.
 */
export const BackupBrowse = z.object({
  kind: z.literal("backup.browse"),
  backup: BackupToRead,
  /** URLs of the objects to read, if the destination is a bucket. Empty for other destinations. */
  signed: z.array(SignedObject),
  /** Path relative to the source's root, without `./`; empty for the root. */
  path: z.string(),
  offset: z.number().int().nonnegative(),
  limit: z.number().int().positive(),
  /**
   * Lists only members whose names contain this text, ignoring case. If absent, all members are listed. Since
   * protocol 3.
   */
  search: z.string().min(1).optional(),
});
export type BackupBrowse = z.infer<typeof BackupBrowse>;

export const BackupEntry = z.object({
  /**
   * Path in the same form as `path` in {@link BackupBrowse}. Bytes that are not UTF-8 are written as `\ooo`,
   * in octal.
   */
  path: z.string(),
  type: z.enum(["file", "directory", "symlink", "hardlink", "fifo", "character_device", "block_device"]),
  /** Size in bytes; 0 for members without a size. */
  size: z.number().int().nonnegative(),
  /** Permissions as four octal digits. */
  mode: z.string().regex(/^[0-7]{4}$/),
  uid: z.number().int().nonnegative(),
  gid: z.number().int().nonnegative(),
  /**
   * Time of the last modification in ISO 8601 UTC, in whole seconds. A year beyond 9999 or before 0 has a
   * sign and six digits. Empty if a `Date` cannot represent the time.
   */
  modified_at: z.string(),
  link_target: z.string().nullable(),
});
export type BackupEntry = z.infer<typeof BackupEntry>;

export const BackupBrowseResult = z.discriminatedUnion("found", [
  z.object({
    found: z.literal(true),
    entries: z.array(BackupEntry),
    total: z.number().int().nonnegative(),
    /**
     * Number of unreadable lines in the index; absent if there are none. Each of these lines might describe a
     * member that is not listed.
     */
    unlisted: z.number().int().positive().optional(),
  }),
  z.object({ found: z.literal(false) }),
]);
export type BackupBrowseResult = z.infer<typeof BackupBrowseResult>;

/** Maximum number of backups in one {@link BackupFind}, so that its frame is not too long. */
export const MAX_FOUND_BACKUPS = 50;

/**
 * Searches several backups for members whose names match a pattern. Since protocol 6. The request does not
 * fail if a backup's index cannot be searched.
 */
export const BackupFind = z.object({
  kind: z.literal("backup.find"),
  /** The backups to search, the newest first. Each backup names no object but its index. */
  backups: z.array(BackupToRead).min(1).max(MAX_FOUND_BACKUPS),
  signed: z.array(SignedObject),
  /**
   * A text or a glob. Case is ignored. A text matches every name that contains it. A glob matches whole
   * names. A text or glob without a slash is compared with the member's own name. One with a slash is
   * compared with the member's whole path.
   */
  pattern: z.string().min(1),
  /** Maximum number of paths in the response. */
  limit: z.number().int().positive(),
  /**
   * Maximum duration of the search in milliseconds. After this time, the agent responds with what it has
   * found. The request's timeout is longer.
   */
  time_limit_ms: z.number().positive(),
});
export type BackupFind = z.infer<typeof BackupFind>;

/** One version of a member: the backups that contain the member with the same type, size and time. */
export const FoundVersion = z.object({
  type: BackupEntry.shape.type,
  size: BackupEntry.shape.size,
  /** Time of the last modification as in {@link BackupEntry}, but with up to nine decimals of a second. */
  modified_at: BackupEntry.shape.modified_at,
  /** Ids of the backups, the newest first. */
  backups: z.array(z.number().int()).min(1),
});
export type FoundVersion = z.infer<typeof FoundVersion>;

export const BackupFindResult = z.object({
  /**
   * The paths that match, in sorted order. The first of a path's `versions` is the one in the newest backup.
   */
  hits: z.array(z.object({ path: z.string(), versions: z.array(FoundVersion).min(1) })),
  /** Whether more paths match than the response lists. The response prefers paths in the newest backups. */
  truncated: z.boolean(),
  /**
   * Number of unreadable index lines that contain the pattern. Each line might describe a member that matches
   * but is missing from `hits`.
   */
  unlisted: z.number().int().nonnegative(),
  /** Backups that were not searched, or not completely, and why. */
  failed: z.array(z.object({
    backup: z.number().int(),
    reason: z.string().max(4096),
    /** How the index is damaged, in one line. Sent only if the damage is certain. */
    damage: z.string().max(4096).optional(),
  })),
});
export type BackupFindResult = z.infer<typeof BackupFindResult>;

/**
 * A request to send bytes: either an object as it is stored, or the decrypted content of one regular file of
 * the backup. The agent sends the bytes to `/api/agent/streams/{stream}`.
 */
export const BackupSend = z.object({
  kind: z.literal("backup.send"),
  backup: BackupToRead,
  signed: z.array(SignedObject),
  what: z.discriminatedUnion("type", [
    z.object({ type: z.literal("object"), name: z.string() }),
    /**
     * Like `object`, but requested for a run on another server. The object's current size might differ from
     * the recorded size.
     */
    z.object({ type: z.literal("stored"), name: z.string() }),
    z.object({ type: z.literal("file"), path: z.string() }),
  ]),
  /**
   * Bytes to send; null for all. Normally `from` and `to` are the positions of the first and the last byte.
   * If `to` is null, the range ends with the last byte of the data. If `from` is null, `to` is a number of
   * bytes: the last `to` bytes are sent.
   */
  range: z.union([
    z.object({ from: z.number().int().nonnegative(), to: z.number().int().nonnegative().nullable() }),
    z.object({ from: z.null(), to: z.number().int().nonnegative() }),
  ]).nullable(),
  /** Id of the stream. The id is valid once, and only for the agent that receives this request. */
  stream: z.string().max(64),
});
export type BackupSend = z.infer<typeof BackupSend>;

/** Result of a {@link BackupSend}. `sent` means that the control plane has accepted the last byte. */
export const BackupSendResult = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("sent") }),
  z.object({ outcome: z.literal("missing") }),
  z.object({ outcome: z.literal("no_file"), type: z.string() }),
  z.object({ outcome: z.literal("unsatisfiable"), size: z.number().int().nonnegative() }),
  /**
   * Sent only if the request's `what.type` is `stored`. `message` says in one line why nothing of the object
   * can be read.
   */
  z.object({ outcome: z.literal("unreadable"), message: z.string().max(4096) }),
]);
export type BackupSendResult = z.infer<typeof BackupSendResult>;

/**
 * Name of a header of the agent's upload. The header contains the full size in bytes, even if the agent sends
 * only a range.
 */
export const STREAM_SIZE_HEADER = "x-stream-size";
