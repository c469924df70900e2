/** Tags, with which users label their tasks. */
import { newColumns } from "../../definitions/fields/columns.ts";
import type { NewInput } from "../../definitions/fields/field.ts";
import { TAG_FIELDS, type TagFields } from "../../definitions/tag_fields.ts";
import { NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import * as store from "../../store/tasks/tags.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { deleteRecord, undeleteRecord } from "../retention/deleted_records.ts";

export type { TagRow } from "../../store/tasks/tags.ts";

export function listTags(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: ListOrder & { search?: string } = {},
): Promise<Page<store.TagRow>> {
  return store.listTags(services.database, caller.workspaceId, window, choice);
}

export async function showTag(services: ServiceContext, caller: Caller, id: number): Promise<store.TagRow> {
  return found(await store.findTagOf(services.database, caller.workspaceId, id));
}

/** Returns whether the tag belongs to the caller's workspace. */
export async function isTagOf(services: ServiceContext, caller: Caller, id: number): Promise<boolean> {
  return await store.findTagOf(services.database, caller.workspaceId, id) !== undefined;
}

export function createTag(
  services: ServiceContext,
  caller: Caller,
  input: NewInput<TagFields>,
): Promise<store.TagRow> {
  return transaction(services.database, async (sql) => {
    const tag = newColumns(TAG_FIELDS, input);
    const row = await store.insertTag(sql, caller, tag, services.clock.now());
    recordCreated(row.id);
    return row;
  });
}

export function updateTag(
  services: ServiceContext,
  caller: Caller,
  id: number,
  changes: Partial<store.NewTag>,
): Promise<store.TagRow> {
  return transaction(
    services.database,
    async (sql) => found(await store.updateTag(sql, caller.workspaceId, id, changes, services.clock.now())),
  );
}

/** Deletes a tag, and removes the tag from all tasks. Returns until when this can be undone. */
export function deleteTag(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<{ deletes_at: Date }> {
  return transaction(services.database, async (sql) => {
    if (!await store.lockTag(sql, caller.workspaceId, id)) throw new NotFoundError("Tag");
    return { deletes_at: await deleteRecord(services, sql, caller, { kind: "tags", id }) };
  });
}

/** Undoes the deletion of a tag. The tasks that had it have it again. */
export function undeleteTag(services: ServiceContext, caller: Caller, id: number): Promise<store.TagRow> {
  return undeleteRecord(services, caller, { kind: "tags", id }, showTag);
}

function found(row: store.TagRow | undefined): store.TagRow {
  if (row === undefined) throw new NotFoundError("Tag");
  return row;
}
