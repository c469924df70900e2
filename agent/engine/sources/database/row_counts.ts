/**
 * Defines the contents of a dump, and how they are counted while the dump is made. A drill compares the
 * contents with the restored database. A count must describe the same moment as the dump, and must cost less
 * than the dump.
 *
 * For PostgreSQL, a second connection uses the dump's snapshot and counts the rows with SQL. The counting
 * stops soon after the dump has ended.
 *
 * MySQL cannot share a snapshot. A count before or after the dump would not describe the same moment. So the
 * rows are counted in the stored dump.
 */
import * as z from "zod";

export const TableRows = z.object({
  /** Name of the schema, for PostgreSQL only. */
  schema: z.string().optional(),
  name: z.string(),
  /** Number of rows; null if they were not counted. */
  rows: z.number().int().nonnegative().nullable(),
});
export type TableRows = z.infer<typeof TableRows>;

/**
 * A foreign key that might refer to rows that the task excludes. So a restore creates the key without
 * checking the existing rows.
 */
export const UncheckedForeignKey = z.object({
  /** Quoted name of the table, with its schema. */
  table: z.string(),
  name: z.string(),
  /** SQL that follows the name in `ALTER TABLE … ADD CONSTRAINT name …`. */
  definition: z.string(),
});
export type UncheckedForeignKey = z.infer<typeof UncheckedForeignKey>;

export const DatabaseContents = z.object({
  /**
   * The tables that store rows themselves, including empty tables. Views are left out. A partitioned table is
   * replaced by its partitions. Undefined if nothing was counted.
   */
  tables: z.array(TableRows).optional(),
  /** Number of large objects, for PostgreSQL only; null if they were not counted. */
  large_objects: z.number().int().nonnegative().nullable().optional(),
  /**
   * Names of all objects that the fields above do not contain, in one sorted list for each type of object,
   * such as `view`. The names do not contain the name of the database.
   */
  objects: z.record(z.string(), z.array(z.string())).optional(),
  /**
   * Contents that a drill cannot compare: descriptions such as `positions of sequences`, and types of
   * {@link DatabaseContents.objects}.
   */
  not_compared: z.array(z.string()).optional(),
  /** Properties of the database itself, in the format of its engine. */
  properties: z.looseObject({}).optional(),
  /** Foreign keys to rows that the task excludes, for PostgreSQL only. */
  unchecked_foreign_keys: z.array(UncheckedForeignKey).optional(),
});
export type DatabaseContents = z.infer<typeof DatabaseContents>;

/**
 * A count of rows that begins just before the dump. The count stops when {@link RowCounting.end} is called,
 * and at the latest when the run ends.
 */
export interface RowCounting {
  /** Arguments that make the dump program read the same snapshot as the count. */
  readonly args: readonly string[];
  /**
   * Counts the rows in a chunk of the compressed archive. Never rejects. After the promise has resolved, the
   * caller can reuse the chunk's memory.
   */
  push?(chunk: Uint8Array): Promise<void>;
  /**
   * Ends the count and returns the contents. Called after the dump has succeeded. If the contents could not
   * be determined, writes the reason to the output and returns null.
   */
  end(): Promise<DatabaseContents | null>;
}

/** Returns a table's name for the output, as `schema.table` if it has a schema. */
export function tableName({ schema, name }: Pick<TableRows, "schema" | "name">): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

/** Returns a summary for the output, such as `5 tables with 52302 rows`. */
export function describeContents({ tables = [], large_objects, objects = {} }: DatabaseContents): string {
  const rows = tables.reduce((sum, each) => sum + (each.rows ?? 0), 0);
  const large = large_objects ? `, ${large_objects} large objects` : "";
  const others = Object.values(objects).reduce((sum, names) => sum + names.length, 0);
  const other = others === 0 ? "" : `, ${others} other objects and properties`;
  return `${tables.length} ${tables.length === 1 ? "table" : "tables"} with ${rows} rows${large}${other}`;
}
