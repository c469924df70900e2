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

/** The members directly below a directory: directories first, then by name. A path that is none gives itself. */
export const BackupBrowse = z.object({
  kind: z.literal("backup.browse"),
  backup: BackupToRead,
  /** Of what is read, where the destination is a bucket; else empty. */
  signed: z.array(SignedObject),
  /** Relative to the source's root, without `./`; empty: the root. */
  path: z.string(),
  offset: z.number().int().nonnegative(),
  limit: z.number().int().positive(),
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
  /** ISO 8601 UTC, whole seconds. */
  modified_at: z.string(),
  link_target: z.string().nullable(),
});
export type BackupEntry = z.infer<typeof BackupEntry>;

export const BackupBrowseResult = z.discriminatedUnion("found", [
  z.object({ found: z.literal(true), entries: z.array(BackupEntry), total: z.number().int().nonnegative() }),
  z.object({ found: z.literal(false) }),
]);
export type BackupBrowseResult = z.infer<typeof BackupBrowseResult>;
