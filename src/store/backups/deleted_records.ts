/** Stores deleted tasks, streams, scripts and tags, so that their deletion can be undone. */
import type { PageWindow } from "../../domain/page.ts";
import type { Page } from "../database/page.ts";
import type { Sql } from "../database/sql.ts";

/** A table whose rows connect a record with other records. */
interface RelationTable {
  readonly table: string;
  /** The column that refers to the deleted record. */
  readonly owner: string;
  /** The column that refers to another record, and that record's table. Null if there is no other record. */
  readonly other: { readonly column: string; readonly table: string } | null;
}

const TAGS = { column: "tag_id", table: "tags" };
const TASKS = { column: "backup_task_id", table: "backup_tasks" };
const STREAMS = { column: "notification_stream_id", table: "notification_streams" };
const SCRIPTS = { column: "script_id", table: "scripts" };

/** The kinds of records, as in the API's paths, with the tables that hold them. */
const KINDS = {
  "backup-tasks": {
    table: "backup_tasks",
    relations: [
      { table: "backup_task_tags", owner: "backup_task_id", other: TAGS },
      { table: "backup_task_notification_streams", owner: "backup_task_id", other: STREAMS },
      { table: "backup_task_scripts", owner: "backup_task_id", other: SCRIPTS },
      { table: "task_triggers", owner: "backup_task_id", other: null },
    ],
  },
  "notification-streams": {
    table: "notification_streams",
    relations: [{ table: "backup_task_notification_streams", owner: "notification_stream_id", other: TASKS }],
  },
  "scripts": { table: "scripts", relations: [] },
  "tags": { table: "tags", relations: [{ table: "backup_task_tags", owner: "tag_id", other: TASKS }] },
} satisfies Record<string, { table: string; relations: readonly RelationTable[] }>;

export type DeletedKind = keyof typeof KINDS;
export const DELETED_KINDS = Object.keys(KINDS) as DeletedKind[];

type Row = Record<string, unknown>;

export interface DeletedRecordRow {
  id: number;
  workspace_id: number;
  /** Who deleted the record; null if this user is deleted. */
  user_id: number | null;
  email: string | null;
  kind: DeletedKind;
  record_id: number;
  label: string;
  created_at: Date;
  deletes_at: Date;
}

/** A deleted record with its rows, by table. The encrypted values are in `secrets`. */
export interface StoredRecord extends DeletedRecordRow {
  rows: Readonly<Record<string, Row[]>>;
  secrets: Readonly<Record<string, string>>;
}

/**
 * Deletes a record and stores it. The caller must have locked the record's row.
 *
 * @param userId Who deletes the record.
 */
export async function moveToDeleted(
  sql: Sql,
  { kind, id, userId }: { kind: DeletedKind; id: number; userId: number },
  { now, deletesAt }: { now: Date; deletesAt: Date },
): Promise<void> {
  const { table, relations } = KINDS[kind] as { table: string; relations: readonly RelationTable[] };
  const rows: Record<string, Row[]> = { [table]: await rowsOf(sql, table, "id", id) };
  for (const relation of relations) {
    rows[relation.table] = await rowsOf(sql, relation.table, relation.owner, id);
  }
  const [record] = rows[table]!;
  const { row, secrets } = separateSecrets(record!);
  rows[table] = [row];
  await sql`
    insert into deleted_records ${
    sql({
      workspace_id: row.workspace_id as number,
      user_id: userId,
      kind,
      record_id: id,
      label: row.label as string,
      rows: sql.json(rows as never),
      secrets: sql.json(secrets),
      created_at: now,
      deletes_at: deletesAt,
    })
  }`;
  if (kind === "backup-tasks") {
    await sql`update runs set deleted_task_id = ${id} where backup_task_id = ${id}`;
    await sql`update backups set deleted_task_id = ${id} where backup_task_id = ${id}`;
  }
  await sql`delete from ${sql(table)} where id = ${id}`;
}

async function rowsOf(sql: Sql, table: string, column: string, id: number): Promise<Row[]> {
  const rows = await sql<{ row: Row }[]>`
    select to_jsonb(t) as row from ${sql(table)} t where ${sql(column)} = ${id}`;
  return rows.map(({ row }) => row);
}

/** Columns with an object of encrypted values. */
const SECRET_OBJECTS = ["source_secrets", "secrets"];

/**
 * Moves the encrypted values of a row into the object `secrets`. This object is stored in the column
 * `secrets`, where a rotation of keys finds the values. A value from an object of encrypted values gets the
 * name `column.name`.
 */
function separateSecrets(record: Row): { row: Row; secrets: Record<string, string> } {
  const row = { ...record };
  const secrets: Record<string, string> = {};
  for (const [column, value] of Object.entries(record)) {
    if (column.endsWith("_encrypted") && typeof value === "string") {
      secrets[column] = value;
      row[column] = null;
    } else if (SECRET_OBJECTS.includes(column)) {
      for (const [name, sealed] of Object.entries(value ?? {})) secrets[`${column}.${name}`] = sealed;
      row[column] = {};
    }
  }
  return { row, secrets };
}

function withSecrets(record: Row, secrets: Readonly<Record<string, string>>): Row {
  const row = { ...record };
  for (const [path, sealed] of Object.entries(secrets)) {
    const [column, name] = path.split(".") as [string, string?];
    row[column] = name === undefined ? sealed : { ...row[column] as Row, [name]: sealed };
  }
  return row;
}

/** Locks a deleted record of the workspace, if its deletion can still be undone. Returns the record. */
export async function lockDeletedRecord(
  sql: Sql,
  workspaceId: number,
  { kind, id }: { kind: DeletedKind; id: number },
  now: Date,
): Promise<StoredRecord | undefined> {
  const [row] = await sql<StoredRecord[]>`
    select * from deleted_records
    where kind = ${kind} and record_id = ${id} and workspace_id = ${workspaceId} and deletes_at > ${now}
    for update`;
  return row;
}

/**
 * Inserts a deleted record again, with its former id, and removes it from `deleted_records`. Its relations to
 * other records are restored too, except to records that no longer exist.
 *
 * @param changes Columns that get another value than the record had before the deletion.
 */
export async function insertAgain(sql: Sql, stored: StoredRecord, changes: Row): Promise<void> {
  const { table, relations } = KINDS[stored.kind] as { table: string; relations: readonly RelationTable[] };
  const record = { ...withSecrets(stored.rows[table]![0]!, stored.secrets), ...changes };
  await insertRow(sql, table, record, null);
  for (const { table, other } of relations) {
    for (const row of stored.rows[table] ?? []) await insertRow(sql, table, row, other);
  }
  if (stored.kind === "backup-tasks") {
    const id = stored.record_id;
    await sql`update runs set backup_task_id = ${id}, deleted_task_id = null where deleted_task_id = ${id}`;
    await sql`update backups set backup_task_id = ${id}, deleted_task_id = null where deleted_task_id = ${id}`;
  }
  await sql`delete from deleted_records where id = ${stored.id}`;
}

/** Inserts a row with those of its columns that the table still has. Columns that are newer get defaults. */
async function insertRow(sql: Sql, table: string, row: Row, other: RelationTable["other"]): Promise<void> {
  const present = await sql<{ name: string }[]>`
    select column_name as name from information_schema.columns
    where table_schema = current_schema() and table_name = ${table} and is_generated = 'NEVER'`;
  const columns = present.map(({ name }) => name).filter((name) => row[name] !== undefined);
  await sql`
    insert into ${sql(table)} (${sql(columns)}) overriding system value
    select ${sql(columns)} from jsonb_populate_record(null::${sql(table)}, ${sql.json(row as never)}) given
    where ${
    other === null
      ? sql`true`
      : sql`exists (select from ${sql(other.table)} where id = ${row[other.column] as number} for key share)`
  }`;
}

/** Returns the ids of a deleted task's backups that went to the trash together with the task. */
export async function backupsTrashedWith(
  sql: Sql,
  { record_id, created_at }: StoredRecord,
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from backups
    where deleted_task_id = ${record_id} and removal_requested_at = ${created_at} and removal_reason = 'request'
      and removal_begun_at is null
    order by id for update`;
  return rows.map(({ id }) => id);
}

/** Returns a page of the workspace's deleted records of these kinds, the latest deletion first. */
export async function listDeletedRecords(
  sql: Sql,
  workspaceId: number,
  { kinds, now }: { kinds: readonly DeletedKind[]; now: Date },
  { offset, limit }: PageWindow,
): Promise<Page<DeletedRecordRow>> {
  const where = sql`d.workspace_id = ${workspaceId} and d.kind = any(${[
    ...kinds,
  ]}) and d.deletes_at > ${now}`;
  const rows = await sql<DeletedRecordRow[]>`
    select d.id, d.workspace_id, d.user_id, u.email, d.kind, d.record_id, d.label, d.created_at, d.deletes_at
    from deleted_records d left join users u on u.id = d.user_id
    where ${where} order by d.id desc limit ${limit} offset ${offset}`;
  const [count] = await sql<
    { total: number }[]
  >`select count(*) as total from deleted_records d where ${where}`;
  return { rows, total: count!.total };
}

/** Deletes the records whose deletion can no longer be undone. */
export async function purgeDeletedRecords(sql: Sql, now: Date): Promise<void> {
  const rows = await sql<{ kind: DeletedKind; record_id: number }[]>`
    delete from deleted_records where deletes_at <= ${now} returning kind, record_id`;
  const tasks = rows.filter(({ kind }) => kind === "backup-tasks").map(({ record_id }) => record_id);
  if (tasks.length === 0) return;
  await sql`update runs set deleted_task_id = null where deleted_task_id = any(${tasks}::bigint[])`;
  await sql`update backups set deleted_task_id = null where deleted_task_id = any(${tasks}::bigint[])`;
}
