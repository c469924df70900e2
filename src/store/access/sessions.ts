/** Log-in sessions. Only the hashes of their cookies are stored. */
import type { Role } from "../../domain/access/roles.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Sql } from "../database/sql.ts";
import { type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface SessionRow {
  id: number;
  user_id: number;
  /** The workspace in which the user acts; if null, the user acts in their own workspace. */
  workspace_id: number | null;
  created_at: Date;
  /** When the user last proved who they are. */
  authenticated_at: Date;
  last_used_at: Date;
  expires_at: Date;
  ended_at: Date | null;
  address: string | null;
  user_agent: string | null;
}

export type NewSession =
  & Omit<SessionRow, "id" | "ended_at" | "workspace_id">
  & { token_hash: string; network: string | null };

/** A session, with the columns of its user that are needed to authenticate a request. */
export interface SessionCallerRow extends SessionRow {
  is_admin: boolean;
  /**
   * The user's role in the workspace `workspace_id`. Null if the session has no `workspace_id`, or if the
   * user is not a member any more.
   */
  role: Role | null;
  /** Whether the user has no second factor although everybody must have one. */
  lacks_second_factor: boolean;
  /** Whether the session's user is in the trash. */
  is_user_deleted: boolean;
}

const columns = (sql: Sql) =>
  sql`sessions.id, sessions.user_id, sessions.workspace_id, sessions.created_at, sessions.authenticated_at, sessions.last_used_at,
    sessions.expires_at, sessions.ended_at, sessions.address, sessions.user_agent`;

const selectCaller = (sql: Sql) =>
  sql`
    select ${columns(sql)}, u.is_admin, u.deletes_at is not null as is_user_deleted, m.role,
      (select second_factor_required from login_settings) and not exists (
        select from totp_secrets where user_id = u.id and confirmed_at is not null
      ) and not exists (select from passkeys where user_id = u.id) as lacks_second_factor
    from sessions join users u on u.id = sessions.user_id
    left join workspace_members m on m.workspace_id = sessions.workspace_id and m.user_id = sessions.user_id`;

/** Returns the session whose cookie has this hash, even an ended or expired one. */
export async function findSession(sql: Sql, tokenHash: string): Promise<SessionCallerRow | undefined> {
  const [row] = await sql<SessionCallerRow[]>`
    ${selectCaller(sql)} where sessions.token_hash = ${tokenHash}`;
  return row;
}

/** Returns the session with this id, even an ended or expired one. */
export async function findSessionById(sql: Sql, id: number): Promise<SessionCallerRow | undefined> {
  const [row] = await sql<SessionCallerRow[]>`
    ${selectCaller(sql)} where sessions.id = ${id}`;
  return row;
}

export async function insertSession(sql: Sql, session: NewSession): Promise<SessionRow> {
  const [row] = await sql<SessionRow[]>`
    insert into sessions ${sql(session)} returning ${columns(sql)}`;
  return row!;
}

/**
 * Records `now` as the time of the session's last use. Does nothing if the recorded time is later than
 * `before`.
 */
export async function touchSession(sql: Sql, id: number, now: Date, before: Date): Promise<void> {
  await sql`update sessions set last_used_at = ${now} where id = ${id} and last_used_at <= ${before}`;
}

/** Records that a session's user has authenticated again. Returns the session. */
export async function renewSession(sql: Sql, id: number, now: Date): Promise<SessionRow | undefined> {
  const [row] = await sql<SessionRow[]>`
    update sessions set authenticated_at = ${now}, last_used_at = ${now}
    where id = ${id} and ended_at is null returning ${columns(sql)}`;
  return row;
}

/** Sets the workspace in which the user of a session acts. */
export async function updateSessionWorkspace(sql: Sql, id: number, workspaceId: number): Promise<void> {
  await sql`update sessions set workspace_id = ${workspaceId} where id = ${id}`;
}

/** Ends a session of the user. Returns false if the user has no such session, or it has already ended. */
export async function endSession(sql: Sql, userId: number, id: number, now: Date): Promise<boolean> {
  const { count } = await sql`
    update sessions set ended_at = ${now} where id = ${id} and user_id = ${userId} and ended_at is null`;
  return count === 1;
}

/**
 * Ends the sessions of the user. The session with the id `exceptId` stays; if `exceptId` is null, all
 * sessions end.
 */
export async function endSessionsOf(
  sql: Sql,
  userId: number,
  now: Date,
  exceptId: number | null = null,
): Promise<void> {
  await sql`
    update sessions set ended_at = ${now}
    where user_id = ${userId} and ended_at is null and id is distinct from ${exceptId}`;
}

/**
 * Lists the user's sessions that have neither ended nor expired. A session also counts as expired if it was
 * last used before `idleSince`.
 */
export async function listSessions(
  sql: Sql,
  userId: number,
  { now, idleSince }: { now: Date; idleSince: Date },
  { offset, limit }: PageWindow,
  { sort }: ListOrder,
): Promise<Page<SessionRow>> {
  const where = sql`
    user_id = ${userId} and ended_at is null and expires_at > ${now} and last_used_at > ${idleSince}`;
  const order = orderBy(sql, sort, { created_at: "created_at", last_used_at: "last_used_at" });
  const rows = await sql<SessionRow[]>`
    select ${columns(sql)} from sessions where ${where} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from sessions where ${where}`;
  return { rows, total: count!.total };
}

/**
 * Returns whether the account with this email address has a stored session that was opened from `network`.
 */
export async function isKnownNetwork(sql: Sql, email: string, network: string): Promise<boolean> {
  const rows = await sql`
    select from sessions join users u on u.id = sessions.user_id
    where lower(u.email) = lower(${email}) and sessions.network = ${network} limit 1`;
  return rows.length > 0;
}

/** Deletes sessions that expired before `before`, or ended before it. */
export async function deleteSessionsBefore(sql: Sql, before: Date): Promise<void> {
  await sql`delete from sessions where expires_at < ${before} or ended_at < ${before}`;
}
