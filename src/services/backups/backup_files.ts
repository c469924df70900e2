/** What is inside a backup, told by an agent from the backup's index. */
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { BackupEntry } from "../../protocol/browsing.ts";
import type { BackupDetailRow } from "../../store/backups/backups.ts";
import { transaction } from "../../store/database/database.ts";
import { markDamaged } from "../../store/backups/backup_checks.ts";
import { logger } from "../../telemetry/logging.ts";
import { DamageFoundError, requestAgent } from "../agent_rpc/agent_requests.ts";
import { decryptionIdentityOf, findReadable, readingServer } from "./backup_access.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { notifyDamage } from "../runs/run_notifications.ts";

export type { BackupEntry };

const AGENT_TIMEOUT = 60_000;
const SEARCH_PROTOCOL = 3;

const log = () => logger("services");

export interface ListingWindow extends PageWindow {
  /** Part of a name, in any case; null: every name. */
  search: string | null;
}

export interface BackupListing {
  rows: BackupEntry[];
  total: number;
  /** Number of unreadable lines of the index, each of which may be another member. */
  unlisted: number;
}

/**
 * One page of what lies directly in the directory `path`, directories first, then by name; a path that is no
 * directory gives itself. Throws a {@link NotFoundError} where the backup holds nothing there, a {@link
 * ConflictError} where it has no index to tell it from, or one that is damaged: then the backup is marked so.
 *
 * @param path With or without slashes around it; empty: the root.
 * @param identity Opens a backup that is encrypted to recipients; it is stored nowhere.
 */
export async function listBackupFiles(
  services: ServiceContext,
  caller: Caller,
  id: number,
  path: string,
  identity: string | null,
  { search, ...window }: ListingWindow,
): Promise<BackupListing> {
  const readable = await findReadable(services.database, caller, id);
  refuseUnlistable(readable.backup);
  const key = await requireIdentity(readable.backup, identity);
  const payload = {
    kind: "backup.browse",
    backup_destination_id: readable.destination.id,
    user_id: caller.userId,
    backup_id: id,
    path: path.split("/").filter((segment) => segment !== "" && segment !== ".").join("/"),
    ...window,
    ...search === null ? {} : { search },
  } as const;
  // An older agent would ignore the search and list everything.
  const serverId = await readingServer(services, readable, search === null ? undefined : SEARCH_PROTOCOL);
  const result = await requestAgent(services, serverId, payload, AGENT_TIMEOUT, key)
    .catch((error) => noteDamage(services, readable.backup, error));
  if (!result.found) throw new NotFoundError("Path");
  return { rows: result.entries, total: result.total, unlisted: result.unlisted ?? 0 };
}

async function noteDamage(services: ServiceContext, backup: BackupDetailRow, error: unknown): Promise<never> {
  if (!(error instanceof DamageFoundError)) throw error;
  await markFoundDamage(services, backup, error);
  const { damage, message } = error;
  throw new DamageFoundError(
    `${message} The backup is marked as damaged. Its archive may be whole all the same: verify it, or choose another backup.`,
    damage,
  );
}

/** Marks a backup as damaged, as a verification would, when a listing or a partial download finds damage. */
export async function markFoundDamage(
  services: ServiceContext,
  backup: Pick<BackupDetailRow, "id" | "user_id" | "backup_task_id" | "remote_server_id">,
  { damage }: DamageFoundError,
): Promise<void> {
  log().warn("Backup {backup_id} is damaged: {damage}", {
    backup_id: backup.id,
    ...(backup.backup_task_id === null ? {} : { task_id: backup.backup_task_id }),
    damage,
  });
  await transaction(services.database, async (sql) => {
    const isFirst = await markDamaged(sql, backup.id, "listing", damage, services.clock.now());
    if (isFirst) await notifyDamage(services, sql, backup, damage);
  });
}

/** Of a backup of databases the objects are all there is to see. */
export function refuseUnlistable({ id, engine, objects }: BackupDetailRow): void {
  if (engine !== "tar") {
    throw new ConflictError(
      `The backup holds databases, not files. GET /api/backups/${id} lists its archives, one for each database.`,
    );
  }
  if (objects.some(({ role }) => role === "index")) return;
  throw new ConflictError(
    "The backup has no index to list it from: an older agent made it. Restore it, or list its archive with tar.",
  );
}

/** Null where it takes none. */
async function requireIdentity(backup: BackupDetailRow, identity: string | null): Promise<string | null> {
  if (identity !== null) return await decryptionIdentityOf(backup, identity);
  if (backup.encryption !== "recipients") return null;
  throw new ConflictError(
    `The backup is encrypted to recipients. POST /api/backups/${backup.id}/files with the identity of one of them.`,
  );
}
