/**
 * Stores the first response to each request with an `Idempotency-Key`, so that a retry gets the same
 * response.
 */
import type { Credential } from "../../domain/access/credential.ts";
import type { Sql } from "../database/sql.ts";

export interface IdempotencyKeyRow {
  request_hash: string;
  /** HTTP status of the first response; null while the first request is still being processed. */
  status: number | null;
  response: string | null;
  is_secret: boolean;
  created_at: Date;
}

/** The column that stores the id of the caller's credential, by its kind. */
const OWNER_COLUMNS = { token: "token_id", session: "session_id", trigger: "trigger_task_id" } as const;

function ownerColumn({ kind }: Credential): string {
  return OWNER_COLUMNS[kind];
}

/**
 * Claims the key for a new request. Returns true if the new request now has the key. Returns false if an
 * earlier request has claimed it. A claim that was made at or before the time `expired` does not count.
 */
export async function claimIdempotencyKey(
  sql: Sql,
  { credential, key, requestHash }: { credential: Credential; key: string; requestHash: string },
  { now, expired }: { now: Date; expired: Date },
): Promise<boolean> {
  const owner = sql(ownerColumn(credential));
  const { count } = await sql`
    insert into idempotency_keys as known (${owner}, key, request_hash, created_at)
    values (${credential.id}, ${key}, ${requestHash}, ${now})
    on conflict (${owner}, key) do update
      set request_hash = excluded.request_hash, created_at = excluded.created_at,
        status = null, response = null, is_secret = false
      where known.created_at <= ${expired}`;
  return count === 1;
}

export async function findIdempotencyKey(
  sql: Sql,
  credential: Credential,
  key: string,
): Promise<IdempotencyKeyRow | undefined> {
  const [row] = await sql<IdempotencyKeyRow[]>`
    select request_hash, status, response, is_secret, created_at from idempotency_keys
    where ${sql(ownerColumn(credential))} = ${credential.id} and key = ${key}`;
  return row;
}

export async function storeIdempotentResponse(
  sql: Sql,
  credential: Credential,
  key: string,
  answer: { status: number; response: string | null; is_secret: boolean },
): Promise<void> {
  await sql`update idempotency_keys set ${sql(answer)} where ${
    sql(ownerColumn(credential))
  } = ${credential.id} and key = ${key}`;
}

export async function deleteIdempotencyKey(sql: Sql, credential: Credential, key: string): Promise<void> {
  await sql`delete from idempotency_keys where ${
    sql(ownerColumn(credential))
  } = ${credential.id} and key = ${key}`;
}

export async function deleteIdempotencyKeysBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from idempotency_keys where created_at < ${before}`;
}
