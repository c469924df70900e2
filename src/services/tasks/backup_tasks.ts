/** Creates, changes, lists and pauses backup tasks. */
import { columnNames, columnsOf, newColumns } from "../../definitions/fields/columns.ts";
import {
  databaseNameProblems,
  definitionOfTask,
  foreignSourceFields,
  missingSourceFields,
  type SourceTask,
} from "../../definitions/sources/registry.ts";
import { TASK_ENCRYPTION_FIELDS } from "../../definitions/task_encryption_fields.ts";
import { TASK_FIELDS } from "../../definitions/task_fields.ts";
import { TASK_RETENTION_FIELDS } from "../../definitions/task_retention_fields.ts";
import { TASK_SCHEDULE_FIELDS } from "../../definitions/task_schedule_fields.ts";
import { sourceValues } from "../../definitions/task_source_fields.ts";
import {
  changeSchedule,
  missingScheduleFields,
  NO_SCHEDULE,
  type ScheduleFields,
  withDefaultWeekday,
} from "../../domain/backup_task.ts";
import { ForbiddenError, InvalidError, NotFoundError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import { nextRun } from "../../domain/schedules/schedule.ts";
import { recordCreated } from "../../store/access/audited_request.ts";
import {
  type BackupTaskDetailRow,
  type BackupTaskFilter,
  type BackupTaskRow,
  findBackupTaskDetail,
  findBackupTaskOf,
  hasActiveBackupRun,
  insertBackupTask,
  listBackupTasks as listRows,
  listUpcomingBackupTasks,
  lockBackupTask,
  timezoneOfUser,
  updateBackupTask as updateRow,
} from "../../store/tasks/backup_tasks.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notify } from "../../store/database/event_bus.ts";
import type { ListOrder, Page } from "../../store/database/page.ts";
import type { ProtectionStatus } from "../../domain/protection.ts";
import { tasksByProtection } from "./overview.ts";
import { type Protection, protectionOf, refreshProtection } from "./protection.ts";
import { definesAnotherSource } from "./backup_task_source.ts";
import {
  type BackupTaskInput,
  encryptionProblems,
  locationProblems,
  type NewBackupTaskInput,
  referenceProblems,
  replaceRelations,
} from "./backup_task_input.ts";
import type { Caller, ServiceContext } from "../context.ts";

export type { BackupTaskRow };

/** A task as the API shows it. */
export type BackupTaskDetail = BackupTaskDetailRow & { protection: Protection };

const RESOURCE = "Backup task";

/** Fields that decide whether the task's database names are valid. */
const NAMES = ["type", "database_type", "database_name"] as const;

export async function createBackupTask(
  services: ServiceContext,
  caller: Caller,
  input: NewBackupTaskInput,
): Promise<BackupTaskDetail> {
  refuseUsers(caller, input);
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const timezone = input.timezone ?? await timezoneOfUser(sql, caller.userId);
    const schedule = withDefaultWeekday(changeSchedule(NO_SCHEDULE, input), timezone, now);
    const columns = newColumns(TASK_FIELDS, input, (secret) => services.keyring.encrypt(secret));
    const source = sourceValues(columns);
    refuse({
      ...databaseNameProblems(source),
      ...foreignSourceFields(source),
      ...missingSourceFields(source),
      ...missingScheduleFields(schedule),
      ...encryptionProblems(columns),
      ...await locationProblems(sql, caller.workspaceId, columns),
      ...await referenceProblems(sql, caller.workspaceId, input),
    });
    const id = await insertBackupTask(sql, caller, {
      ...columns,
      ...schedule,
      timezone,
      next_run_at: nextRun({ ...schedule, timezone }, now),
    }, now);
    recordCreated(id);
    await replaceRelations(sql, id, input);
    await refreshProtection(sql, id);
    await notify(sql, { topic: "schedule_changed" });
    return await detail(services, sql, caller, id);
  });
}

/** Changes only the fields that `input` names. The next due time changes only if the schedule changes. */
export async function updateBackupTask(
  services: ServiceContext,
  caller: Caller,
  id: number,
  input: BackupTaskInput,
): Promise<BackupTaskDetail> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const task = await lockBackupTask(sql, caller.workspaceId, id);
    if (task === undefined) throw new NotFoundError(RESOURCE);
    refuseUsers(caller, { ...task, ...input });
    const timezone = input.timezone ?? task.timezone;
    const schedule = withDefaultWeekday(changeSchedule(task, input), timezone, task.created_at);
    const columns = {
      ...columnsOf(TASK_FIELDS, input, (secret) => services.keyring.encrypt(secret), task),
      ...schedule,
      timezone,
    };
    const changed = { ...task, ...columns };
    const source = sourceValues(changed);
    refuse({
      ...NAMES.some((field) => input[field] !== undefined) ? databaseNameProblems(source) : {},
      ...foreignSourceFields(source),
      ...missingSourceFields(source),
      ...missingScheduleFields(changed),
      ...encryptionProblems(changed),
      ...namesLocation(input) ? await locationProblems(sql, caller.workspaceId, changed) : {},
      ...await referenceProblems(sql, caller.workspaceId, input),
    });
    const moved = scheduleMoved(task, { ...schedule, timezone });
    await updateRow(sql, id, {
      ...columns,
      ...moved ? { next_run_at: nextRun({ ...schedule, timezone }, now) } : {},
      ...definesAnotherSource(task, columns) ? { source_changed_at: now } : {},
      ...moved || definesAnotherSource(task, columns) ? { promised_at: now } : {},
      ...changesRetention(task, columns) ? { retention_changed_at: now } : {},
    }, now);
    await replaceRelations(sql, id, input);
    await refreshProtection(sql, id);
    if (moved) await notify(sql, { topic: "schedule_changed" });
    return await detail(services, sql, caller, id);
  });
}

/**
 * Returns whether an update sets the directory or the destination. Other updates do not check the directory,
 * because the directory of an older task might no longer be valid.
 */
function namesLocation({ store_path, backup_destination_id }: BackupTaskInput): boolean {
  return store_path !== undefined || backup_destination_id !== undefined;
}

export async function showBackupTask(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupTaskDetail> {
  return await detail(services, services.database, caller, id);
}

export async function listBackupTasks(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
  { protection, ...choice }: Omit<BackupTaskFilter, "ids"> & ListOrder & { protection?: ProtectionStatus } =
    {},
): Promise<Page<BackupTaskDetail>> {
  const { offset, limit } = window;
  const now = services.clock.now();
  const isRanked = choice.sort?.endsWith("protection") ?? false;
  const ids = protection === undefined && !isRanked
    ? undefined
    : await tasksByProtection(services, caller, protection);
  if (choice.sort === "-protection") ids!.reverse();
  const filter = ids === undefined ? choice : { ...choice, ids };
  const { rows, total } = await listRows(services.database, caller.workspaceId, offset, limit, filter);
  return { rows: rows.map((row) => shownAt(row, now)), total };
}

/** Lists the tasks that run on a schedule, ordered by their next due time. */
export function listUpcoming(
  services: ServiceContext,
  caller: Caller,
  window: PageWindow,
): Promise<Page<BackupTaskRow>> {
  return listUpcomingBackupTasks(services.database, caller.workspaceId, window.offset, window.limit);
}

export async function backupTaskStatus(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<{ id: number; is_running: boolean }> {
  const task = await findBackupTaskOf(services.database, caller.workspaceId, id) ?? notFound();
  return { id: task.id, is_running: await hasActiveBackupRun(services.database, id) };
}

/**
 * Pauses a task, so that no new run of it can start. A run in progress continues. Pausing it again changes
 * nothing.
 */
export function pauseBackupTask(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupTaskDetail> {
  return changePause(services, caller, id, (task, now) => ({ paused_at: task.paused_at ?? now }));
}

/** Resumes a paused task. Due times that passed during the pause are skipped. */
export function resumeBackupTask(
  services: ServiceContext,
  caller: Caller,
  id: number,
): Promise<BackupTaskDetail> {
  return changePause(
    services,
    caller,
    id,
    (task, now) => task.paused_at === null ? {} : resumed(task, now),
  );
}

function resumed(task: BackupTaskRow, now: Date) {
  return { paused_at: null, next_run_at: nextRun(task, now), promised_at: now };
}

async function changePause(
  services: ServiceContext,
  caller: Caller,
  id: number,
  change: (
    task: BackupTaskRow,
    now: Date,
  ) => Partial<Pick<BackupTaskRow, "paused_at" | "next_run_at" | "promised_at">>,
): Promise<BackupTaskDetail> {
  return await transaction(services.database, async (sql) => {
    const now = services.clock.now();
    const task = await lockBackupTask(sql, caller.workspaceId, id) ?? notFound();
    await updateRow(sql, id, change(task, now), now);
    await refreshProtection(sql, id);
    await notify(sql, { topic: "schedule_changed" });
    return await detail(services, sql, caller, id);
  });
}

async function detail(
  services: ServiceContext,
  sql: Sql,
  caller: Caller,
  id: number,
): Promise<BackupTaskDetail> {
  const row = await findBackupTaskDetail(sql, caller.workspaceId, id) ?? notFound();
  return shownAt(row, services.clock.now());
}

/**
 * Adds values that depend on the current time: the protection, and the next due time of a paused task. A
 * paused task's stored due time might be in the past, because the scheduler does not update it.
 */
function shownAt(row: BackupTaskDetailRow, now: Date): BackupTaskDetail {
  const next_run_at = row.paused_at === null ? row.next_run_at : nextRun(row, now);
  return { ...row, next_run_at, protection: protectionOf(row, now) };
}

function scheduleMoved(before: ScheduleFields & { timezone: string }, after: typeof before): boolean {
  return columnNames(TASK_SCHEDULE_FIELDS).some((field) => before[field] !== after[field]);
}

const RETENTION_COLUMNS = [
  ...columnNames(TASK_RETENTION_FIELDS),
  ...columnNames(TASK_ENCRYPTION_FIELDS),
  "timezone",
  "backup_destination_id",
  "store_path",
] as const;

/**
 * Returns whether an update might cause retention to remove backups that the user still needs. This can
 * happen if rules or periods change. It can also happen if newer backups have another source, location or
 * secret.
 */
function changesRetention(before: BackupTaskRow, columns: Partial<BackupTaskRow>): boolean {
  return definesAnotherSource(before, columns) ||
    RETENTION_COLUMNS.some((field) =>
      columns[field] !== undefined && JSON.stringify(columns[field]) !== JSON.stringify(before[field])
    );
}

/**
 * Only administrators are allowed to back up a source that contains the records of all users. Throws a
 * `ForbiddenError` if the task has such a source and the caller is not an administrator.
 */
function refuseUsers(caller: Caller, task: SourceTask): void {
  if (!definitionOfTask(task)?.isForAdministrators || caller.abilities.has("admin")) return;
  throw new ForbiddenError(
    "Backing up the control plane takes an administrator's token with the admin ability.",
  );
}

function refuse(errors: Record<string, string[]>): void {
  if (Object.keys(errors).length > 0) throw new InvalidError(errors);
}

function notFound(): never {
  throw new NotFoundError(RESOURCE);
}
