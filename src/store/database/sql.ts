/** The types of a database connection that every file of the store uses. */
import type postgres from "postgres";

/** A part of an SQL statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;
/** A pool or a transaction. Functions of the store accept both. */
export type Sql = postgres.Sql<{ bigint: number }> | postgres.TransactionSql<{ bigint: number }>;
/** A pool, which can also begin transactions and listen to notifications. */
export type Database = postgres.Sql<{ bigint: number }>;
