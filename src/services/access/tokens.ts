/** Creates, checks and revokes API tokens. Only the response that creates a token contains its plain text. */
import { USE_RECORD_INTERVAL } from "../../domain/access/credential.ts";
import { INVALID_WORKSPACE, reachOf } from "./reach.ts";
import { abilitiesOf, effectiveAbilities, type Role } from "../../domain/access/roles.ts";
import { lackingOf } from "./lacking.ts";
import { type Owner, ownerOf } from "../../domain/access/owner.ts";
import { findWorkspace, ownWorkspace } from "../../store/access/workspaces.ts";
import type { Ability } from "../../domain/abilities.ts";
import { InvalidError, NotFoundError, UnauthenticatedError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import * as store from "../../store/access/tokens.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { keepingAdministrator } from "./administrator_access.ts";
import { hashSecret, newSecret } from "./secret_text.ts";

export type { TokenRow } from "../../store/access/tokens.ts";

export interface TokenInput {
  name: string;
  abilities: readonly Ability[];
  /** When the token expires; null if it never does. */
  expires_at: Date | null;
}

/** The stored row of a new token, and the token's plain text. The plain text is not stored. */
export interface IssuedToken {
  row: store.TokenRow;
  plain: string;
}

/**
 * Returns the caller that a token authenticates. Throws an {@link UnauthenticatedError} if the token is not
 * valid.
 */
export async function authenticateToken(services: ServiceContext, plain: string): Promise<Caller> {
  const now = services.clock.now();
  const row = await store.findCaller(services.database, hashSecret(plain));
  if (row === undefined) throw new UnauthenticatedError();
  const reason = invalidReason(row, now);
  if (reason !== null) {
    const credential = { kind: "token", id: row.id } as const;
    throw new UnauthenticatedError(undefined, { userId: row.user_id, credential, reason });
  }
  const stale = new Date(now.getTime() - USE_RECORD_INTERVAL);
  if (row.last_used_at === null || row.last_used_at <= stale) {
    await store.touchToken(services.database, row.id, now, stale);
  }
  return callerOf(row);
}

function invalidReason(
  { revoked_at, expires_at, is_user_deleted, role }: store.CallerRow,
  now: Date,
): string | null {
  if (is_user_deleted) return "Its user was deleted.";
  if (revoked_at !== null) return "The token is revoked.";
  if (role === null) return "Its user is not a member of the workspace any more.";
  return expires_at !== null && expires_at <= now ? "The token has expired." : null;
}

function callerOf(row: store.CallerRow): Caller {
  return {
    ...ownerOf(row),
    role: row.role!,
    credential: { kind: "token", id: row.id },
    isAdmin: row.is_admin,
    abilities: effectiveAbilities(row.abilities, { role: row.role!, isAdmin: row.is_admin }),
  };
}

/**
 * Reads a caller's token again. Returns what it permits now and when it expires; null if it is no longer
 * valid.
 */
export async function recheckToken(
  services: ServiceContext,
  id: number,
): Promise<{ caller: Caller; expiresAt: Date | null } | null> {
  const row = await store.findCallerById(services.database, id);
  if (row === undefined || invalidReason(row, services.clock.now()) !== null) return null;
  return { caller: callerOf(row), expiresAt: row.expires_at };
}

/** Creates a token without checking a caller's abilities. Used for the first administrator and new users. */
export function issueToken(
  services: ServiceContext,
  token: {
    userId: number;
    /** The workspace in which the token acts. Default: the user's own workspace. */
    workspaceId?: number;
    name: string;
    abilities: readonly Ability[];
    expiresAt: Date | null;
    /** The token's plain text, if an operator chose it; by default, the text is random. */
    plain?: string;
  },
): Promise<IssuedToken> {
  const { userId, name, abilities, expiresAt, plain } = token;
  return transaction(services.database, async (sql) => {
    const owner = { userId, workspaceId: token.workspaceId ?? await ownWorkspace(sql, userId) };
    return await insertToken(
      sql,
      owner,
      { name, abilities, expires_at: expiresAt },
      services.clock.now(),
      plain,
    );
  });
}

/** Creates a token in the caller's transaction, and returns it with its plain text. */
export async function insertToken(
  sql: Sql,
  owner: Owner,
  { name, abilities, expires_at }: TokenInput,
  now: Date,
  plain: string = newSecret("rg_"),
): Promise<IssuedToken> {
  const values = { name, abilities: [...new Set(abilities)], expires_at, token_hash: hashSecret(plain) };
  return { row: await store.insertToken(sql, owner, values, now), plain };
}

/**
 * Creates a token for the caller, and returns it with its plain text. Throws an {@link InvalidError} in these
 * cases:
 * - The caller lacks one of the token's abilities.
 * - The caller can't access the token's workspace.
 * - The caller's user is not a member of this workspace.
 *
 * @param token Without `workspaceId`, the token is for the workspace in which the caller acts.
 */
export function createToken(
  services: ServiceContext,
  caller: Caller,
  { workspaceId = caller.workspaceId, ...token }: TokenInput & { workspaceId?: number },
): Promise<IssuedToken> {
  refuseForeignAbilities(caller, token.abilities);
  const now = services.clock.now();
  refusePast(token.expires_at, now);
  return transaction(services.database, async (sql) => {
    const reach = { ...await reachOf(sql, caller), isAll: false };
    const workspace = await findWorkspace(sql, reach, workspaceId);
    if (workspace === undefined) throw new InvalidError(INVALID_WORKSPACE);
    refuseBeyondRole(workspace.role!, token.abilities);
    const issued = await insertToken(sql, { userId: caller.userId, workspaceId }, token, now);
    recordCreated(issued.row.id);
    return issued;
  });
}

export async function listTokens(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: ListOrder & { search?: string } = {},
): Promise<Page<store.TokenRow>> {
  return await store.listTokens(services.database, await reachOf(services.database, caller), window, choice);
}

export async function showToken(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<store.TokenRow> {
  return requireFound(
    await store.findTokenOf(services.database, await reachOf(services.database, caller), id),
  );
}

export function updateToken(
  services: ServiceContext,
  caller: Caller,
  id: number,
  { abilities, ...changes }: Partial<TokenInput>,
): Promise<store.TokenRow> {
  if (abilities !== undefined) refuseForeignAbilities(caller, abilities);
  const now = services.clock.now();
  refusePast(changes.expires_at ?? null, now);
  const columns = abilities === undefined ? changes : { ...changes, abilities: [...new Set(abilities)] };
  return transaction(
    services.database,
    async (sql) => {
      const reach = await reachOf(sql, caller);
      const update = () => store.updateToken(sql, reach, id, columns, now);
      const row = requireFound(await keepingAdministrator(services, sql, update));
      await notify(sql, { topic: "tokens_changed", user_id: caller.userId });
      return row;
    },
  );
}

/** Revokes a token of the caller. Requests with the token are refused, and open streams end. */
export function revokeToken(services: ServiceContext, caller: Caller, id: number): Promise<void> {
  return transaction(services.database, async (sql) => {
    const reach = await reachOf(sql, caller);
    const revoke = () => store.revokeToken(sql, reach, id, services.clock.now());
    if (!await keepingAdministrator(services, sql, revoke)) throw new NotFoundError("Token");
    await notify(sql, { topic: "tokens_changed", user_id: caller.userId });
  });
}

export function roleLacks(role: Role, ability: Ability): string {
  return `The role ${role} in this workspace lacks the ${ability} ability.`;
}

/**
 * Throws an {@link InvalidError} if the user's role lacks some of the abilities. The error has an entry for
 * each of these abilities.
 */
function refuseBeyondRole(role: Role, abilities: readonly Ability[]): void {
  const ofRole = abilitiesOf(role, true);
  const errors: Record<string, string[]> = {};
  abilities.forEach((ability, index) => {
    if (ofRole.has(ability)) return;
    errors[`abilities.${index}`] = [roleLacks(role, ability)];
  });
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
}

function refuseForeignAbilities(caller: Caller, abilities: readonly Ability[]): void {
  const errors: Record<string, string[]> = {};
  abilities.forEach((ability, index) => {
    if (caller.abilities.has(ability)) return;
    errors[`abilities.${index}`] = [`${lackingOf(caller, ability)} and so can't give it.`];
  });
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
}

/** Throws an {@link InvalidError} for a time that is not in the future. */
export function refusePast(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null || expiresAt > now) return;
  throw new InvalidError({ expires_at: ["The expires at field must be a time in the future."] });
}

function requireFound(row: store.TokenRow | undefined): store.TokenRow {
  if (row === undefined) throw new NotFoundError("Token");
  return row;
}

/** Returns whether an operator's token is valid. */
export function isValidToken({ clock, database }: ServiceContext, plain: string): Promise<boolean> {
  return store.isTokenValid(database, hashSecret(plain), clock.now());
}
