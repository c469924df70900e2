/** Finds files by name in all backups. Agents search the indexes next to the archives. */
import { ConflictError, InvalidError, NotFoundError, UnavailableError } from "../../domain/errors.ts";
import { type BackupFindResult, type FoundVersion, MAX_FOUND_BACKUPS } from "../../protocol/browsing.ts";
import { PROTOCOL_FIND } from "../../protocol/version.ts";
import {
  type BackupDetailRow,
  backupIdsOfTask,
  indexedBackups,
  newestBackupIds,
} from "../../store/backups/backups.ts";
import {
  type BackupDestinationRow,
  findBackupDestination,
} from "../../store/destinations/backup_destinations.ts";
import { findBackupTaskOf } from "../../store/tasks/backup_tasks.ts";
import type { Sql } from "../../store/database/sql.ts";
import { DamageFoundError, requestAgent } from "../agent_rpc/agent_requests.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { decryptionIdentityOf, readingServer, refuseDeleted } from "./backup_access.ts";
import { markFoundDamage, refuseUnlistable } from "./backup_files.ts";

/** Maximum number of backups that one search covers. If there are more, the newest ones are searched. */
const MAX_BACKUPS = 1000;
/** Time limit of a search, in milliseconds. */
const TIME_LIMIT = 50_000;
/** How long to wait for an agent's response after the agent's time limit has passed, in milliseconds. */
const RESPONSE_TIME = 10_000;
/**
 * Minimum time for a batch of backups, in milliseconds. If the search has less time left, it skips the batch.
 */
const LEAST_TIME = 1000;

export interface FileQuery {
  /**
   * A glob, or a text to find within names. A pattern without a slash is compared with names. A pattern with
   * a slash is compared with whole paths.
   */
  readonly pattern: string;
  /** Maximum number of paths. */
  readonly limit: number;
  /** Age secret keys for backups that are encrypted to recipients. Never stored. */
  readonly identity?: string;
}

/** A path, and what the backups of one task contain at this path. */
export interface FoundFile {
  readonly path: string;
  /** The first version is the one in the newest backup. */
  readonly versions: readonly FileVersion[];
}

/** A file that has the same type, size and time in several backups. */
export interface FileVersion extends Omit<FoundVersion, "backups"> {
  /** The backups that contain this version, the newest first. */
  readonly backups: readonly BackupDetailRow[];
}

export interface FoundFiles {
  readonly files: readonly FoundFile[];
  /** Whether more paths match than are listed. */
  readonly truncated: boolean;
  /** Number of backups that were searched. */
  readonly searched: number;
  /** The backups that were not searched, the newest first. `reason` says why. */
  readonly notSearched: readonly { readonly backup: BackupDetailRow; readonly reason: string }[];
  /** Number of unreadable index lines that contain the pattern. */
  readonly unlisted: number;
  /** Number of older backups that were not searched. They are not in `notSearched`. */
  readonly older: number;
}

/** Backups that one agent reads from one destination. */
interface Group {
  readonly serverId: number;
  readonly destination: BackupDestinationRow;
  readonly backups: BackupDetailRow[];
}

/**
 * Searches the indexes of all backups of a task, or of the workspace if `taskId` is null. A backup that can't
 * be searched does not fail the search: it is listed with the reason. Throws a {@link NotFoundError} if the
 * caller has no such task. Throws an {@link InvalidError} if the age secret key (identity) is malformed.
 */
export async function findFiles(
  services: ServiceContext,
  caller: Caller,
  taskId: number | null,
  query: FileQuery,
): Promise<FoundFiles> {
  const { clock, database } = services;
  const { ids, total } = await searchedIds(database, caller, taskId);
  const backups = await indexedBackups(database, ids);
  const search = new FileSearch(services, query);
  for (const [index, backup] of backups.entries()) {
    if (index < MAX_BACKUPS) await search.add(backup);
    else search.skip(backup, `A search covers the newest ${MAX_BACKUPS} backups.`);
  }
  const until = clock.monotonic() + TIME_LIMIT;
  await Promise.all(search.groups.map((group) => search.run(group, until)));
  return { ...search.result(backups), older: total - ids.length };
}

async function searchedIds(
  sql: Sql,
  { workspaceId }: Caller,
  taskId: number | null,
): Promise<{ ids: number[]; total: number }> {
  if (taskId === null) return await newestBackupIds(sql, workspaceId, MAX_BACKUPS);
  if (await findBackupTaskOf(sql, workspaceId, taskId) === undefined) throw new NotFoundError("Backup task");
  const ids = await backupIdsOfTask(sql, workspaceId, taskId);
  return { ids, total: ids.length };
}

class FileSearch {
  readonly #groups = new Map<string, Group>();
  readonly #servers = new Map<string, Promise<number>>();
  readonly #destinations = new Map<number, Promise<BackupDestinationRow | undefined>>();
  readonly #reasons = new Map<number, string>();
  /** The secret keys that decrypt the indexes of the backups. */
  readonly #identities = new Set<string>();
  readonly #results: BackupFindResult[] = [];

  constructor(
    private readonly services: ServiceContext,
    private readonly query: FileQuery,
  ) {}

  get groups(): Group[] {
    return [...this.#groups.values()];
  }

  skip({ id }: BackupDetailRow, reason: string): void {
    this.#reasons.set(id, reason);
  }

  /**
   * Adds a backup to the group of its agent and destination. If the backup can't be searched, records why.
   */
  async add(backup: BackupDetailRow): Promise<void> {
    try {
      refuseDeleted(backup);
      refuseUnlistable(backup);
      await this.#findKey(backup);
      const destination = await this.#destination(backup.backup_destination_id);
      const serverId = await this.#server(backup, destination);
      const key = `${serverId} ${destination.id}`;
      const group = this.#groups.get(key) ?? { serverId, destination, backups: [] };
      group.backups.push(backup);
      this.#groups.set(key, group);
    } catch (error) {
      if (!(error instanceof InvalidError)) return this.#note([backup], error);
      if (/must be an age secret key/.test(error.errors.identity?.[0] ?? "")) throw error;
      this.skip(backup, "None of the given keys decrypts it.");
    }
  }

  async run({ serverId, destination, backups }: Group, until: number): Promise<void> {
    for (let at = 0; at < backups.length; at += MAX_FOUND_BACKUPS) {
      const batch = backups.slice(at, at + MAX_FOUND_BACKUPS);
      const time = Math.floor(until - this.services.clock.monotonic());
      if (time < LEAST_TIME) {
        for (const backup of batch) {
          this.skip(backup, `The time limit of ${TIME_LIMIT / 1000} s was reached.`);
        }
        continue;
      }
      try {
        await this.#request(serverId, destination, batch, time);
      } catch (error) {
        this.#note(batch, error);
      }
    }
  }

  result(backups: readonly BackupDetailRow[]): Omit<FoundFiles, "older"> {
    const order = new Map(backups.map((backup, index) => [backup.id, { backup, index }]));
    const newest = ({ versions }: BackupFindResult["hits"][number]) =>
      Math.min(...versions.flatMap(({ backups }) => backups.map((id) => order.get(id)!.index)));
    const files = new Map<string, BackupFindResult["hits"]>();
    for (const hit of this.#results.flatMap(({ hits }) => hits)) {
      for (const [task, part] of byTask(hit, order)) {
        const key = `${task} ${hit.path}`;
        files.set(key, [...files.get(key) ?? [], part]);
      }
    }
    const ranked = [...files.values()]
      .map((hits) => ({ path: hits[0]!.path, hits, rank: Math.min(...hits.map(newest)) }))
      .sort((a, b) => a.rank - b.rank);
    const listed = ranked.slice(0, this.query.limit).map(({ path, hits }) => ({
      path,
      versions: mergeVersions(hits.flatMap(({ versions }) => versions), order),
    }));
    const notSearched = backups.flatMap((backup) => {
      const reason = this.#reasons.get(backup.id);
      return reason === undefined ? [] : [{ backup, reason }];
    });
    return {
      files: listed.sort((a, b) => a.path < b.path ? -1 : 1),
      truncated: ranked.length > listed.length || this.#results.some(({ truncated }) => truncated),
      searched: backups.length - notSearched.length,
      notSearched,
      unlisted: this.#results.reduce((sum, { unlisted }) => sum + unlisted, 0),
    };
  }

  async #request(
    serverId: number,
    destination: BackupDestinationRow,
    batch: readonly BackupDetailRow[],
    time: number,
  ): Promise<void> {
    const { pattern, limit } = this.query;
    const needsKey = batch.some(({ encryption }) => encryption === "recipients");
    const payload = {
      kind: "backup.find",
      backup_destination_id: destination.id,
      backup_ids: batch.map(({ id }) => id),
      pattern,
      limit,
      time_limit_ms: time,
    } as const;
    const secret = needsKey ? [...this.#identities].join("\n") : null;
    const result = await requestAgent(this.services, serverId, payload, time + RESPONSE_TIME, { secret });
    const known = new Map(batch.map((backup) => [backup.id, backup]));
    this.#results.push(validated(result, known));
    for (const { backup: id, reason, damage } of result.failed) {
      const backup = known.get(id);
      if (backup === undefined) continue;
      this.skip(backup, `${reason.replace(/\.$/, "")}.`);
      if (damage !== undefined) {
        await markFoundDamage(this.services, backup, new DamageFoundError(reason, damage));
      }
    }
  }

  async #findKey(backup: BackupDetailRow): Promise<void> {
    const { identity } = this.query;
    if (backup.encryption !== "recipients") return;
    if (identity !== undefined) {
      this.#identities.add(await decryptionIdentityOf(backup, identity));
      return;
    }
    throw new ConflictError(
      "The backup is encrypted to recipients. Search by POST, with the identity of one of them.",
    );
  }

  async #destination(id: number): Promise<BackupDestinationRow> {
    const found = this.#destinations.get(id) ?? findBackupDestination(this.services.database, id);
    this.#destinations.set(id, found);
    const destination = await found;
    if (destination === undefined) throw new UnavailableError("Its destination is deleted.");
    return destination;
  }

  #server(backup: BackupDetailRow, destination: BackupDestinationRow): Promise<number> {
    const key = `${destination.id} ${backup.remote_server_id}`;
    const found = this.#servers.get(key) ??
      readingServer(this.services, { backup, destination }, PROTOCOL_FIND);
    this.#servers.set(key, found);
    return found;
  }

  #note(backups: readonly BackupDetailRow[], error: unknown): void {
    const isTold = error instanceof ConflictError || error instanceof UnavailableError ||
      error instanceof NotFoundError;
    if (!isTold) throw error;
    for (const backup of backups) this.skip(backup, error.message);
  }
}

/** Returns the result without backups that the agent was not asked about. */
function validated(result: BackupFindResult, known: ReadonlyMap<number, unknown>): BackupFindResult {
  const hits = result.hits.map(({ path, versions }) => ({
    path,
    versions: versions.map(({ backups, ...version }) => ({
      ...version,
      backups: backups.filter((id) => known.has(id)),
    })).filter(({ backups }) => backups.length > 0),
  }));
  return { ...result, hits: hits.filter(({ versions }) => versions.length > 0) };
}

/**
 * Splits a hit into one hit for each task that has backed up the file, because different tasks can have
 * different files at the same path.
 */
function byTask(
  { path, versions }: BackupFindResult["hits"][number],
  order: ReadonlyMap<number, { backup: BackupDetailRow }>,
): Map<string, BackupFindResult["hits"][number]> {
  // Each task has a directory of its own. If the task is deleted, its backups no longer name the task, but
  // they still name the directory.
  const taskOf = (id: number) => {
    const { backup_task_id, directory } = order.get(id)!.backup;
    return String(backup_task_id ?? directory);
  };
  const tasks = new Set(versions.flatMap(({ backups }) => backups.map(taskOf)));
  return new Map([...tasks].map((task) => {
    const own = versions.map((version) => ({
      ...version,
      backups: version.backups.filter((id) => taskOf(id) === task),
    }));
    return [task, { path, versions: own.filter(({ backups }) => backups.length > 0) }];
  }));
}

/** Joins the versions of a path from several responses, and sorts them by their newest backup. */
function mergeVersions(
  versions: readonly FoundVersion[],
  order: ReadonlyMap<number, { backup: BackupDetailRow; index: number }>,
): FileVersion[] {
  const joined = new Map<string, { version: Omit<FoundVersion, "backups">; ranks: number[] }>();
  for (const { backups, ...version } of versions) {
    const key = JSON.stringify([version.type, version.size, version.modified_at]);
    const same = joined.get(key) ?? { version, ranks: [] };
    same.ranks.push(...backups.map((id) => order.get(id)!.index));
    joined.set(key, same);
  }
  const byRank = new Map([...order.values()].map(({ backup, index }) => [index, backup]));
  for (const { ranks } of joined.values()) ranks.sort((a, b) => a - b);
  return [...joined.values()].sort((a, b) => a.ranks[0]! - b.ranks[0]!)
    .map(({ version, ranks }) => ({ ...version, backups: ranks.map((rank) => byRank.get(rank)!) }));
}
