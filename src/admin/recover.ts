/** Creates a new control plane from the newest backup of an old one, or from manifests. */
import { control_plane } from "../definitions/sources/control_plane.ts";
import { connectionOf, storedSettings } from "../definitions/destinations/settings.ts";
import type { Config } from "../config.ts";
import { ABILITIES } from "../domain/abilities.ts";
import type { Clock } from "../domain/clock.ts";
import { Network } from "../network/network.ts";
import { applyMigrations, connectControlDatabase } from "../process/control_database.ts";
import { missingKeys } from "../process/key_check.ts";
import { DataDirectory } from "../process/data_directory.ts";
import { loadKeyring, openKeyring } from "../process/secret_keys.ts";
import { importBackups } from "../services/backups/import.ts";
import { enterAudit, NO_ORIGIN } from "../services/access/audit_log.ts";
import type { ServiceContext } from "../services/context.ts";
import { createFirstAdministrator } from "../services/access/first_administrator.ts";
import { openServices } from "../process/control_plane.ts";
import { issueToken } from "../services/access/tokens.ts";
import { firstAdministratorId } from "../store/access/bootstrap.ts";
import type { Database } from "../store/database/sql.ts";
import { isEmptyDatabase, loadExport } from "../store/export/import.ts";
import { openEventBus } from "../store/database/event_bus.ts";
import { archiveFault, archiveLines } from "./archive.ts";
import { foundBackups } from "./found_backup.ts";
import { importNewerBackups } from "./later_backups.ts";
import { findManifests, type FoundManifest } from "./manifests.ts";
import { Passwords } from "./passwords.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { RecoveryError } from "./recovery_error.ts";

export interface Recovery {
  readonly repository: BackupRepository;
  readonly config: Config;
  readonly clock: Clock;
  readonly environment: Record<string, string>;
  /** The operator who requested the recovery, for the audit log. */
  readonly operator: string;
  print(line: string): void;
}

/**
 * Recovers the control plane. Resolves with a token for a new administrator. If anything is missing, rejects
 * and leaves the database empty.
 */
export async function recover(recovery: Recovery, how: "backup" | "manifests"): Promise<string> {
  const { config, clock, repository, print } = recovery;
  await using _directory = await DataDirectory.take(config.dataDirectory);
  await using opened = await connectControlDatabase(config, clock);
  const { database } = opened;
  if (!await isEmptyDatabase(database)) {
    throw new RecoveryError(
      "Cannot recover: the database is not empty. Set DATABASE_URL to an empty one, or set another DATA_DIR.",
    );
  }
  print(`Looking for manifests in ${repository.description}`);
  const found = await findManifests(repository, (path, reason) => print(`Left out ${path}: ${reason}`));
  const passwords = new Passwords(recovery.environment);
  return how === "backup"
    ? await recoverFromBackup(recovery, database, found, passwords)
    : await recoverFromManifests(recovery, database, found, passwords);
}

async function recoverFromBackup(
  recovery: Recovery,
  database: Database,
  found: readonly FoundManifest[],
  passwords: Passwords,
): Promise<string> {
  const { config, clock, repository, operator, print } = recovery;
  const keyring = await loadKeyring(config);
  if (keyring === null) {
    throw new RecoveryError(
      `Cannot recover: the secret key is missing (${config.secretKeyFile}). Put the file back, or set SECRET_KEY; ` +
        "without it, recover with --from-manifests.",
    );
  }
  const backup = await newestIntact(repository, found, print);
  print(`Loading ${backup.name}, of ${backup.manifest.finished_at}`);
  await loadExport(database, archiveLines(repository, backup, passwords), async (sql) => {
    const problem = await missingKeys(sql, keyring, config.lostKeyIds);
    if (problem === null) return;
    throw new RecoveryError(
      `Cannot recover: ${problem}. If that backup belongs to another control plane, set --from to the directory of your own. ` +
        "Without the key, recover with --from-manifests.",
    );
  });
  await applyMigrations(database, clock);
  const userId = await firstAdministratorId(database);
  if (userId === null) throw new RecoveryError("Cannot make a token: the backup holds no administrator");
  return await withServices({ config, clock, database, keyring }, async (services) => {
    const token = { userId, name: "Recovery", abilities: ABILITIES, expiresAt: null };
    await enterRecovery(services, operator);
    const { plain } = await issueToken(services, token);
    try {
      await importNewerBackups(services, { repository, found, loaded: backup, passwords, userId, print });
    } catch (error) {
      // The recovery itself has succeeded, so the operator still gets a token.
      print(`Cannot import newer backups: ${(error as Error).message}. Restore them with stock tools.`);
    }
    return plain;
  });
}

async function newestIntact(
  repository: BackupRepository,
  found: readonly FoundManifest[],
  print: (line: string) => void,
): Promise<FoundManifest> {
  for (const each of found.filter(({ manifest }) => manifest.source.type === control_plane.taskType)) {
    const fault = await archiveFault(repository, each);
    if (fault === null) return each;
    print(`Passed over ${each.name}: ${fault}`);
  }
  throw new RecoveryError(
    `Cannot recover: ${repository.description} contains no complete backup of a control plane. Use --from-manifests, which does not need one.`,
  );
}

async function recoverFromManifests(
  { config, clock, repository, operator, print }: Recovery,
  database: Database,
  found: readonly FoundManifest[],
  passwords: Passwords,
): Promise<string> {
  if (found.length === 0) {
    throw new RecoveryError(`Cannot recover: ${repository.description} contains no manifest`);
  }
  // Check that the control plane is allowed to connect to the endpoint, before anything is written to the
  // database.
  const { type, values } = repository.destination;
  const connection = connectionOf({ type, settings: storedSettings(type, values) });
  if (connection !== null) new Network(config.addressPolicy).check(connection.url);
  const leaveOut = (name: string, reason: string) => print(`Left out ${name}: ${reason}`);
  const backups = await foundBackups(repository, found, passwords, leaveOut);
  const closed = backups.filter(({ record, password }) =>
    record.encryption === "password" && password === null
  );
  if (closed.length > 0) {
    throw new RecoveryError(
      `Cannot recover: no known password decrypts ${
        closed.map(({ record }) => record.file_name).join(", ")
      }. ` +
        "Put the passwords into ENCRYPTION_PASSWORDS, one on each line, or move those backups elsewhere.",
    );
  }
  await applyMigrations(database, clock);
  const keyring = await openKeyring(config, database);
  return await withServices({ config, clock, database, keyring }, async (services) => {
    await enterRecovery(services, operator);
    const { userId, token } = (await createFirstAdministrator(services, null))!;
    // The server record of this machine gets the address 127.0.0.1, because the local agent searches for its
    // record by this address.
    const address = (hostname: string) => hostname === Deno.hostname() ? "127.0.0.1" : hostname;
    const { servers } = await importBackups(services, userId, repository.destination, backups, address);
    print(
      `Imported ${backups.length} backups of ${
        [...servers.keys()].join(", ")
      }. Enrol an agent on each server.`,
    );
    return token;
  });
}

async function enterRecovery(services: ServiceContext, operator: string): Promise<void> {
  await enterAudit(services, {
    actor: { type: "command", name: operator },
    action: "recover",
    result: "done",
    origin: NO_ORIGIN,
  });
}

async function withServices<T>(
  parts: {
    config: Config;
    clock: Clock;
    database: Database;
    keyring: Awaited<ReturnType<typeof openKeyring>>;
  },
  work: (services: ServiceContext) => Promise<T>,
): Promise<T> {
  const { config, clock, database, keyring } = parts;
  const bus = await openEventBus(database);
  try {
    using opened = openServices(config, { database, clock, keyring, bus });
    return await work(opened.services);
  } finally {
    await bus.close();
  }
}
