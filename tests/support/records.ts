/** Records that a test needs before it begins: through the API where callers make them, as rows where agents do. */
import assert from "node:assert/strict";
import type { Database } from "../../src/store/database.ts";
import type { ApiClient } from "./api.ts";

// deno-lint-ignore no-explicit-any
type Fields = Record<string, any>;

async function created(client: ApiClient, path: string, fields: Fields): Promise<number> {
  const answer = await client.call("POST", path, fields);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.data.id;
}

let lastOctet = 0;

export function newServer(client: ApiClient, fields: Fields = {}): Promise<number> {
  const ip_address = `192.0.2.${++lastOctet % 250}`;
  return created(client, "/api/remote-servers", { label: "web", ip_address, ...fields });
}

export function newDestination(client: ApiClient, fields: Fields = {}): Promise<number> {
  return created(client, "/api/backup-destinations", {
    label: "disk",
    type: "local",
    ...fields.type === undefined ? { local_path: "/backups" } : {},
    ...fields,
  });
}

/** A daily task of `/home` on a server and with a destination of its own. */
export async function newTask(client: ApiClient, fields: Fields = {}): Promise<number> {
  return await created(client, "/api/backup-tasks", {
    remote_server_id: fields.remote_server_id ?? await newServer(client),
    backup_destination_id: fields.backup_destination_id ?? await newDestination(client),
    label: "Home",
    type: "files",
    source_path: "/home",
    ...(fields.custom_cron_expression === undefined ? { frequency: "daily", time_to_run_at: "01:00" } : {}),
    ...fields,
  });
}

/** A run of a task as its agent would leave it. */
export async function newRun(
  database: Database,
  taskId: number,
  at: Date,
  fields: Fields = {},
): Promise<number> {
  const state: string = fields.state ?? "succeeded";
  const isOver = ["succeeded", "failed", "cancelled", "lost"].includes(state);
  const times = {
    created_at: at,
    started_at: state === "queued" ? null : at,
    finished_at: isOver ? at : null,
    deadline_at: isOver ? null : new Date(at.getTime() + 3_600_000),
  };
  const [task] = await database`
    select user_id, remote_server_id, backup_destination_id from backup_tasks where id = ${taskId}`;
  const values = {
    kind: "backup",
    trigger: "manual",
    backup_task_id: taskId,
    ...task,
    ...times,
    ...fields,
    state,
  };
  const [row] = await database<{ id: number }[]>`insert into runs ${database(values)} returning id`;
  return row!.id;
}

/** One chunk of output, announced as agents' output is. */
export async function newOutput(
  database: Database,
  runId: number,
  sequence: number,
  text: string,
): Promise<void> {
  await database.begin(async (sql) => {
    await sql`insert into run_output (run_id, sequence, text) values (${runId}, ${sequence}, ${text})`;
    await sql`update runs set output_size = output_size + ${text.length} where id = ${runId}`;
    await sql`select pg_notify('rearguard', ${JSON.stringify({ topic: "run_output", run_id: runId })})`;
  });
}

/** A stored backup of a task with one archive. */
export async function newBackup(
  database: Database,
  taskId: number,
  at: Date,
  fields: Fields = {},
): Promise<number> {
  const [task] = await database`
    select user_id, id as backup_task_id, remote_server_id, backup_destination_id from backup_tasks where id = ${taskId}`;
  const values: Fields = {
    ...task,
    directory: "/backups",
    file_name: `backup_${taskId}.tar.zst`,
    size: 1000,
    sha256: "0".repeat(64),
    engine: "tar",
    encrypted: false,
    encryption: fields.encrypted === true ? "password" : "none",
    bytes_read: 5000,
    files_count: 3,
    warnings_count: 1,
    duration_ms: 12,
    created_at: at,
    ...fields,
  };
  const [row] = await database<{ id: number }[]>`insert into backups ${database(values)} returning id`;
  await database`
    insert into backup_objects (backup_id, ordinal, role, name, size, sha256)
    values (${row!.id}, 0, 'archive', ${values.file_name}, ${values.size}, ${values.sha256})`;
  return row!.id;
}
