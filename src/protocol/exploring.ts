/** Requests about a server itself: which files and databases it has. Since protocol 7. */
import * as z from "zod";
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
  /** Whether the agent may read the entry. True for a symbolic link, because no link is followed. */
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
