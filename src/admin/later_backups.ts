/**
 * Imports newer backups after the control plane was recovered from one of its own backups. Newer backups are
 * those that were made after that one.
 */
import { type FoundBackup, importLaterBackups } from "../services/backups/import.ts";
import type { ServiceContext } from "../services/context.ts";
import {
  backupPasswords,
  type KnownManifest,
  knownManifests,
  taskLocations,
} from "../store/backups/known_backups.ts";
import { digestOf, foundBackups } from "./found_backup.ts";
import type { FoundManifest } from "./manifests.ts";
import type { Passwords } from "./passwords.ts";
import type { BackupRepository } from "./backup_repository.ts";

/** Tolerated clock skew between servers, in milliseconds. */
const CLOCK_SKEW = 3_600_000;

/** A repository from which a control plane has been recovered. */
export interface RecoveredRepository {
  readonly repository: BackupRepository;
  readonly found: readonly FoundManifest[];
  /** The backup of the control plane that was loaded into the database. */
  readonly loaded: FoundManifest;
  readonly passwords: Passwords;
  /** The user who becomes the owner of backups whose task is unknown. */
  readonly userId: number;
  print(line: string): void;
}

/**
 * Imports the repository's newer backups, which have no record in the database, and prints their names.
 * Leaves out a backup if its archive is missing, or if no known password decrypts it.
 */
export async function importNewerBackups(
  services: ServiceContext,
  { repository, found, loaded, passwords, userId, print }: RecoveredRepository,
): Promise<void> {
  const { database, keyring } = services;
  passwords.add((await backupPasswords(database)).map((sealed) => keyring.decrypt(sealed)));
  const records = new Map((await knownManifests(database)).map((known) => [known.sha256, known]));
  const known: KnownBackup[] = [];
  const unknown = new Map<string, FoundManifest[]>();
  for (const each of found) {
    const { sha256 } = digestOf(each.text);
    const record = records.get(sha256);
    if (record !== undefined) known.push({ each, record });
    else if (Date.parse(each.manifest.finished_at) >= Date.parse(loaded.manifest.started_at) - CLOCK_SKEW) {
      unknown.set(sha256, [...unknown.get(sha256) ?? [], each]);
    } else print(`Left out ${each.name}: it is older than the recovered state, which does not contain it`);
  }
  const leaveOut = (name: string, reason: string) => print(`Left out ${name}: ${reason}`);
  // Imports only one copy of a backup. Prefers a copy in a directory that the database has recorded for other
  // backups.
  const once = [...unknown.values()].map((copies) =>
    copies.find((copy) => isInRecordedDirectory(repository, copy, known)) ?? copies[0]!
  );
  const backups = await foundBackups(
    repository,
    once,
    passwords,
    leaveOut,
    (each) => recordedDirectory(repository, each, known),
  );
  const later = backups.filter(({ record, password }) => {
    if (record.encryption !== "password" || password !== null) return true;
    leaveOut(
      record.file_name,
      "no known password decrypts it. Restore it with stock tools, or start again with an empty database and its password in ENCRYPTION_PASSWORDS",
    );
    return false;
  });
  if (later.length === 0) return;
  const own = (await taskLocations(database)).find(({ id }) => id === loaded.manifest.task.id);
  const destinations = known.map(({ record }) => record.backup_destination_id);
  if (own !== undefined) destinations.push(own.backup_destination_id);
  await importLaterBackups(services, userId, [...new Set(destinations)], later);
  print(
    `Imported ${later.length === 1 ? "1 newer backup" : `${later.length} newer backups`}: ${named(later)}`,
  );
}

/** A backup with both a record in the database and a manifest in this repository. */
interface KnownBackup {
  each: FoundManifest;
  record: KnownManifest;
}

function isInRecordedDirectory(
  repository: BackupRepository,
  found: FoundManifest,
  known: readonly KnownBackup[],
): boolean {
  return known.some(({ each, record }) =>
    each.directory === found.directory && record.directory === repository.directory(found.directory)
  );
}

/**
 * Returns the directory to record for a backup. If the repository is a copy, this is the original directory,
 * in which the backup was stored. The original directory is derived from the records of the other backups in
 * this repository. If the repository is no copy, it is the directory in which the backup was found.
 */
function recordedDirectory(
  repository: BackupRepository,
  found: FoundManifest,
  known: readonly KnownBackup[],
): string {
  const here = repository.directory(found.directory);
  const moves = known.map(({ each, record }) =>
    differentStarts(repository.directory(each.directory), record.directory)
  );
  const [move] = moves
    .filter(([from]) => from === "" || here === from || here.startsWith(`${from}/`))
    .sort(([a], [b]) => b.length - a.length);
  if (move === undefined || move[0] === move[1]) return here;
  const inside = here.slice(move[0].length).replace(/^\//, "");
  return [move[1], inside].filter((part) => part !== "").join("/");
}

/** Removes the common end from two paths: `/a/x/y` and `/b/x/y` become `/a` and `/b`. */
function differentStarts(first: string, second: string): [string, string] {
  const [a, b] = [first.split("/"), second.split("/")];
  while (a.length > 0 && b.length > 0 && a.at(-1) === b.at(-1)) {
    a.pop();
    b.pop();
  }
  return [a.join("/"), b.join("/")];
}

const NAMED = 10;

function named(backups: readonly FoundBackup[]): string {
  const names = backups.slice(0, NAMED).map(({ record }) => record.file_name);
  return backups.length > NAMED ? `${names.join(", ")} …` : names.join(", ");
}
