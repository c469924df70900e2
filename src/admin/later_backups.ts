/** Backups that lie in a place, and were made after the state that was recovered from it. */
import { adoptLaterBackups, type FoundBackup } from "../services/adoption.ts";
import type { Services } from "../services/context.ts";
import { backupPasswords, type KnownManifest, knownManifests, taskPlaces } from "../store/known_backups.ts";
import { digestOf, foundBackup } from "./found_backup.ts";
import type { FoundManifest } from "./manifests.ts";
import type { Passwords } from "./passwords.ts";
import type { Place } from "./place.ts";

/**
 * Enters those that no record knows, and says so. One that has no archive, or that no password fits, is left out.
 * @param loaded The control plane's own backup that the state is of.
 * @param userId The owner of those whose task is not known.
 */
export async function enterLaterBackups(
  services: Services,
  { place, say }: { place: Place; say: (line: string) => void },
  found: readonly FoundManifest[],
  loaded: FoundManifest,
  passwords: Passwords,
  userId: number,
): Promise<void> {
  const { database, keyring } = services;
  passwords.add((await backupPasswords(database)).map((sealed) => keyring.decrypt(sealed)));
  const records = new Map((await knownManifests(database)).map((known) => [known.sha256, known]));
  const recordOf = (each: FoundManifest) => records.get(digestOf(each.text).sha256);
  const siblings = found.flatMap((each) => {
    const record = recordOf(each);
    return record === undefined ? [] : [{ each, record }];
  });
  const directoryOf = moved(place, siblings[0]);
  const later: FoundBackup[] = [];
  for (const each of found) {
    if (recordOf(each) !== undefined) continue;
    const backup = await foundBackup(place, each, passwords, directoryOf(each));
    if (backup === null) say(`Left out ${each.name}: it names no archive`);
    else if (backup.record.encryption === "password" && backup.password === null) {
      say(
        `Left out ${each.name}: no password fits. Stock tools restore it; or begin again with an empty ` +
          "database, and its password in ENCRYPTION_PASSWORDS",
      );
    } else later.push(backup);
  }
  if (later.length === 0) return;
  const own = (await taskPlaces(database)).find(({ id }) => id === loaded.manifest.task.id);
  const destinations = siblings.map(({ record }) => record.backup_destination_id);
  if (own !== undefined) destinations.push(own.backup_destination_id);
  await adoptLaterBackups(services, userId, [...new Set(destinations)], later);
  say(
    `Entered ${later.length === 1 ? "1 backup" : `${later.length} backups`} of after that: ${named(later)}`,
  );
}

/** Where records have a directory: the files may have been copied elsewhere, and are read from there. */
function moved(
  place: Place,
  sibling: { each: FoundManifest; record: KnownManifest } | undefined,
): (found: FoundManifest) => string {
  const here = (found: FoundManifest) => place.directory(found.directory);
  if (sibling === undefined || here(sibling.each) === sibling.record.directory) return here;
  const [from, to] = differentStarts(here(sibling.each), sibling.record.directory);
  return (found) => {
    const directory = here(found);
    if (directory === from) return to;
    return directory.startsWith(`${from}/`) || from === ""
      ? [to, directory.slice(from.length).replace(/^\//, "")].filter((part) => part !== "").join("/")
      : directory;
  };
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
