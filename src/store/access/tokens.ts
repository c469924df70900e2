/** API tokens, which callers of the API present. Only their hashes are stored. */
import { type Owner, ownerColumns } from "../../domain/access/owner.ts";
import type { Role } from "../../domain/access/roles.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { Fragment, Sql } from "../database/sql.ts";
import type { Reach } from "./workspaces.ts";
import { allOf, containsText, type ListOrder, orderBy, type Page } from "../database/page.ts";

export interface TokenRow {
  id: number;
  user_id: number;
  workspace_id: number;
  name: string;
  abilities: string[];
  token_hash: string;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export interface NewToken {
  name: string;
  abilities: string[];
  token_hash: string;
  expires_at: Date | null;
}

/** The columns of a token and of its user that are needed to authenticate a request. */
export interface CallerRow {
  id: number;
  user_id: number;
  workspace_id: number;
  abilities: string[];
  is_admin: boolean;
  last_used_at: Date | null;
  expires_at: Date | null;
  revoked_at: Date | null;
  /** Whether the token's user is in the trash. */
  is_user_deleted: boolean;
  /** The user's role in the token's workspace; null if the user is not a member. */
  role: Role | null;
}

/** Returns the token with this hash, even a revoked or expired one. */
export async function findCaller(sql: Sql, tokenHash: string): Promise<CallerRow | undefined> {
  const [row] = await sql<CallerRow[]>`
    ${selectCaller(sql)} where t.token_hash = ${tokenHash}`;
  return row;
}

/** Returns the token with this id, even a revoked or expired one. */
export async function findCallerById(sql: Sql, id: number): Promise<CallerRow | undefined> {
  const [row] = await sql<CallerRow[]>`
    ${selectCaller(sql)} where t.id = ${id}`;
  return row;
}

function selectCaller(sql: Sql) {
  return sql`
    select t.id, t.user_id, t.workspace_id, t.abilities, t.last_used_at, t.expires_at, t.revoked_at, u.is_admin,
      u.deletes_at is not null as is_user_deleted, m.role
    from tokens t join users u on u.id = t.user_id
    left join workspace_members m on m.workspace_id = t.workspace_id and m.user_id = t.user_id`;
}

/**
 * Records `now` as the time of the token's last use. Does nothing if the recorded time is later than
 * `before`.
 */
export async function touchToken(sql: Sql, id: number, now: Date, before: Date): Promise<void> {
  await sql`
    update tokens set last_used_at = ${now}
    where id = ${id} and (last_used_at is null or last_used_at <= ${before})`;
}

export async function insertToken(sql: Sql, owner: Owner, token: NewToken, now: Date): Promise<TokenRow> {
  const values = { ...token, ...ownerColumns(owner), created_at: now, updated_at: now };
  const [row] = await sql<TokenRow[]>`insert into tokens ${sql(values)} returning *`;
  return row!;
}

export async function updateToken(
  sql: Sql,
  reach: Reach,
  id: number,
  changes: Partial<Pick<TokenRow, "name" | "abilities" | "expires_at">>,
  now: Date,
): Promise<TokenRow | undefined> {
  const [row] = await sql<TokenRow[]>`
    update tokens set ${sql({ ...changes, updated_at: now })}
    where id = ${id} and ${isReached(sql, reach)} and revoked_at is null returning *`;
  return row;
}

/** Revokes a token of the user. Returns false if the user has no such token, or it is already revoked. */
export async function revokeToken(sql: Sql, reach: Reach, id: number, now: Date): Promise<boolean> {
  const { count } = await sql`
    update tokens set revoked_at = ${now}, updated_at = ${now}
    where id = ${id} and ${isReached(sql, reach)} and revoked_at is null`;
  return count === 1;
}

export interface ExpiringToken {
  id: number;
  user_id: number;
  workspace_id: number;
  name: string;
  /** Email address of the token's user. */
  email: string;
  expires_at: Date;
  created_at: Date;
}

/** Returns the valid tokens that expire before `until`. */
export function expiringTokens(sql: Sql, now: Date, until: Date): Promise<ExpiringToken[]> {
  return sql<ExpiringToken[]>`
    select t.id, t.user_id, t.workspace_id, t.name, u.email, t.expires_at, t.created_at
    from tokens t join users u on u.id = t.user_id
    where t.revoked_at is null and t.expires_at > ${now} and t.expires_at <= ${until} and u.deletes_at is null
    order by t.expires_at, t.id limit 500`;
}

/**
 * Returns the time from which no token with the admin ability is valid any more, in milliseconds since 1970.
 * Returns `Infinity` if one of these tokens never expires, and `-Infinity` if no such token is valid now.
 * Counts a token only if its user is an administrator and a member of the token's workspace.
 */
export async function adminTokensEnd(sql: Sql, now: Date): Promise<number> {
  const [row] = await sql<{ count: number; lasts: boolean | null; until: Date | null }[]>`
    select count(*) as count, bool_or(t.expires_at is null) as lasts, max(t.expires_at) as until
    from tokens t join users u on u.id = t.user_id
    join workspace_members m on m.workspace_id = t.workspace_id and m.user_id = t.user_id
    where u.is_admin and u.deletes_at is null and 'admin' = any(t.abilities)
      and t.revoked_at is null and (t.expires_at is null or t.expires_at > ${now})`;
  const { count, lasts, until } = row!;
  if (count === 0) return -Infinity;
  return lasts === true ? Infinity : until!.getTime();
}

/**
 * Returns whether there is a token with this hash that can be used. Such a token is neither revoked nor
 * expired, and its user is a member of its workspace and not in the trash.
 */
export async function isTokenValid(sql: Sql, tokenHash: string, now: Date): Promise<boolean> {
  const rows = await sql`
    select from tokens t join users u on u.id = t.user_id
    join workspace_members m on m.workspace_id = t.workspace_id and m.user_id = t.user_id
    where t.token_hash = ${tokenHash}
      and u.deletes_at is null and t.revoked_at is null and (t.expires_at is null or t.expires_at > ${now})`;
  return rows.length > 0;
}

/**
 * Returns the caller's token with this id; undefined if the caller has no such token, or if it is revoked.
 */
export async function findTokenOf(sql: Sql, reach: Reach, id: number): Promise<TokenRow | undefined> {
  const [row] = await sql<TokenRow[]>`
    select * from tokens where id = ${id} and ${isReached(sql, reach)} and revoked_at is null`;
  return row;
}

export async function listTokens(
  sql: Sql,
  reach: Reach,
  { offset, limit }: PageWindow,
  { sort, search }: ListOrder & { search?: string } = {},
): Promise<Page<TokenRow>> {
  const where = allOf(sql, [
    sql`${isReached(sql, reach)} and revoked_at is null`,
    search === undefined ? null : containsText(sql, ["name"], search),
  ]);
  const order = orderBy(sql, sort, {
    created_at: "created_at",
    name: "name",
    last_used_at: "last_used_at",
    expires_at: "expires_at",
  });
  const rows = await sql<TokenRow[]>`
    select * from tokens where ${where} ${order} limit ${limit} offset ${offset}`;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from tokens where ${where}`;
  return { rows, total: count!.total };
}

/**
 * Returns an SQL condition: the token belongs to the caller's user, and to a workspace that the caller can
 * access.
 */
function isReached(sql: Sql, { userId, only }: Reach): Fragment {
  return only === null ? sql`user_id = ${userId}` : sql`user_id = ${userId} and workspace_id = ${only}`;
}
