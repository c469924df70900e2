/** Counts of a restore: the requested and the written files, directories and bytes. */
import * as z from "zod";

const count = z.number().int().nonnegative();

/**
 * Amounts of data. An amount is null if it is not known, or if this type of source does not have such data.
 * For example, a database has no files.
 */
export const Amounts = z.object({
  /** Number of members that are not directories. */
  files_count: count.nullable(),
  directories_count: count.nullable(),
  /** Sum of the sizes of the files, in bytes. */
  bytes: count.nullable(),
  databases_count: count.nullable(),
  /** Number of rows in the databases. */
  rows_count: count.nullable(),
});
export type Amounts = z.infer<typeof Amounts>;

/** Maximum number of targets in a report. */
export const MAX_REPORTED = 100;

export const RestoreReport = z.object({
  requested: Amounts,
  written: Amounts,
  /** Number of files and directories that were asked for and could not be written. */
  skipped_count: count,
  /**
   * The paths that were written, or the names of the databases that were written. Only the first ones are
   * listed.
   */
  targets: z.array(z.string().max(8192)).max(MAX_REPORTED),
  targets_count: count,
});
export type RestoreReport = z.infer<typeof RestoreReport>;
