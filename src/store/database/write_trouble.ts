/**
 * Remembers whether the database refuses writes. This trouble begins when a transaction fails because the
 * database refuses all writes. It ends when a write succeeds.
 */
import { databaseTrouble } from "../../domain/database/database_trouble.ts";
import { logger } from "../../telemetry/logging.ts";
import type { Database } from "./sql.ts";

const troubles = new WeakMap<Database, string>();

/** Records an error that prevents all writes, and logs it once. Ignores other errors. */
export function recordWriteTrouble(database: Database, error: unknown): void {
  const trouble = databaseTrouble(error);
  if (trouble === null || !trouble.stopsWrites || troubles.get(database) === trouble.sentence) return;
  troubles.set(database, trouble.sentence);
  log().error(`${trouble.sentence} (${(error as Error).message})`);
}

/** Returns whether an error prevented writes and no write has succeeded since. */
export function hasWriteTrouble(database: Database): boolean {
  return troubles.has(database);
}

export function endWriteTrouble(database: Database): void {
  if (troubles.delete(database)) log().warn("The database stores again");
}

const log = () => logger("database");
