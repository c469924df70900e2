/** Writes runs and their attempts. logs.ts reads them for the API. */
import type { RunKind, RunState, RunTrigger } from "../../domain/run.ts";
import type { RestoreCounts } from "../../domain/restore.ts";
import { column, namesOf, type RowOf } from "../database/columns.ts";
import type { Sql } from "../database/sql.ts";

/** The columns that the API shows. */
export const SHOWN_COLUMNS = {
  id: column<number>(),
  user_id: column<number>(),
  workspace_id: column<number>(),
  kind: column<RunKind>(),
  backup_task_id: column<number | null>(),
  remote_server_id: column<number | null>(),
  backup_destination_id: column<number | null>(),
  /** The backup that the run reads; null for backup runs, and once the backup is deleted. */
  backup_id: column<number | null>(),
  trigger: column<RunTrigger>(),
  scheduled_for: column<Date | null>(),
  state: column<RunState>(),
  reason: column<string | null>(),
  warnings_count: column<number>(),
  /**
   * How many characters of output were received. `output_cut` is how many of them were cut out of the middle.
   */
  output_size: column<number>(),
  output_cut: column<number>(),
  /** What a restore was asked to restore and what it wrote, as counts. Null for all other runs. */
  restored: column<RestoreCounts | null>(),
  /**
   * When the run will be stopped because of its task's `run_timeout`; null before the start, and if the task
   * has no timeout.
   */
  timeout_at: column<Date | null>(),
  created_at: column<Date>(),
  started_at: column<Date | null>(),
  finished_at: column<Date | null>(),
};

const COLUMNS = {
  ...SHOWN_COLUMNS,
  /**
   * Options of a run that reads a backup, as `src/domain/restore.ts` defines them. They come from the request
   * for the run. Null without options.
   */
  options: column<object | null>(),
  attempt: column<number>(),
  deadline_at: column<Date | null>(),
  lease_expires_at: column<Date | null>(),
  /**
   * Directory for the objects of the newest attempt: an absolute path, or a key prefix. Null before the
   * dispatch, and for runs other than backups.
   */
  object_directory: column<string | null>(),
  object_prefix: column<string | null>(),
  object_stamp: column<string | null>(),
  encryption_password_encrypted: column<string | null>(),
  encryption_recipients: column<string[]>(),
  last_sequence: column<number>(),
  /** When the run last made progress; null before it began. */
  moved_at: column<Date | null>(),
  /** Cause of a stall, as the agent reports it; null if there is none. */
  waits_for: column<string | null>(),
  /**
   * How many seconds the scripts after the backup are allowed to take; null before the dispatch, and for runs
   * other than backups.
   */
  script_seconds: column<number | null>(),
};

export type RunRow = RowOf<typeof COLUMNS>;

const columns = namesOf(COLUMNS);

/** The columns that a change of a run's state may write in addition to the state. */
export type RunChange = Partial<
  Pick<
    RunRow,
    | "attempt"
    | "deadline_at"
    | "lease_expires_at"
    | "timeout_at"
    | "object_directory"
    | "object_prefix"
    | "object_stamp"
    | "encryption_password_encrypted"
    | "encryption_recipients"
    | "reason"
    | "warnings_count"
    | "started_at"
    | "finished_at"
    | "last_sequence"
    | "moved_at"
    | "script_seconds"
  >
>;

/**
 * Inserts a queued run and returns it. Rejects with a violation of `runs_one_active_backup` if the task
 * already has an active backup run.
 */
export async function insertRun(
  sql: Sql,
  run: Pick<
    RunRow,
    | "user_id"
    | "workspace_id"
    | "kind"
    | "backup_task_id"
    | "remote_server_id"
    | "backup_destination_id"
    | "backup_id"
    | "options"
    | "trigger"
    | "scheduled_for"
    | "deadline_at"
    | "created_at"
  >,
): Promise<RunRow> {
  const options = run.options && sql.json(run.options as never);
  const [row] = await sql<RunRow[]>`
    insert into runs ${sql({ ...run, options, state: "queued" })} returning ${sql(columns)}`;
  return row!;
}

/**
 * Inserts queued backup runs in one statement, and returns them. Rejects with a violation of
 * `runs_one_active_backup` if one of the tasks already has an active backup run.
 */
export function insertBackupRuns(
  sql: Sql,
  runs: readonly (
    & Pick<
      RunRow,
      "user_id" | "workspace_id" | "remote_server_id" | "backup_destination_id" | "scheduled_for" | "trigger"
    >
    & { backup_task_id: number }
  )[],
  { deadline_at, created_at }: { deadline_at: Date; created_at: Date },
): Promise<RunRow[]> {
  return sql<RunRow[]>`
    insert into runs (user_id, workspace_id, backup_task_id, remote_server_id, backup_destination_id, scheduled_for, trigger,
      kind, state, deadline_at, created_at)
    select *, 'backup', 'queued',
      ${deadline_at}::timestamptz, ${created_at}::timestamptz
    from unnest(
      ${runs.map((run) => run.user_id)}::bigint[],
      ${runs.map((run) => run.workspace_id)}::bigint[],
      ${runs.map((run) => run.backup_task_id)}::bigint[],
      ${runs.map((run) => run.remote_server_id)}::bigint[],
      ${runs.map((run) => run.backup_destination_id)}::bigint[],
      ${runs.map((run) => run.scheduled_for?.toISOString() ?? null)}::timestamptz[],
      ${runs.map((run) => run.trigger)}::text[]
    ) as new (user_id, workspace_id, backup_task_id, remote_server_id, backup_destination_id, scheduled_for, trigger)
    returning ${sql(columns)}`;
}

export async function findRunOf(sql: Sql, workspaceId: number, id: number): Promise<RunRow | undefined> {
  const [row] = await sql<RunRow[]>`
    select ${sql(columns)} from runs where id = ${id} and workspace_id = ${workspaceId}`;
  return row;
}

/**
 * Locks and returns these runs. Locks them in the order of their ids, so that two transactions cannot
 * deadlock.
 */
export function lockRuns(sql: Sql, ids: readonly number[]): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select ${sql(columns)} from runs where id in ${sql([...ids])} order by id for update`;
}

/** Locks and returns the task's active backup run; null if there is none. */
export async function lockActiveBackupRun(sql: Sql, taskId: number): Promise<RunRow | null> {
  const [row] = await sql<RunRow[]>`
    select ${sql(columns)} from runs
    where backup_task_id = ${taskId} and kind = 'backup' and state in ('queued', 'leased', 'running', 'cancelling')
    for update`;
  return row ?? null;
}

/** Locks the tasks' active backup runs. Returns a map from each task's id to its run's id. */
export async function lockActiveBackupRuns(
  sql: Sql,
  taskIds: readonly number[],
): Promise<Map<number, number>> {
  const rows = await sql<{ id: number; backup_task_id: number }[]>`
    select id, backup_task_id from runs
    where backup_task_id = any(${[...taskIds]}::bigint[]) and kind = 'backup'
      and state in ('queued', 'leased', 'running', 'cancelling')
    order by id for update`;
  return new Map(rows.map((row) => [row.backup_task_id, row.id]));
}

/**
 * Changes the state of a run. Returns false, and changes nothing, if the row is no longer in the state and
 * attempt of `run`.
 */
export async function moveRun(sql: Sql, run: RunRow, state: RunState, change: RunChange): Promise<boolean> {
  const { count } = await sql`
    update runs set ${sql({ ...change, state })}
    where id = ${run.id} and attempt = ${run.attempt} and state = ${run.state}`;
  return count === 1;
}

/** Locks and returns runs past their deadline. Skips runs that another replica has locked. */
export function lockOverdueRuns(sql: Sql, now: Date, limit: number): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select ${sql(columns)} from runs where deadline_at <= ${now}
    order by deadline_at limit ${limit} for update skip locked`;
}

export async function postponeDeadlines(sql: Sql, ids: readonly number[], deadlineAt: Date): Promise<void> {
  if (ids.length === 0) return;
  await sql`update runs set deadline_at = ${deadlineAt} where id = any(${[...ids]}::bigint[])`;
}

/**
 * Locks and returns running runs whose `timeout_at` is at `before` or earlier. Their agents should already
 * have ended them.
 */
export function lockTimedOutRuns(sql: Sql, before: Date, limit: number): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select ${sql(columns)} from runs where state = 'running' and timeout_at <= ${before}
    order by timeout_at limit ${limit} for update skip locked`;
}

/**
 * Returns an SQL condition: the run is unfinished. The text must match the indexes `runs_queued` and
 * `runs_active`.
 */
export const isActive = (sql: Sql) => sql`(state = 'queued' or state in ('leased', 'running', 'cancelling'))`;

/** Returns the number of the server's unfinished backup runs. */
export async function countActiveBackupRuns(sql: Sql, serverId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from runs
    where remote_server_id = ${serverId} and kind = 'backup' and ${isActive(sql)}`;
  return row!.count;
}

/**
 * Type of a slot on a server. Verifications and drills occupy `verification` slots, all other runs `transfer`
 * slots.
 */
export type RunSlot = "transfer" | "verification";

export function slotOf(kind: RunKind): RunSlot {
  return kind === "verify" || kind === "drill" ? "verification" : "transfer";
}

const occupiesSlot = (sql: Sql, slot: RunSlot) =>
  slot === "verification" ? sql`kind in ('verify', 'drill')` : sql`kind not in ('verify', 'drill')`;

/** Returns how many runs are assigned to the server's agent, by type of slot. */
export async function countAssignedRuns(sql: Sql, serverId: number): Promise<Record<RunSlot, number>> {
  const [row] = await sql<Record<RunSlot, number>[]>`
    select count(*) filter (where ${occupiesSlot(sql, "transfer")})::int as transfer,
      count(*) filter (where ${occupiesSlot(sql, "verification")})::int as verification
    from runs where remote_server_id = ${serverId} and state in ('leased', 'running', 'cancelling')`;
  return row!;
}

/**
 * Returns the ids of the runs that are ahead of a queued run on its server: first the assigned runs, then the
 * runs queued earlier. While all slots are occupied, the queued run has to wait for these runs.
 */
export async function runsAhead(sql: Sql, run: RunRow): Promise<number[]> {
  const isRestore = run.kind === "restore";
  const rows = await sql<{ id: number }[]>`
    select id from runs
    where remote_server_id = ${run.remote_server_id} and ${occupiesSlot(sql, slotOf(run.kind))} and (
      state in ('leased', 'running', 'cancelling')
      or state = 'queued' and case when kind = 'restore' then not ${isRestore} or id < ${run.id}
        else not ${isRestore} and id < ${run.id} end
    )
    order by state = 'queued', kind = 'restore' desc, id`;
  return rows.map(({ id }) => id);
}

/** Returns the ids of the servers among `serverIds` that have queued runs. */
export async function serversWithQueuedRuns(sql: Sql, serverIds: readonly number[]): Promise<number[]> {
  if (serverIds.length === 0) return [];
  const rows = await sql<{ id: number }[]>`
    select distinct remote_server_id as id from runs
    where state = 'queued' and remote_server_id = any(${[...serverIds]}::bigint[])`;
  return rows.map((row) => row.id);
}

/**
 * Locks a server until the transaction ends. So only one transaction at a time compares the number of the
 * server's runs with the server's limit. Returns the limit; null if the server does not exist.
 */
export async function lockServerLimit(sql: Sql, serverId: number): Promise<number | null> {
  const [row] = await sql<{ runs_at_once: number }[]>`
    select runs_at_once from remote_servers where id = ${serverId} for no key update`;
  return row?.runs_at_once ?? null;
}

/** Locks and returns a server's queued runs. Restores come first, because a person waits for them. */
export function lockQueuedRuns(
  sql: Sql,
  serverId: number,
  slot: RunSlot,
  limit: number,
): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select ${sql(columns)} from runs
    where remote_server_id = ${serverId} and state = 'queued' and ${occupiesSlot(sql, slot)}
    order by (kind = 'restore') desc, id limit ${Math.max(limit, 0)} for update skip locked`;
}

/** Renews the leases of these servers' running runs. The agents of these servers have just sent a message. */
export async function renewLeases(
  sql: Sql,
  serverIds: readonly number[],
  leaseExpiresAt: Date,
  deadlineAt: Date,
): Promise<void> {
  await sql`
    update runs set lease_expires_at = ${leaseExpiresAt}, deadline_at = ${deadlineAt}
    where remote_server_id = any(${[...serverIds]}::bigint[]) and state = 'running'`;
}

/**
 * Sets each deadline that is earlier than `notBefore` to `notBefore`. Called after a time in which no control
 * plane ran, so that agents get their full grace period.
 */
export async function extendDeadlines(sql: Sql, notBefore: Date): Promise<void> {
  await sql`
    update runs set deadline_at = ${notBefore}
    where state in ('running', 'leased', 'cancelling') and deadline_at < ${notBefore}`;
}

export async function insertAttempt(sql: Sql, run: RunRow, attempt: number, now: Date): Promise<void> {
  await sql`
    insert into run_attempts (run_id, attempt, remote_server_id, leased_at)
    values (${run.id}, ${attempt}, ${run.remote_server_id}, ${now})`;
}

export async function markAttemptAccepted(
  sql: Sql,
  runId: number,
  attempt: number,
  now: Date,
): Promise<void> {
  await sql`
    update run_attempts set accepted_at = coalesce(accepted_at, ${now})
    where run_id = ${runId} and attempt = ${attempt}`;
}

/** Records an agent's first verdict of an attempt. `applied` says whether the verdict changed the run. */
export async function recordVerdict(
  sql: Sql,
  { runId, attempt }: { runId: number; attempt: number },
  { verdict, applied, at }: { verdict: unknown; applied: boolean; at: Date },
): Promise<void> {
  await sql`
    update run_attempts
    set verdict = ${sql.json(verdict as never)}, verdict_applied = ${applied}, verdict_at = ${at}
    where run_id = ${runId} and attempt = ${attempt} and verdict is null`;
}

/** Returns whether the verdict of an attempt changed its run. */
export async function isVerdictApplied(sql: Sql, runId: number, attempt: number): Promise<boolean> {
  const rows = await sql`
    select from run_attempts where run_id = ${runId} and attempt = ${attempt} and verdict_applied`;
  return rows.length > 0;
}

/**
 * Returns the object stamp of the task's newest run that has one; null if there is none. Stamps increase from
 * run to run.
 */
export async function newestObjectStamp(sql: Sql, taskId: number): Promise<string | null> {
  const [row] = await sql<{ object_stamp: string }[]>`
    select object_stamp from runs where backup_task_id = ${taskId} and object_stamp is not null
    order by id desc limit 1`;
  return row?.object_stamp ?? null;
}
