/** Lists the contents of a backup. An agent reads them from the backup's index. */
import { definitionOfEngine } from "../../definitions/sources/registry.ts";
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

export interface ListingQuery extends PageWindow {
  /** Path of the directory or member to list, with or without slashes at its ends; empty lists the root. */
  path: string;
  /** Only members whose name contains this text, ignoring case; null lists all. */
  search: string | null;
  /** An age secret key for a backup that is encrypted to recipients. Never stored. */
  identity?: string;
}

export interface BackupListing {
  rows: BackupEntry[];
  total: number;
  /**
   * Number of index lines that can't be read. Each might describe a member, which is then missing in the
   * listing.
   */
  unlisted: number;
}

/**
 * Returns one page of the members directly below `path`, sorted by name, with the directories first. If
 * `path` is not a directory, returns that member alone.
 *
 * Throws a {@link NotFoundError} if the backup has no such path. Throws a {@link ConflictError} if the backup
 * has no index. If the agent finds the index damaged, marks the backup as damaged and throws a {@link
 * DamageFoundError}.
 */
export async function listBackupFiles(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { path, search, identity, ...window }: ListingQuery,
): Promise<BackupListing> {
  const readable = await findReadable(services.database, caller, id);
  refuseUnlistable(readable.backup);
  const key = await requireIdentity(readable.backup, identity ?? null);
  const payload = {
    kind: "backup.browse",
    backup_destination_id: readable.destination.id,
    user_id: readable.backup.user_id,
    backup_id: id,
    path: path.split("/").filter((segment) => segment !== "" && segment !== ".").join("/"),
    ...window,
    ...search === null ? {} : { search },
  } as const;
  // A search needs an agent with a newer protocol. An older agent would ignore the search and list
  // everything.
  const serverId = await readingServer(services, readable, search === null ? undefined : SEARCH_PROTOCOL);
  const result = await requestAgent(services, serverId, payload, AGENT_TIMEOUT, { secret: key })
    .catch((error) => noteDamage(services, readable.backup, error));
  if (!result.found) throw new NotFoundError("Path");
  return { rows: result.entries, total: result.total, unlisted: result.unlisted ?? 0 };
}

async function noteDamage(services: ServiceContext, backup: BackupDetailRow, error: unknown): Promise<never> {
  if (!(error instanceof DamageFoundError)) throw error;
  await markFoundDamage(services, backup, error);
  const { damage, message } = error;
  throw new DamageFoundError(
    `${message} The backup is marked as damaged. Its archive may still be intact: verify it, or choose another backup.`,
    damage,
  );
}

/** Marks a backup as damaged after a listing or a partial download has found the damage. */
export async function markFoundDamage(
  services: ServiceContext,
  backup: Pick<BackupDetailRow, "id" | "user_id" | "workspace_id" | "backup_task_id" | "remote_server_id">,
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

/**
 * Throws a {@link ConflictError} if the backup has no list of files. Backups of databases never have one.
 * Backups that older agents made without an index have none either.
 */
export function refuseUnlistable({ id, engine, objects }: BackupDetailRow): void {
  const { holds, isListed } = definitionOfEngine(engine);
  if (!isListed) {
    throw new ConflictError(
      `The backup holds ${holds}, not files. GET /api/backups/${id} lists its archives, one for each database.`,
    );
  }
  if (objects.some(({ role }) => role === "index")) return;
  throw new ConflictError(
    "The backup has no index, because an older agent made it. Restore it, or list its archive with tar.",
  );
}

/**
 * Returns the age secret key that decrypts the backup; null if the backup is not encrypted for recipients.
 */
async function requireIdentity(backup: BackupDetailRow, identity: string | null): Promise<string | null> {
  if (identity !== null) return await decryptionIdentityOf(backup, identity);
  if (backup.encryption !== "recipients") return null;
  throw new ConflictError(
    `The backup is encrypted to recipients. POST /api/backups/${backup.id}/files with the identity of one of them.`,
  );
}
