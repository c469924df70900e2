/**
 * Contents of a dump, counted while it is made: a drill compares them with the restored database.
 *
 * A count must be of the same moment as the dump, and must cost less than the dump. PostgreSQL shares the
 * dump's snapshot with another connection, which counts there with SQL. It stops if the dump ends first.
 * MySQL cannot share a snapshot, and a count before or after the dump would differ from it. So its rows are
 * counted in the stored dump itself.
 */
import * as z from "zod";

export const TableRows = z.object({
  /** PostgreSQL only. */
  schema: z.string().optional(),
  name: z.string(),
  /** Null if not counted. */
  rows: z.number().int().nonnegative().nullable(),
});
export type TableRows = z.infer<typeof TableRows>;

/**
 * Foreign key whose rows may refer to rows that the task leaves out. It is restored without checking its
 * rows.
 */
export const UncheckedForeignKey = z.object({
  /** Quoted, with its schema. */
  table: z.string(),
  name: z.string(),
  /** In the form of `ALTER TABLE … ADD CONSTRAINT name …`. */
  definition: z.string(),
});
export type UncheckedForeignKey = z.infer<typeof UncheckedForeignKey>;

/** Contents of one database. */
export const DatabaseContents = z.object({
  /**
   * Tables with rows of their own: no views, and the partitions of a partitioned table instead of the table
   * itself. Missing if nothing was counted.
   */
  tables: z.array(TableRows).optional(),
  /** PostgreSQL only. */
  large_objects: z.number().int().nonnegative().nullable().optional(),
  /**
   * Names of all other objects by kind, such as `view`, sorted. They do not include the database's own name.
   */
  objects: z.record(z.string(), z.array(z.string())).optional(),
  /**
   * Phrases that say what a drill cannot compare: `positions of sequences`, or a kind of {@link
   * DatabaseContents.objects}.
   */
  not_compared: z.array(z.string()).optional(),
  /** Properties of the database itself, in its engine's own terms. */
  properties: z.looseObject({}).optional(),
  /** PostgreSQL only. */
  unchecked_foreign_keys: z.array(UncheckedForeignKey).optional(),
});
export type DatabaseContents = z.infer<typeof DatabaseContents>;

/** Count that begins just before the dump. It ends with the run if {@link RowCounting.end} is not called. */
export interface RowCounting {
  /** Arguments with which the dump's command reads the same snapshot. */
  readonly args: readonly string[];
  /** Counts rows in the archive's compressed bytes, which may be reused once it resolves. Never rejects. */
  push?(chunk: Uint8Array): Promise<void>;
  /**
   * Returns the contents. Called after the dump has succeeded. If nothing is known, returns null and writes
   * the reason to the output.
   */
  end(): Promise<DatabaseContents | null>;
}

/** Returns `schema.table`, for the output. */
export function tableName({ schema, name }: Pick<TableRows, "schema" | "name">): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

/** Returns `5 tables with 52302 rows`, for the output. */
export function describeContents({ tables = [], large_objects, objects = {} }: DatabaseContents): string {
  const rows = tables.reduce((sum, each) => sum + (each.rows ?? 0), 0);
  const large = large_objects ? `, ${large_objects} large objects` : "";
  const others = Object.values(objects).reduce((sum, names) => sum + names.length, 0);
  const other = others === 0 ? "" : `, ${others} other objects and properties`;
  return `${tables.length} ${tables.length === 1 ? "table" : "tables"} with ${rows} rows${large}${other}`;
}
