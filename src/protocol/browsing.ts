/** What an agent is asked of the inside of a stored backup. */
import * as z from "zod";
import { BackupToRead } from "./job.ts";

/** Answers GET, with ranges, until it expires: a question has no run to ask for another. */
export const SignedObject = z.object({
  name: z.string(),
  url: z.string(),
  expires_in_ms: z.number().positive(),
});
export type SignedObject = z.infer<typeof SignedObject>;

/**
 * The members directly below a directory: directories first, then by name. A path that is none gives itself.
 */
export const BackupBrowse = z.object({
  kind: z.literal("backup.browse"),
  backup: BackupToRead,
  /** Of what is read, where the destination is a bucket; else empty. */
  signed: z.array(SignedObject),
  /** Relative to the source's root, without `./`; empty: the root. */
  path: z.string(),
  offset: z.number().int().nonnegative(),
  limit: z.number().int().positive(),
  /**
   * Lists only members whose name contains this text, in any case. Since protocol 3; left out: all members.
   */
  search: z.string().min(1).optional(),
});
export type BackupBrowse = z.infer<typeof BackupBrowse>;

export const BackupEntry = z.object({
  /** As `path` above. Bytes that are not UTF-8 stand as `\ooo`, in octal. */
  path: z.string(),
  type: z.enum(["file", "directory", "symlink", "hardlink", "fifo", "character_device", "block_device"]),
  /** Bytes; 0 for what has none. */
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
 * The bytes of an object as it lies there, or of one regular file from inside, opened: sent to
 * `/api/agent/streams/{stream}`.
 */
export const BackupSend = z.object({
  kind: z.literal("backup.send"),
  backup: BackupToRead,
  signed: z.array(SignedObject),
  what: z.discriminatedUnion("type", [
    z.object({ type: z.literal("object"), name: z.string() }),
    /**
     * The same for a run that reads it back: of the size that it has now, which may not be the one that was
     * stored.
     */
    z.object({ type: z.literal("stored"), name: z.string() }),
    z.object({ type: z.literal("file"), path: z.string() }),
  ]),
  /**
   * Null: all. `from` null: the last `to` bytes. `to` null: up to the end; else the position of the last
   * byte.
   */
  range: z.union([
    z.object({ from: z.number().int().nonnegative(), to: z.number().int().nonnegative().nullable() }),
    z.object({ from: z.null(), to: z.number().int().nonnegative() }),
  ]).nullable(),
  /** Good once, for the agent that was asked. */
  stream: z.string().max(64),
});
export type BackupSend = z.infer<typeof BackupSend>;

/** `sent` once the last byte was taken. */
export const BackupSendResult = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("sent") }),
  z.object({ outcome: z.literal("missing") }),
  z.object({ outcome: z.literal("no_file"), type: z.string() }),
  z.object({ outcome: z.literal("unsatisfiable"), size: z.number().int().nonnegative() }),
  /** Of `stored`: one line that says why no byte of it can be read. */
  z.object({ outcome: z.literal("unreadable"), message: z.string().max(4096) }),
]);
export type BackupSendResult = z.infer<typeof BackupSendResult>;

/** Of the bytes' request: how many there are without a range. */
export const STREAM_SIZE_HEADER = "x-stream-size";
