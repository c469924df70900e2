/** Changes of the key that seals secrets, and what each control plane holds of keys. */
import type { Database, Sql } from "../database/sql.ts";
import { holdTransaction } from "../database/lost_transactions.ts";
import { REPLICA_TIMEOUT } from "./replicas.ts";

export interface KeyRotationRow {
  id: number;
  new_key_id: string;
  started_at: Date;
  finished_at: Date | null;
}

/** The one that is not finished; undefined where there is none. */
export async function openKeyRotation(sql: Sql): Promise<KeyRotationRow | undefined> {
  const [row] = await sql<KeyRotationRow[]>`select * from key_rotations where finished_at is null`;
  return row;
}

export async function lastKeyRotation(sql: Sql): Promise<KeyRotationRow | undefined> {
  const [row] = await sql<KeyRotationRow[]>`
    select * from key_rotations where finished_at is not null order by id desc limit 1`;
  return row;
}

export async function insertKeyRotation(sql: Sql, newKeyId: string, now: Date): Promise<KeyRotationRow> {
  const [row] = await sql<KeyRotationRow[]>`
    insert into key_rotations (new_key_id, started_at) values (${newKeyId}, ${now}) returning *`;
  return row!;
}

/** Of one whose key was never written down. */
export async function deleteKeyRotation(sql: Sql, id: number): Promise<void> {
  await sql`delete from key_rotations where id = ${id}`;
}

export async function finishKeyRotation(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`update key_rotations set finished_at = ${now} where id = ${id}`;
}

export interface ReplicaKeys {
  id: string;
  started_at: Date;
  /** The one it seals with first. */
  key_ids: string[];
}

/** Of the control planes that are up. */
export async function keysOfReplicas(sql: Sql, now: Date): Promise<ReplicaKeys[]> {
  const since = new Date(now.getTime() - REPLICA_TIMEOUT);
  return await sql<ReplicaKeys[]>`
    select id, started_at, key_ids from replicas where heartbeat_at > ${since} order by started_at, id`;
}

/** "rearkeys" in ASCII, as a number. */
const ROTATION_LOCK = "8243101837027539315";

/** Null where another process has the lock. It ends with its connection, however the process goes. */
export async function lockKeyRotations(database: Database): Promise<AsyncDisposable | null> {
  const held = await holdTransaction(database);
  const [row] = await held.sql<
    { locked: boolean }[]
  >`select pg_try_advisory_xact_lock(${ROTATION_LOCK}::bigint) as locked`;
  if (row!.locked) return held;
  await held[Symbol.asyncDispose]();
  return null;
}
