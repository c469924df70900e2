/** Stores rotations of the secret key, and reads which keys each control plane has. */
import type { Database, Sql } from "../database/sql.ts";
import { holdTransaction } from "../database/lost_transactions.ts";
import { REPLICA_TIMEOUT } from "./replicas.ts";

export interface KeyRotationRow {
  id: number;
  new_key_id: string;
  started_at: Date;
  finished_at: Date | null;
}

/** Returns the unfinished rotation; undefined if there is none. */
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

/** Deletes a rotation whose new key was never written to the key file. */
export async function deleteKeyRotation(sql: Sql, id: number): Promise<void> {
  await sql`delete from key_rotations where id = ${id}`;
}

export async function finishKeyRotation(sql: Sql, id: number, now: Date): Promise<void> {
  await sql`update key_rotations set finished_at = ${now} where id = ${id}`;
}

export interface ReplicaKeys {
  id: string;
  started_at: Date;
  /** Ids of the replica's secret keys. The first key encrypts new values. */
  key_ids: string[];
}

/** Returns the keys of all live control planes, in the order in which they started. */
export async function keysOfReplicas(sql: Sql, now: Date): Promise<ReplicaKeys[]> {
  const since = new Date(now.getTime() - REPLICA_TIMEOUT);
  return await sql<ReplicaKeys[]>`
    select id, started_at, key_ids from replicas where heartbeat_at > ${since} order by started_at, id`;
}

/** Id of the advisory lock for rotations: the text "rearkeys" in ASCII, read as a number. */
const ROTATION_LOCK = "8243101837027539315";

/**
 * Takes the lock for rotations; returns null if another process holds it. The lock ends with its connection,
 * so it also ends if the process is killed.
 */
export async function lockKeyRotations(database: Database): Promise<AsyncDisposable | null> {
  const held = await holdTransaction(database);
  const [row] = await held.sql<
    { locked: boolean }[]
  >`select pg_try_advisory_xact_lock(${ROTATION_LOCK}::bigint) as locked`;
  if (row!.locked) return held;
  await held[Symbol.asyncDispose]();
  return null;
}
