/** Opens the control plane's database while control planes may be using it. */
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import {
  connectControlDatabase,
  type ControlDatabase,
  joinControlDatabase,
} from "../process/control_database.ts";
import { DataDirectory } from "../process/data_directory.ts";
import { StartError } from "../process/start_error.ts";
import { readMigrations, schemaVersion } from "../store/database/migrate.ts";

const MIGRATIONS = new URL("../../migrations", import.meta.url);

/**
 * Connects to the database without changing it. If no control plane runs, starts an embedded database;
 * disposing of the result stops that database.
 */
export async function joinDatabase(config: Config, clock: Clock): Promise<ControlDatabase> {
  await using stack = new AsyncDisposableStack();
  const { database } = stack.use(await open(config, clock, stack));
  const known = (await readMigrations(MIGRATIONS)).length;
  const found = await schemaVersion(database);
  if (found !== known) {
    throw new StartError(
      `Cannot use the database: it has migration ${found}, this version is for ${known}; ` +
        (found > known ? "update this program" : "start the control plane of this version first"),
    );
  }
  const parts = stack.move();
  return { database, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/**
 * Returns whether an embedded database exists in the data directory. Commands need to know this, because
 * they must not create a database unless an operator asks for it.
 */
export async function holdsDatabase({ dataDirectory }: Config): Promise<boolean> {
  return await Deno.stat(join(dataDirectory, "postgres")).then(() => true, () => false);
}

async function open(config: Config, clock: Clock, stack: AsyncDisposableStack): Promise<ControlDatabase> {
  if (config.databaseUrl !== null) return await connectControlDatabase(config, clock);
  if (!await holdsDatabase(config)) {
    throw new StartError(
      `Cannot use the database: DATABASE_URL is not set, and ${config.dataDirectory} holds no embedded database. ` +
        "Set DATABASE_URL or DATA_DIR as the control plane has them",
    );
  }
  const directory = await DataDirectory.take(config.dataDirectory).catch((error) => {
    if (error instanceof StartError) return null;
    throw error;
  });
  if (directory === null) return await joinControlDatabase(config, clock);
  stack.use(directory);
  return await connectControlDatabase(config, clock);
}
