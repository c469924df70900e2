/**
 * What a dump holds, counted while it is made: a drill compares what comes back with it.
 *
 * A count has to be of the very moment that the dump is of, and may not cost what the dump costs. PostgreSQL lends its snapshot to
 * another connection, which counts there: the database's own word, and it stops where the dump is over first. MySQL lends none, and
 * a count before or after the dump would be another's: there the rows are counted in the dump itself, as it was stored.
 */
import * as z from "zod";

export const TableRows = z.object({
  /** PostgreSQL only. */
  schema: z.string().optional(),
  name: z.string(),
  /** Null: not counted. */
  rows: z.number().int().nonnegative().nullable(),
});
export type TableRows = z.infer<typeof TableRows>;

/** Of one database. Tables that hold rows of their own: no views, and of a partitioned table its partitions. */
export const DatabaseContents = z.object({
  tables: z.array(TableRows),
  /** PostgreSQL only. */
  large_objects: z.number().int().nonnegative().nullable().optional(),
});
export type DatabaseContents = z.infer<typeof DatabaseContents>;

/** Begun just before the dump. Ended by the run's end where it is not ended by {@link RowCounting.end}. */
export interface RowCounting {
  /** What the dump's command takes so that it is of the same moment. */
  readonly args: readonly string[];
  /** Takes the archive's compressed bytes; they may be reused once it resolves. Never rejects. */
  push?(chunk: Uint8Array): Promise<void>;
  /** Called when the dump has ended well. Null where nothing is known, which the output then tells. */
  end(): Promise<DatabaseContents | null>;
}

/** `schema.table`, for the output. */
export function tableName({ schema, name }: Pick<TableRows, "schema" | "name">): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

/** For the output: `5 tables with 52302 rows`. */
export function describeContents({ tables, large_objects }: DatabaseContents): string {
  const rows = tables.reduce((sum, each) => sum + (each.rows ?? 0), 0);
  const large = large_objects ? `, ${large_objects} large objects` : "";
  return `${tables.length} ${tables.length === 1 ? "table" : "tables"} with ${rows} rows${large}`;
}
