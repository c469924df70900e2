/** The control planes that share this database, called replicas. */
import type { Sql } from "../database/sql.ts";

/** How long after its last heartbeat a replica is considered dead, in milliseconds. */
export const REPLICA_TIMEOUT = 30_000;

/** A control plane's record. */
export interface Replica {
  readonly id: string;
  /** Host and port, such as `backup1:8000`; null if they are not known. */
  readonly name: string | null;
  readonly version: string;
  /** Ids of its secret keys. The first key encrypts new values. */
  readonly keyIds: readonly string[];
}

export async function insertReplica(
  sql: Sql,
  { id, name, version, keyIds }: Replica,
  now: Date,
): Promise<void> {
  const values = { id, name, version, key_ids: [...keyIds], started_at: now, heartbeat_at: now };
  await sql`insert into replicas ${sql(values)}`;
}

/**
 * Records a heartbeat of a replica. Returns false if the replica has no record any more, because another
 * replica considered it dead and removed the record.
 */
export async function touchReplica(
  sql: Sql,
  id: string,
  keyIds: readonly string[],
  now: Date,
): Promise<boolean> {
  const { count } = await sql`
    update replicas set heartbeat_at = ${now}, key_ids = ${[...keyIds]} where id = ${id}`;
  return count === 1;
}

export async function anyReplicaAlive(sql: Sql, now: Date): Promise<boolean> {
  const since = new Date(now.getTime() - REPLICA_TIMEOUT);
  const [row] = await sql<{ alive: boolean }[]>`
    select exists (select 1 from replicas where heartbeat_at > ${since}) as alive`;
  return row!.alive;
}

/** Deletes replicas, and clears the recorded connections of their agents. */
export async function removeReplicas(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql`
    update remote_servers set connection_id = null, connection_replica_id = null
    where connection_replica_id = any(${[...ids]}::uuid[])`;
  await sql`delete from replicas where id = any(${[...ids]}::uuid[])`;
}

export async function deadReplicas(sql: Sql, now: Date): Promise<string[]> {
  const before = new Date(now.getTime() - REPLICA_TIMEOUT);
  const rows = await sql<
    { id: string }[]
  >`select id from replicas where heartbeat_at <= ${before} order by id`;
  return rows.map((row) => row.id);
}
