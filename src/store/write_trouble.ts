/** Whether the database takes writes: what transactions came upon, until a write is seen to work. */
import { databaseTrouble } from "../domain/database_trouble.ts";
import { logger } from "../telemetry/logging.ts";
import type { Database } from "./database.ts";

const troubles = new WeakMap<Database, string>();

/** Keeps in mind, and logs once, what keeps the database from storing anything. */
export function noteWriteTrouble(database: Database, error: unknown): void {
  const trouble = databaseTrouble(error);
  if (trouble === null || !trouble.stopsWrites || troubles.get(database) === trouble.sentence) return;
  troubles.set(database, trouble.sentence);
  log().error(`${trouble.sentence} (${(error as Error).message})`);
}

/** Whether something kept the database from storing, and no write was seen to work since. */
export function hasWriteTrouble(database: Database): boolean {
  return troubles.has(database);
}

export function endWriteTrouble(database: Database): void {
  if (troubles.delete(database)) log().warn("The database stores again");
}

const log = () => logger("database");
