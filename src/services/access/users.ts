/** Users: a caller's own account, and the administration of all users. */
import { lackingOf } from "./lacking.ts";
import { countRecords, type RecordCounts } from "../../store/access/record_counts.ts";
import {
  findWorkspace,
  ownWorkspace,
  soleWorkspaces,
  type WorkspaceRow,
} from "../../store/access/workspaces.ts";
import { findMember, solelyManaged } from "../../store/access/workspace_members.ts";
import { ABILITIES, type Ability } from "../../domain/abilities.ts";
import { abilitiesOf } from "../../domain/access/roles.ts";
import { ConflictError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { instantOf, wallTime } from "../../domain/timezone.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import * as store from "../../store/access/users.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { keepingAdministrator } from "./administrator_access.ts";
import { keptRecords } from "./kept_records.ts";
import { INVALID_WORKSPACE } from "./reach.ts";
import { insertToken, type IssuedToken, refusePast, roleLacks } from "./tokens.ts";
import { deletionTimeNow, noteTrashed } from "../retention/trash.ts";

export type { UserRow } from "../../store/access/users.ts";

export interface UserWithCounts {
  user: store.UserRow;
  /** The workspace in which the caller acts. */
  workspace: WorkspaceRow;
  counts: RecordCounts;
}

export async function showSelf(services: ServiceContext, caller: Caller): Promise<UserWithCounts> {
  const user = requireFound(await store.findUser(services.database, caller.userId));
  return await withCounts(services, services.database, caller, user);
}

/** Reads the caller's user and workspace, without the numbers that {@link showSelf} counts. */
export async function showIdentity(
  { database }: ServiceContext,
  caller: Caller,
): Promise<Pick<UserWithCounts, "user" | "workspace">> {
  const user = requireFound(await store.findUser(database, caller.userId));
  return { user, workspace: await workspaceOf(database, caller) };
}

export function updateSelf(
  services: ServiceContext,
  caller: Caller,
  changes: Partial<Pick<store.UserRow, "name" | "timezone" | "language">>,
): Promise<UserWithCounts> {
  return transaction(services.database, async (sql) => {
    const user = requireFound(await store.updateUser(sql, caller.userId, changes, services.clock.now()));
    return await withCounts(services, sql, caller, user);
  });
}

export function listUsers(
  services: ServiceContext,
  _caller: Caller,
  window: PageWindow,
  filter: store.UserFilter & ListOrder = {},
): Promise<Page<store.UserRow>> {
  return store.listUsers(services.database, filter, window);
}

export async function showUser(
  services: ServiceContext,
  _caller: Caller,
  id: number,
): Promise<store.UserRow> {
  return requireFound(await store.findUser(services.database, id));
}

/** Creates a user without a token. */
export function createUser(services: ServiceContext, user: store.NewUser): Promise<store.UserRow> {
  return transaction(services.database, async (sql) => {
    await refuseTakenEmail(sql, user.email, null);
    const row = await store.insertUser(sql, user, services.clock.now());
    recordCreated(row.id);
    return row;
  });
}

export function updateUser(
  services: ServiceContext,
  caller: Caller,
  id: number,
  changes: Partial<Pick<store.UserRow, "name" | "email" | "is_admin">>,
): Promise<store.UserRow> {
  return transaction(services.database, async (sql) => {
    if (id === caller.userId && changes.is_admin === false) {
      throw new ConflictError(
        "You can't take the administrator's rights from yourself; ask another administrator.",
      );
    }
    if (changes.is_admin === false) await refuseUnlessAdmin(sql, caller);
    if (changes.email !== undefined) await refuseTakenEmail(sql, changes.email, id);
    const update = () => store.updateUser(sql, id, changes, services.clock.now());
    const row = requireFound(
      await (changes.is_admin === false ? keepingAdministrator(services, sql, update) : update()),
    );
    await notify(sql, { topic: "tokens_changed", user_id: id });
    return row;
  });
}

/**
 * Puts a user into the trash and invalidates their tokens. Returns when the user will be deleted. Throws a
 * `ConflictError` if the user is the caller. Also throws it if the user is the only member of a workspace
 * that has backups, tasks, servers or destinations.
 */
export function deleteUser(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<{ deletes_at: Date }> {
  return transaction(services.database, async (sql) => {
    if (id === caller.userId) {
      throw new ConflictError("You can't delete yourself; ask another administrator.");
    }
    await refuseUnlessAdmin(sql, caller);
    const user = requireFound(await store.lockUser(sql, id));
    const kept = await keptRecords(services, sql, await soleWorkspaces(sql, id));
    if (kept.length > 0) {
      throw new ConflictError(`${user.name} still has ${kept.join(", ")}; delete those first.`);
    }
    const managed = await solelyManaged(sql, id);
    if (managed.length > 0) {
      throw new ConflictError(
        `${user.name} is the last manager of ${managed.join(", ")}. Make another member a manager first.`,
      );
    }
    const deletesAt = await deletionTimeNow(services, sql);
    await keepingAdministrator(services, sql, () => store.setUserDeletion(sql, id, deletesAt));
    await notify(sql, { topic: "tokens_changed", user_id: id });
    const news = { user_id: caller.userId, event: "delete", resource: "users", ends_at: deletesAt } as const;
    await noteTrashed(services, sql, news, [id]);
    return { deletes_at: deletesAt };
  });
}

/**
 * Takes a user out of the trash and makes their tokens valid again. A user who is not in the trash stays
 * unchanged.
 */
export function undeleteUser(services: ServiceContext, caller: Caller, id: number): Promise<store.UserRow> {
  return transaction(services.database, async (sql) => {
    await refuseUnlessAdmin(sql, caller);
    const user = requireFound(await store.lockTrashedUser(sql, id));
    if (user.deletes_at === null) return user;
    if (await store.isEmailTaken(sql, user.email, id)) {
      throw new ConflictError(`Another user has the email ${user.email} now. Change that one's first.`);
    }
    await store.setUserDeletion(sql, id, null);
    return { ...user, deletes_at: null };
  });
}

/**
 * Creates a token for another user, for example the user's first token or a replacement for a lost one. The
 * token gets at most the abilities of the caller's own token.
 */
export function createTokenFor(
  services: ServiceContext,
  caller: Caller,
  userId: number,
  token: {
    name: string;
    abilities: readonly Ability[] | null;
    expires_at: Date | null;
    workspaceId: number | null;
  },
): Promise<IssuedToken> {
  return transaction(services.database, async (sql) => {
    const user = requireFound(await store.lockUser(sql, userId));
    const workspaceId = token.workspaceId ?? await ownWorkspace(sql, userId);
    const member = await findMember(sql, workspaceId, userId);
    if (member === undefined) throw new InvalidError(INVALID_WORKSPACE);
    const ofUser = abilitiesOf(member.role, user.is_admin);
    const possible = new Set(ABILITIES.filter((each) => ofUser.has(each) && caller.abilities.has(each)));
    const abilities = token.abilities ?? [...possible];
    const errors: Record<string, string[]> = {};
    abilities.forEach((ability, index) => {
      if (possible.has(ability)) return;
      errors[`abilities.${index}`] = [
        !caller.abilities.has(ability)
          ? `${lackingOf(caller, ability)} and so can't give it.`
          : ability === "admin"
          ? `${user.name} is no administrator and so can't have the ${ability} ability.`
          : roleLacks(member.role, ability),
      ];
    });
    if (Object.keys(errors).length > 0) throw new InvalidError(errors);
    const now = services.clock.now();
    refusePast(token.expires_at, now);
    return await insertToken(sql, { userId, workspaceId }, { ...token, abilities }, now);
  });
}

async function withCounts(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  user: store.UserRow,
): Promise<UserWithCounts> {
  const wall = wallTime(user.timezone, services.clock.now());
  const today = instantOf(user.timezone, wall - wall % 86_400_000);
  const counts = await countRecords(sql, caller.workspaceId, today);
  return { user, workspace: await workspaceOf(sql, caller), counts };
}

async function workspaceOf(sql: Sql, { userId, workspaceId }: Caller): Promise<WorkspaceRow> {
  const workspace = await findWorkspace(sql, { userId, only: workspaceId, isAll: false }, workspaceId);
  return workspace!;
}

/**
 * Throws a `ConflictError` if the caller is no administrator any more. Locks the administrators. So if two of
 * them demote each other at the same time, only one succeeds.
 */
async function refuseUnlessAdmin(sql: Sql, caller: Caller): Promise<void> {
  const admins = await store.lockAdmins(sql);
  if (!admins.includes(caller.userId)) throw new ConflictError("You are no administrator any more.");
}

async function refuseTakenEmail(sql: Sql, email: string, exceptId: number | null): Promise<void> {
  if (await store.isEmailTaken(sql, email, exceptId)) {
    throw new InvalidError({ email: ["The email has already been taken."] });
  }
}

function requireFound(row: store.UserRow | undefined): store.UserRow {
  if (row === undefined) throw new NotFoundError("User");
  return row;
}
