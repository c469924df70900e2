/** Checks whether this process can serve requests. */
import { UnavailableError } from "../../domain/errors.ts";
import { databaseTrouble, UNREACHABLE_MESSAGE } from "../../domain/database/database_trouble.ts";
import { readMigrations, schemaVersion } from "../../store/database/migrate.ts";
import { writeTrouble } from "../../store/database/write_probe.ts";
import type { ServiceContext } from "../context.ts";

/** Time limit for the database's response, in milliseconds. */
const DATABASE_TIMEOUT = 2_000;

/**
 * Throws an `UnavailableError` with the reason if this process is not ready: it is stopping, a loop has
 * stalled, or the database is unavailable or lacks migrations.
 */
export async function checkReady(services: ServiceContext): Promise<void> {
  const { health } = services;
  if (health.isStopping) throw new UnavailableError(health.problem()!);
  const expected = (await readMigrations(new URL("../../../migrations", import.meta.url))).length;
  const timer = new AbortController();
  const version = connectedVersion(services).catch(toUnavailable);
  const patience = services.clock.sleep(DATABASE_TIMEOUT, timer.signal).then(toUnavailable, () => 0);
  const found = await Promise.race([version, patience]).finally(() => timer.abort());
  if (found < expected) {
    throw new UnavailableError(
      `The database has ${found} of ${expected} migrations; the control plane applies the rest when it starts.`,
    );
  }
  const problem = health.problem();
  if (problem !== null) throw new UnavailableError(problem);
}

async function connectedVersion({ bus, database }: ServiceContext): Promise<number> {
  const [version, problem] = await Promise.all([schemaVersion(database), bus.problem()]);
  const trouble = problem ?? await writeTrouble(database);
  if (trouble !== null) throw new UnavailableError(trouble);
  return version;
}

function toUnavailable(cause: unknown): never {
  if (cause instanceof UnavailableError) throw cause;
  const sentence = databaseTrouble(cause)?.sentence ?? UNREACHABLE_MESSAGE;
  const error = new UnavailableError(
    sentence === UNREACHABLE_MESSAGE
      ? "The database does not answer; check DATABASE_URL and the server."
      : sentence,
  );
  error.cause = cause;
  throw error;
}
