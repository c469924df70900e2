/** Creates, lists, changes and deletes scripts. Agents run scripts before and after backups. */
import { newColumns } from "../../definitions/fields/columns.ts";
import type { NewInput } from "../../definitions/fields/field.ts";
import {
  normalizeScript,
  SCRIPT_FIELDS,
  type ScriptFields,
  type ScriptType,
} from "../../definitions/script_fields.ts";
import { ConflictError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import { transaction } from "../../store/database/database.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { Sql } from "../../store/database/sql.ts";
import * as store from "../../store/tasks/scripts.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";
import { deleteRecord, undeleteRecord } from "../retention/deleted_records.ts";

export type { ScriptDetailRow } from "../../store/tasks/scripts.ts";

/** Maximum number of tasks that an error message names. */
const MAX_NAMED = 5;

export function listScripts(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  choice: ListOrder & { search?: string; type?: ScriptType } = {},
): Promise<Page<store.ScriptDetailRow>> {
  return store.listScripts(services.database, caller.workspaceId, window, choice);
}

export function showScript(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<store.ScriptDetailRow> {
  return find(services.database, caller, id);
}

export function createScript(
  services: ServiceContext,
  caller: Caller,
  input: NewInput<ScriptFields>,
): Promise<store.ScriptDetailRow> {
  return transaction(services.database, async (sql) => {
    const script = newColumns(SCRIPT_FIELDS, { ...input, script: normalizeScript(input.script) });
    const id = await store.insertScript(sql, caller, script, services.clock.now());
    recordCreated(id);
    return await find(sql, caller, id);
  });
}

/**
 * Changes a script and returns it. Runs that are dispatched later use the new text; an active run keeps the
 * text that it was sent.
 */
export function updateScript(
  services: ServiceContext,
  caller: Caller,
  id: number,
  changes: Partial<store.NewScript>,
): Promise<store.ScriptDetailRow> {
  return transaction(services.database, async (sql) => {
    const of = { workspaceId: caller.workspaceId, id };
    const { script } = changes;
    const columns = script === undefined ? changes : { ...changes, script: normalizeScript(script) };
    if (!await store.updateScript(sql, of, columns, services.clock.now())) throw new NotFoundError("Script");
    return await find(sql, caller, id);
  });
}

/**
 * Deletes a script. Throws a {@link ConflictError} while tasks use the script, because these tasks would then
 * make backups without the script, and nobody would notice.
 */
export function deleteScript(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<{ deletes_at: Date }> {
  return transaction(services.database, async (sql) => {
    if (!await store.lockScript(sql, caller.workspaceId, id)) throw new NotFoundError("Script");
    const tasks = await store.tasksWithScript(sql, id);
    if (tasks.length > 0) throw new ConflictError(usedBy(tasks));
    return { deletes_at: await deleteRecord(services, sql, caller, { kind: "scripts", id }) };
  });
}

export function undeleteScript(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<store.ScriptDetailRow> {
  return undeleteRecord(services, caller, { kind: "scripts", id }, showScript);
}

function usedBy(tasks: readonly { id: number; label: string }[]): string {
  const named = tasks.slice(0, MAX_NAMED).map((task) => `${task.id} (${task.label})`);
  const more = tasks.length > MAX_NAMED ? ` and ${tasks.length - MAX_NAMED} more` : "";
  return `The script is used by ${pluralize(tasks.length, "backup task")}: ${named.join(", ")}${more}. ` +
    "Take it out of their script_ids first, then delete it.";
}

async function find(sql: Sql, caller: Caller, id: number): Promise<store.ScriptDetailRow> {
  const row = await store.findScriptOf(sql, caller.workspaceId, id);
  if (row === undefined) throw new NotFoundError("Script");
  return row;
}
