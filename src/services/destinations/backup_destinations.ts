/** Backup destinations: where backups are stored. */
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import type { DestinationType } from "../../definitions/destinations/registry.ts";
import {
  type FieldValues,
  isSameStorage,
  movedSettings,
  type TypedSettings,
} from "../../definitions/destinations/settings.ts";
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import { movedDirectory } from "../../domain/location.ts";
import type { PageWindow } from "../../domain/page.ts";
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
import { completeFields, fieldsAfter, refuseConnection, sealedFields } from "./destination_settings.ts";

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
  const destination = {
    label,
    type,
    ...completeFields(type, await sealedFields(services.keyring, input.values)),
  };
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
  const changed = await sealedFields(services.keyring, input.values);
  return await transaction(services.database, async (sql) => {
    const before = await lockBackupDestination(sql, caller.workspaceId, id);
    if (before === undefined) throw new NotFoundError(RESOURCE);
    const type = input.type ?? before.type;
    const after = {
      label: input.label ?? before.label,
      type,
      ...completeFields(type, fieldsAfter(before, changed)),
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
 * Checks whether a destination's location can change. Refuses while a run writes to the destination. If the
 * caller does not confirm that the objects were moved, also refuses while the old location holds objects or
 * uploads. If the caller confirms it, updates the recorded directories of the backups.
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
