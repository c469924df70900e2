/** Backup destinations: where backups are stored. */
import type { SettingValue } from "../../definitions/destinations/definition.ts";
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import { definitionOf, type DestinationType } from "../../definitions/destinations/registry.ts";
import {
  ALL_FIELDS,
  connectionOf,
  type FieldValues,
  isSameStorage,
  missingFields,
  movedSettings,
  sentNames,
  storedSecrets,
  storedSettings,
  type TypedSettings,
} from "../../definitions/destinations/settings.ts";
import { fieldWords } from "../../definitions/formats/says.ts";
import { ConflictError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import { movedDirectory } from "../../domain/location.ts";
import type { PageWindow } from "../../domain/page.ts";
import { AddressRefusedError, type Network } from "../../network/network.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { PrivateKeyError, usablePrivateKey } from "../../secrets/private_key.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import {
  type BackupDestinationFilter,
  type BackupDestinationRow,
  countDestinationUses,
  findBackupDestinationOf,
  insertBackupDestination,
  listBackupDestinations as listRows,
  lockBackupDestination,
  moveStoredObjects,
  updateBackupDestination as updateRow,
} from "../../store/destinations/backup_destinations.ts";
import { clearSpace } from "../../store/destinations/destination_space.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";

export type { BackupDestinationRow };

/** Changes of a destination. The request's schema has already checked the formats. */
export interface BackupDestinationInput {
  readonly label?: string | undefined;
  readonly type?: DestinationType | undefined;
  /** New values by field; null clears an optional field. */
  readonly values: FieldValues;
}
export type NewBackupDestinationInput = BackupDestinationInput & Pick<BackupDestinationRow, "label" | "type">;

const RESOURCE = "Backup destination";

export async function createBackupDestination(
  services: ServiceContext,
  caller: Caller,
  input: NewBackupDestinationInput,
): Promise<BackupDestinationRow> {
  const { label, type } = input;
  const destination = { label, type, ...complete(type, await stored(services.keyring, input.values)) };
  refuseConnection(services.network, destination);
  return await transaction(services.database, async (sql) => {
    const id = await insertBackupDestination(sql, caller, destination, services.clock.now());
    recordCreated(id);
    return (await findBackupDestinationOf(sql, caller.workspaceId, id))!;
  });
}

/**
 * Changes only the fields that `input` names, and returns the destination. A new type clears the settings of
 * the old type.
 *
 * @param objectsMoved The caller confirms that all stored objects exist under the new settings.
 */
export async function updateBackupDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
  input: BackupDestinationInput,
  objectsMoved = false,
): Promise<BackupDestinationRow> {
  const changed = await stored(services.keyring, input.values);
  return await transaction(services.database, async (sql) => {
    const before = await lockBackupDestination(sql, caller.workspaceId, id);
    if (before === undefined) throw new NotFoundError(RESOURCE);
    const type = input.type ?? before.type;
    const after = {
      label: input.label ?? before.label,
      type,
      ...complete(type, {
        settings: { ...before.settings, ...changed.settings },
        secrets: { ...before.secrets, ...changed.secrets },
      }),
    };
    refuseConnection(services.network, after, changed.settings);
    if (!isSameStorage(before.type, type)) {
      const { backups, runs, uploads } = await countDestinationUses(sql, id);
      refuseWhile(
        backups,
        "backup",
        "holds",
        "Create a new destination for the other type, or delete them first.",
      );
      refuseWhile(runs + uploads, "run", "is written to by", "Change its type when they have finished.");
    } else await keepObjectsFindable(sql, before, after, objectsMoved);
    await updateRow(sql, id, after, services.clock.now());
    if (leadsElsewhere(before, after)) await clearSpace(sql, id);
    return (await findBackupDestinationOf(sql, caller.workspaceId, id))!;
  });
}

/**
 * Refuses to change a destination's location while a run writes to it. Also refuses while the old location
 * holds objects or uploads, unless the caller confirms that the objects were moved. If the caller
 * confirms this, updates the recorded directories of the backups.
 */
async function keepObjectsFindable(
  sql: Sql,
  before: BackupDestinationRow,
  after: TypedSettings,
  objectsMoved: boolean,
): Promise<void> {
  const [base, next] = [destinationDirectory(before, null), destinationDirectory(after, null)];
  const settings = movedSettings(before, after);
  const isMoved = settings.length > 0 || objectsMoved && base !== next;
  if (!isMoved) return;
  const { backups, leftovers, runs, uploads } = await countDestinationUses(sql, before.id);
  refuseWhile(runs, "run", "is written to by", "Change where it leads when they have finished.");
  if (objectsMoved) {
    return await moveStoredObjects(sql, before.id, (directory) => movedDirectory(directory, base, next));
  }
  const way =
    `Its backups could not be found with another ${
      settings.join(" and ")
    }. Make a new destination, or copy ` +
    "everything there first and send objects_moved: true.";
  refuseWhile(backups, "backup", "holds", way);
  refuseWhile(leftovers, "object", "is still cleared of", way);
  refuseWhile(uploads, "run", "is still cleared of the uploads of", way);
}

function leadsElsewhere(before: TypedSettings, after: TypedSettings): boolean {
  return before.type !== after.type || movedSettings(before, after).length > 0 ||
    destinationDirectory(before, null) !== destinationDirectory(after, null);
}

export async function showBackupDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDestinationRow> {
  const row = await findBackupDestinationOf(services.database, caller.workspaceId, id);
  if (row === undefined) throw new NotFoundError(RESOURCE);
  return row;
}

export function listBackupDestinations(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  filter: BackupDestinationFilter & ListOrder = {},
): Promise<Page<BackupDestinationRow>> {
  return listRows(services.database, caller.workspaceId, filter, window.offset, window.limit);
}

function refuseWhile(count: number, noun: string, verb: string, then: string): void {
  if (count === 0) return;
  throw new ConflictError(`The backup destination ${verb} ${pluralize(count, noun)}. ${then}`);
}

interface StoredFields {
  readonly settings: Readonly<Record<string, SettingValue | null | undefined>>;
  /** Encrypted secrets by field; null clears a secret. */
  readonly secrets: Readonly<Record<string, string | null | undefined>>;
}

/** Returns the given values as they are stored, with the secrets encrypted. */
async function stored(keyring: Keyring, values: FieldValues): Promise<StoredFields> {
  const settings: Record<string, SettingValue | null> = {};
  const secrets: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(values)) {
    const { isSecret, isTransient, passphraseField } = ALL_FIELDS.get(name)!;
    if (isTransient) continue;
    if (!isSecret) settings[name] = value;
    else if (passphraseField === undefined || value === null) {
      secrets[name] = keyring.encryptOptional(value as string | null);
    } else {
      const key = { name, text: value as string };
      const passphrase = { name: passphraseField, text: values[passphraseField] as string | null ?? null };
      secrets[name] = keyring.encrypt(await usableKey(key, passphrase));
    }
  }
  return { settings, secrets };
}

async function usableKey(
  key: { name: string; text: string },
  passphrase: { name: string; text: string | null },
): Promise<string> {
  try {
    return await usablePrivateKey(key.text, passphrase.text);
  } catch (error) {
    if (!(error instanceof PrivateKeyError)) throw error;
    const { name } = error.isPassphrase ? passphrase : key;
    throw new InvalidError({ [name]: [`The ${fieldWords([name])} ${error.message}`] });
  }
}

/**
 * Throws an {@link InvalidError} for an address that this control plane must not connect to. A host name is
 * not looked up here, because its addresses are checked at each connection.
 *
 * @param changed The fields that the caller sets. Only addresses in these fields are checked.
 */
function refuseConnection(
  network: Network,
  destination: TypedSettings,
  changed: StoredFields["settings"] = destination.settings,
): void {
  const { fields } = definitionOf(destination.type);
  const connection = connectionOf(destination);
  if (connection === null || changed[connection.field] === undefined) return;
  try {
    network.check(connection.url);
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) throw error;
    const [sentAs] = sentNames(connection.field, fields[connection.field]!);
    throw new InvalidError({ [sentAs!]: [`${error.message}.`] });
  }
}

/**
 * Returns the settings and secrets to store for a destination of `type`. Throws an {@link InvalidError} if
 * required fields are missing.
 */
function complete(type: DestinationType, { settings, secrets }: StoredFields) {
  const isSet = (name: string) => (settings[name] ?? secrets[name] ?? null) !== null;
  const missing = missingFields(type, isSet);
  if (Object.keys(missing).length > 0) throw new InvalidError(missing);
  return { settings: storedSettings(type, settings), secrets: storedSecrets(type, secrets) };
}
