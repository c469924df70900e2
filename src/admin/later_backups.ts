/** Backups that lie in a repository, and were made after the state that was recovered from it. */
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

/** Servers' clocks may differ by so much. Milliseconds. */
const CLOCKS_APART = 3_600_000;

/**
 * Enters those that no record knows, and says so. One that has no archive, or that no password fits, is left
 * out.
 * @param loaded The control plane's own backup that the state is of.
 * @param userId The owner of those whose task is not known.
 */
export async function enterLaterBackups(
  services: ServiceContext,
  { repository, print }: { repository: BackupRepository; print: (line: string) => void },
  found: readonly FoundManifest[],
  loaded: FoundManifest,
  passwords: Passwords,
  userId: number,
): Promise<void> {
  const { database, keyring } = services;
  passwords.add((await backupPasswords(database)).map((sealed) => keyring.decrypt(sealed)));
  const records = new Map((await knownManifests(database)).map((known) => [known.sha256, known]));
  const known: KnownHere[] = [];
  const unknown = new Map<string, FoundManifest[]>();
  for (const each of found) {
    const { sha256 } = digestOf(each.text);
    const record = records.get(sha256);
    if (record !== undefined) known.push({ each, record });
    else if (Date.parse(each.manifest.finished_at) >= Date.parse(loaded.manifest.started_at) - CLOCKS_APART) {
      unknown.set(sha256, [...unknown.get(sha256) ?? [], each]);
    } else print(`Left out ${each.name}: the state is newer, and does not know it`);
  }
  const leaveOut = (name: string, reason: string) => print(`Left out ${name}: ${reason}`);
  // Copies of one backup are one: that beside what is known where it was made, if there is one.
  const once = [...unknown.values()].map((copies) =>
    copies.find((copy) => isAtHome(repository, copy, known)) ?? copies[0]!
  );
  const backups = await foundBackups(
    repository,
    once,
    passwords,
    leaveOut,
    (each) => homeOf(repository, each, known),
  );
  const later = backups.filter(({ record, password }) => {
    if (record.encryption !== "password" || password !== null) return true;
    leaveOut(
      record.file_name,
      "no password fits. Stock tools restore it; or begin again with an empty database, and its password in ENCRYPTION_PASSWORDS",
    );
    return false;
  });
  if (later.length === 0) return;
  const own = (await taskLocations(database)).find(({ id }) => id === loaded.manifest.task.id);
  const destinations = known.map(({ record }) => record.backup_destination_id);
  if (own !== undefined) destinations.push(own.backup_destination_id);
  await importLaterBackups(services, userId, [...new Set(destinations)], later);
  print(
    `Entered ${later.length === 1 ? "1 backup" : `${later.length} backups`} of after that: ${named(later)}`,
  );
}

/** A backup that is on record, and its manifest in this repository. */
interface KnownHere {
  each: FoundManifest;
  record: KnownManifest;
}

function isAtHome(repository: BackupRepository, found: FoundManifest, known: readonly KnownHere[]): boolean {
  return known.some(({ each, record }) =>
    each.directory === found.directory && record.directory === repository.directory(found.directory)
  );
}

/**
 * Where records have its directory: the files may have been copied elsewhere, several times, and are read
 * from there.
 */
function homeOf(repository: BackupRepository, found: FoundManifest, known: readonly KnownHere[]): string {
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

/** Two paths without the directories that both end with. */
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
