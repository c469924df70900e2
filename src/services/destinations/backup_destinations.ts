/** Backup destinations: where archives are stored. */
import {
  type DestinationFields,
  type DestinationSettings,
  fieldsOf,
  isSameStorage,
  missingDestinationFields,
  movedSettings,
  NO_FIELDS,
} from "../../domain/backup_destination.ts";
import { ConflictError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import { destinationDirectory, movedDirectory } from "../../domain/location.ts";
import type { PageWindow } from "../../domain/page.ts";
import { AddressRefusedError, type Network } from "../../network/network.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { PrivateKeyError, usablePrivateKey } from "../../secrets/private_key.ts";
import { endpointUrl } from "../../storage/s3_address.ts";
import { noteCreated } from "../../store/access/audited_request.ts";
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
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";

export type { BackupDestinationRow };

const SECRET = ["s3_access_key", "s3_secret_key", "sftp_password", "sftp_private_key"] as const;
type SecretColumn = `${typeof SECRET[number]}_encrypted`;

/** What each may be left out of; null clears what can be empty. Formats are the schema's business. */
export type BackupDestinationInput =
  & Partial<Pick<BackupDestinationRow, "label" | "type">>
  & Partial<Omit<DestinationFields, SecretColumn>>
  & Partial<Record<typeof SECRET[number], string | null>>
  & {
    /** The passphrase of `sftp_private_key`, which is stored decrypted. */
    readonly sftp_private_key_passphrase?: string | null;
  };
export type NewBackupDestinationInput =
  & BackupDestinationInput
  & Pick<BackupDestinationRow, "label" | "type">;

const RESOURCE = "Backup destination";
const SSH_PORT = 22;

export async function createBackupDestination(
  services: ServiceContext,
  caller: Caller,
  input: NewBackupDestinationInput,
): Promise<BackupDestinationRow> {
  const { label, type } = input;
  const fields = completeFields(type, { ...NO_FIELDS, ...await columns(services.keyring, input) });
  refuseEndpoint(services.network, fields);
  return await transaction(services.database, async (sql) => {
    const id = await insertBackupDestination(
      sql,
      caller.userId,
      { label, type, ...fields },
      services.clock.now(),
    );
    noteCreated(id);
    return (await findBackupDestinationOf(sql, caller.userId, id))!;
  });
}

/**
 * Changes only the fields that `input` names; a new type clears the settings of the old one.
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
  const changed = await columns(services.keyring, input);
  return await transaction(services.database, async (sql) => {
    const before = await lockBackupDestination(sql, caller.userId, id);
    if (before === undefined) throw new NotFoundError(RESOURCE);
    const type = input.type ?? before.type;
    const fields = completeFields(type, { ...before, ...changed });
    if (input.s3_endpoint !== undefined) refuseEndpoint(services.network, fields);
    if (!isSameStorage(before.type, type)) {
      const { backups, runs, uploads } = await countDestinationUses(sql, id);
      refuseWhile(
        backups,
        "backup",
        "holds",
        "Make a new destination for the other type, or delete them first.",
      );
      refuseWhile(runs + uploads, "run", "is written to by", "Change its type when they have finished.");
    } else await keepObjectsFindable(sql, before, { ...fields, type }, objectsMoved);
    const label = input.label ?? before.label;
    await updateRow(sql, id, { label, type, ...fields }, services.clock.now());
    return (await findBackupDestinationOf(sql, caller.userId, id))!;
  });
}

/**
 * Refuses settings that lead elsewhere while objects are stored or being written there, unless they were
 * moved along; recorded directories then follow the new path.
 */
async function keepObjectsFindable(
  sql: Sql,
  before: BackupDestinationRow,
  after: DestinationSettings,
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
    `Its backups would not be found by another ${settings.join(" and ")}. Make a new destination, or copy ` +
    "everything there first and send objects_moved: true.";
  refuseWhile(backups, "backup", "holds", way);
  refuseWhile(leftovers, "object", "is still cleared of", way);
  refuseWhile(uploads, "run", "is still cleared of the uploads of", way);
}

export async function showBackupDestination(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupDestinationRow> {
  const row = await findBackupDestinationOf(services.database, caller.userId, id);
  if (row === undefined) throw new NotFoundError(RESOURCE);
  return row;
}

export function listBackupDestinations(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  filter: BackupDestinationFilter & ListOrder = {},
): Promise<Page<BackupDestinationRow>> {
  return listRows(services.database, caller.userId, filter, window.offset, window.limit);
}

export function refuseWhile(count: number, noun: string, verb: string, then: string): void {
  if (count === 0) return;
  throw new ConflictError(`The backup destination ${verb} ${pluralize(count, noun)}. ${then}`);
}

/** The columns that `input` names. */
async function columns(keyring: Keyring, input: BackupDestinationInput): Promise<Partial<DestinationFields>> {
  const { sftp_private_key_passphrase, ...sent } = input;
  if (typeof sent.sftp_private_key === "string") {
    sent.sftp_private_key = await usableKey(sent.sftp_private_key, sftp_private_key_passphrase ?? null);
  }
  const named: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(sent)) {
    if (value === undefined || field === "label" || field === "type") continue;
    const isSecret = (SECRET as readonly string[]).includes(field);
    if (isSecret) named[`${field}_encrypted`] = keyring.encryptOptional(value as string | null);
    else named[field] = value;
  }
  return named;
}

async function usableKey(key: string, passphrase: string | null): Promise<string> {
  try {
    return await usablePrivateKey(key, passphrase);
  } catch (error) {
    if (!(error instanceof PrivateKeyError)) throw error;
    throw new InvalidError(
      error.isPassphrase
        ? { sftp_private_key_passphrase: [`The sftp private key passphrase ${error.message}`] }
        : { sftp_private_key: [`The sftp private key ${error.message}`] },
    );
  }
}

/** An address that this control plane would not connect to is told at once; what a name leads to is seen when it is used. */
function refuseEndpoint(network: Network, fields: DestinationFields): void {
  if (fields.s3_endpoint === null) return;
  try {
    network.check(endpointUrl(fields.s3_endpoint));
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) throw error;
    throw new InvalidError({ custom_s3_endpoint: [`${error.message}.`] });
  }
}

function completeFields(type: BackupDestinationRow["type"], fields: DestinationFields): DestinationFields {
  const missing = missingDestinationFields(type, fields);
  if (Object.keys(missing).length > 0) throw new InvalidError(missing);
  const complete = fieldsOf(type, fields);
  if (type === "sftp") complete.sftp_port ??= SSH_PORT;
  return complete;
}
