/** The types of a database that every store file uses. */
import type postgres from "postgres";

/** A part of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;
/** A pool, or a transaction of it: store functions take either. */
export type Sql = postgres.Sql<{ bigint: number }> | postgres.TransactionSql<{ bigint: number }>;
/** The pool itself, which can begin transactions and listen. */
export type Database = postgres.Sql<{ bigint: number }>;
