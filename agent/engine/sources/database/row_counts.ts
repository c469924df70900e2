/**
 * What a dump holds, counted while it is made: a drill compares what comes back with it.
 *
 * A count has to be of the very moment that the dump is of, and may not cost what the dump costs. PostgreSQL
 * lends its snapshot to another connection, which counts there: the database's own word, and it stops where
 * the dump is over first. MySQL lends none, and a count before or after the dump would be another's: there
 * the rows are counted in the dump itself, as it was stored.
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

/**
 * Foreign key whose rows may refer to rows that the task leaves out. It is restored without checking its
 * rows.
 */
export const UncheckedForeignKey = z.object({
  /** Quoted, with its schema. */
  table: z.string(),
  name: z.string(),
  /** As in `ALTER TABLE … ADD CONSTRAINT name …`. */
  definition: z.string(),
});
export type UncheckedForeignKey = z.infer<typeof UncheckedForeignKey>;

/** Contents of one database. */
export const DatabaseContents = z.object({
  /**
   * Tables that hold rows of their own: no views, and the partitions of a partitioned table instead of the
   * table itself. Left out where nothing was counted.
   */
  tables: z.array(TableRows).optional(),
  /** PostgreSQL only. */
  large_objects: z.number().int().nonnegative().nullable().optional(),
  /** Names of every other object by its kind, `view` for example, sorted; without the database's own name. */
  objects: z.record(z.string(), z.array(z.string())).optional(),
  /**
   * Phrases that say what a drill can't compare: `positions of sequences`, or a kind of
   * {@link DatabaseContents.objects}.
   */
  not_compared: z.array(z.string()).optional(),
  /** Properties of the database itself, in its engine's own words. */
  properties: z.looseObject({}).optional(),
  /** PostgreSQL only. */
  unchecked_foreign_keys: z.array(UncheckedForeignKey).optional(),
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
export function describeContents({ tables = [], large_objects, objects = {} }: DatabaseContents): string {
  const rows = tables.reduce((sum, each) => sum + (each.rows ?? 0), 0);
  const large = large_objects ? `, ${large_objects} large objects` : "";
  const others = Object.values(objects).reduce((sum, names) => sum + names.length, 0);
  const beside = others === 0 ? "" : `, ${others} other objects and properties`;
  return `${tables.length} ${tables.length === 1 ? "table" : "tables"} with ${rows} rows${large}${beside}`;
}
