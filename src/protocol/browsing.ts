/** Requests that read a stored backup: listing its members, and sending an object or a member. */
import * as z from "zod";
import { BackupToRead } from "./job.ts";

/**
 * A presigned URL for GET requests, with ranges, until it expires. A request without a run can't ask for
 * another.
 */
export const SignedObject = z.object({
  name: z.string(),
  url: z.string(),
  expires_in_ms: z.number().positive(),
});
export type SignedObject = z.infer<typeof SignedObject>;

/**
 * Lists the members directly below a directory: directories first, then by name. If `path` is not a
 * directory, the result is that member alone.
 */
export const BackupBrowse = z.object({
  kind: z.literal("backup.browse"),
  backup: BackupToRead,
  /** URLs of the objects to read, if the destination is a bucket; else empty. */
  signed: z.array(SignedObject),
  /** Relative to the source's root, without `./`; empty: the root. */
  path: z.string(),
  offset: z.number().int().nonnegative(),
  limit: z.number().int().positive(),
  /**
   * Lists only members whose name contains this text, in any case. Since protocol 3. Left out: all members.
   */
  search: z.string().min(1).optional(),
});
export type BackupBrowse = z.infer<typeof BackupBrowse>;

export const BackupEntry = z.object({
  /** As `path` above. Bytes that are not UTF-8 are written as `\ooo`, in octal. */
  path: z.string(),
  type: z.enum(["file", "directory", "symlink", "hardlink", "fifo", "character_device", "block_device"]),
  /** Bytes; 0 for members without a size. */
  size: z.number().int().nonnegative(),
  /** Four octal digits. */
  mode: z.string().regex(/^[0-7]{4}$/),
  uid: z.number().int().nonnegative(),
  gid: z.number().int().nonnegative(),
  /**
   * ISO 8601 UTC, in whole seconds. A year beyond 9999 or before 0 has a sign and six digits. Empty if a
   * `Date` cannot represent it.
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
     * Number of unreadable lines of the index, each of which may be another member. Left out if there are
     * none.
     */
    unlisted: z.number().int().positive().optional(),
  }),
  z.object({ found: z.literal(false) }),
]);
export type BackupBrowseResult = z.infer<typeof BackupBrowseResult>;

/**
 * Sends an object as it is stored, or the decrypted content of one regular file of the backup, to
 * `/api/agent/streams/{stream}`.
 */
export const BackupSend = z.object({
  kind: z.literal("backup.send"),
  backup: BackupToRead,
  signed: z.array(SignedObject),
  what: z.discriminatedUnion("type", [
    z.object({ type: z.literal("object"), name: z.string() }),
    /**
     * An object that a run on another server reads. It is sent with its current size, which may differ from
     * the recorded one.
     */
    z.object({ type: z.literal("stored"), name: z.string() }),
    z.object({ type: z.literal("file"), path: z.string() }),
  ]),
  /**
   * Null: everything. `from` null: the last `to` bytes. `to` is the position of the last byte; null: to the
   * end.
   */
  range: z.union([
    z.object({ from: z.number().int().nonnegative(), to: z.number().int().nonnegative().nullable() }),
    z.object({ from: z.null(), to: z.number().int().nonnegative() }),
  ]).nullable(),
  /** Valid once, for the agent that receives this request. */
  stream: z.string().max(64),
});
export type BackupSend = z.infer<typeof BackupSend>;

/** `sent` once the last byte was accepted. */
export const BackupSendResult = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("sent") }),
  z.object({ outcome: z.literal("missing") }),
  z.object({ outcome: z.literal("no_file"), type: z.string() }),
  z.object({ outcome: z.literal("unsatisfiable"), size: z.number().int().nonnegative() }),
  /** For `stored`: one line that says why nothing of it can be read. */
  z.object({ outcome: z.literal("unreadable"), message: z.string().max(4096) }),
]);
export type BackupSendResult = z.infer<typeof BackupSendResult>;

/** A header of the agent's upload: the number of bytes without a range. */
export const STREAM_SIZE_HEADER = "x-stream-size";
