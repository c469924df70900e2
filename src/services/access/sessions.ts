/** Log-in sessions: opens, checks, lists and ends them. Only the cookie contains a session's secret. */
import { USE_RECORD_INTERVAL } from "../../domain/access/credential.ts";
import { abilitiesOf } from "../../domain/access/roles.ts";
import { networkOf } from "../../domain/access/client_network.ts";
import { NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { FRESH_LOGIN, SESSION_IDLE, SESSION_LIFETIME, sessionEnd } from "../../domain/access/session.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { Sql } from "../../store/database/sql.ts";
import * as store from "../../store/access/sessions.ts";
import { ownWorkspace } from "../../store/access/workspaces.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { reachesAccount } from "./reach.ts";
import { hashSecret, newSecret } from "./secret_text.ts";

export type { SessionRow } from "../../store/access/sessions.ts";

/** Maximum number of characters of a browser's name. The rest of the name is not stored. */
const MAX_USER_AGENT = 255;

/** Who opens a session: the client's address and the name of its program. */
export interface LoginClient {
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** A session, and the secret for its cookie. Only a hash of the secret is stored. */
export interface OpenedSession {
  readonly row: store.SessionRow;
  readonly plain: string;
}

/**
 * Opens a session in the caller's transaction. The session gets a new secret, never one that the client has
 * sent.
 *
 * @param authenticatedAt When the user proved who they are.
 */
export async function openSession(
  sql: Sql,
  userId: number,
  { address, userAgent }: LoginClient,
  now: Date,
  authenticatedAt: Date = now,
): Promise<OpenedSession> {
  const plain = newSecret("rgs_");
  const row = await store.insertSession(sql, {
    user_id: userId,
    token_hash: hashSecret(plain),
    created_at: now,
    authenticated_at: authenticatedAt,
    last_used_at: now,
    expires_at: new Date(now.getTime() + SESSION_LIFETIME),
    address,
    network: address === null ? null : networkOf(address),
    user_agent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
  });
  return { row, plain };
}

/**
 * Returns the user of a session as a caller. Throws an {@link UnauthenticatedError} if the session is not
 * valid.
 */
export async function authenticateSession(services: ServiceContext, plain: string): Promise<Caller> {
  const now = services.clock.now();
  const row = await store.findSession(services.database, hashSecret(plain));
  if (row === undefined) throw new UnauthenticatedError();
  const reason = invalidReason(row, now);
  if (reason !== null) {
    const credential = { kind: "session", id: row.id } as const;
    throw new UnauthenticatedError(undefined, { userId: row.user_id, credential, reason });
  }
  const stale = new Date(now.getTime() - USE_RECORD_INTERVAL);
  if (row.last_used_at <= stale) await store.touchSession(services.database, row.id, now, stale);
  return await callerOf(services, row);
}

function invalidReason(row: store.SessionCallerRow, now: Date): string | null {
  if (row.is_user_deleted) return "Its user was deleted.";
  if (row.ended_at !== null) return "The session has ended.";
  return sessionEnd(row) <= now ? "The session has expired." : null;
}

/**
 * Returns the user of a session as a caller. If the user has left the session's workspace, the caller acts in
 * the user's own workspace.
 */
async function callerOf({ database }: ServiceContext, row: store.SessionCallerRow): Promise<Caller> {
  const isMember = row.workspace_id !== null && row.role !== null;
  const role = isMember ? row.role! : "manager";
  return {
    userId: row.user_id,
    workspaceId: isMember ? row.workspace_id! : await ownWorkspace(database, row.user_id),
    role,
    credential: { kind: "session", id: row.id },
    isAdmin: row.is_admin,
    lacksSecondFactor: row.lacks_second_factor,
    abilities: abilitiesOf(role, row.is_admin),
  };
}

/** Reads the caller's session again. Returns what it permits now and when it ends; null if it has ended. */
export async function recheckSession(
  services: ServiceContext,
  id: number,
): Promise<{ caller: Caller; expiresAt: Date } | null> {
  const row = await store.findSessionById(services.database, id);
  if (row === undefined || invalidReason(row, services.clock.now()) !== null) return null;
  return { caller: await callerOf(services, row), expiresAt: sessionEnd(row) };
}

/** Returns the session of the caller. Throws an {@link UnauthenticatedError} if the caller has none. */
export async function ownSession(services: ServiceContext, caller: Caller): Promise<store.SessionRow> {
  const row = await store.findSessionById(services.database, caller.credential.id);
  if (row === undefined) throw new UnauthenticatedError();
  return row;
}

/** Returns whether the caller has recently entered a password. Always true for a token. */
export async function isFreshLogin(services: ServiceContext, caller: Caller): Promise<boolean> {
  if (caller.credential.kind === "token") return true;
  const { authenticated_at } = await ownSession(services, caller);
  return authenticated_at.getTime() + FRESH_LOGIN > services.clock.now().getTime();
}

/** Lists the caller's sessions that have not ended. */
export async function listSessions(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: ListOrder = {},
): Promise<Page<store.SessionRow & { is_current: boolean }>> {
  const now = services.clock.now();
  const alive = { now, idleSince: new Date(now.getTime() - SESSION_IDLE) };
  if (!await reachesAccount(services.database, caller)) return { rows: [], total: 0 };
  const { rows, total } = await store.listSessions(services.database, caller.userId, alive, window, choice);
  return { rows: rows.map((row) => ({ ...row, is_current: isCurrent(caller, row.id) })), total };
}

export function isCurrent({ credential }: Caller, id: number): boolean {
  return credential.kind === "session" && credential.id === id;
}

/** Ends a session of the caller. Requests with its cookie are refused, and open streams end. */
export function endSession(services: ServiceContext, caller: Caller, id: number): Promise<void> {
  return transaction(services.database, async (sql) => {
    const isEnded = await reachesAccount(sql, caller) &&
      await store.endSession(sql, caller.userId, id, services.clock.now());
    if (!isEnded) throw new NotFoundError("Session");
    await notify(sql, { topic: "tokens_changed", user_id: caller.userId });
  });
}
