/** A database with a row in every table that matters, and text that is hard to carry. */
import type { Database } from "../../src/store/database.ts";

const HARD = "Zeile\t1\nZeile\r\n2 \\N \\. \\\\ 'x' \"ä\" 🦊 $$ \b\f\v ;";
const AT = new Date("2026-01-02T03:04:05.678Z");

/** Rows that refer to each other in circles, arrays, JSON, nulls, floats. */
export async function fillDatabase(sql: Database): Promise<void> {
  const one = async (table: string, row: Record<string, unknown>) => {
    const [made] = await sql`insert into ${sql(table)} ${sql(row)} returning *`;
    return made!.id;
  };
  const times = { created_at: AT, updated_at: AT };
  const replica = crypto.randomUUID();
  await one("replicas", { id: replica, started_at: AT, heartbeat_at: AT });
  const user_id = await one("users", { name: HARD, email: "a@example.test", is_admin: true, ...times });
  const token = await one("tokens", {
    user_id,
    name: HARD,
    abilities: ["a,b", 'q"uo\\te', "", "NULL"],
    token_hash: "h1",
    ...times,
  });
  await one("idempotency_keys", { token_id: token, key: "k", request_hash: "x", created_at: AT });
  const tag = await one("tags", { user_id, label: HARD, ...times });
  const remote_server_id = await one("remote_servers", {
    user_id,
    label: HARD,
    ip_address: "192.0.2.1",
    agent_description: sql.json({ hostname: HARD, nested: [1, null, { "\\": "\t" }] }),
    connection_id: crypto.randomUUID(),
    connection_replica_id: replica,
    connected_at: AT,
    ...times,
  });
  await one("enrolment_tokens", { remote_server_id, token_hash: "e", expires_at: AT, created_at: AT });
  const backup_destination_id = await one("backup_destinations", {
    user_id,
    label: "",
    type: "local",
    local_path: "\\N",
    ...times,
  });
  const backup_task_id = await one("backup_tasks", {
    user_id,
    remote_server_id,
    backup_destination_id,
    label: HARD,
    type: "files",
    source_path: "/\\",
    excluded_paths: [HARD, ""],
    frequency: "daily",
    time_to_run_at: "01:00",
    timezone: "UTC",
    ...times,
  });
  await one("backup_task_tags", { backup_task_id, tag_id: tag });
  const notification_stream_id = await one("notification_streams", {
    user_id,
    label: HARD,
    type: "webhook",
    value_encrypted: "v1:aaaa0000:AAAA",
    last_delivery_at: AT,
    last_delivery_error: HARD,
    ...times,
  });
  await one("backup_task_notification_streams", { backup_task_id, notification_stream_id });
  await one("notification_deliveries", {
    notification_stream_id,
    event_key: HARD,
    event: sql.json({ text: HARD }),
    state: "waiting",
    due_at: AT,
    created_at: AT,
  });
  const of = { user_id, backup_task_id, remote_server_id, backup_destination_id };
  const run = { ...of, trigger: "manual", created_at: AT };
  const run_id = await one("runs", {
    ...run,
    kind: "backup",
    state: "succeeded",
    finished_at: AT,
    bytes_per_second: 0.1 + 0.2,
  });
  await one("runs", { ...run, kind: "backup", state: "running", deadline_at: AT });
  const attempt = { run_id, attempt: 1, leased_at: AT, verdict: sql.json({ text: HARD }) };
  await one("run_attempts", attempt);
  await one("run_output", { run_id, sequence: 1, text: HARD, sequences: [1, 2], ends: [3, 4] });
  const backup_id = await one("backups", {
    ...of,
    run_id,
    directory: "/backups",
    file_name: HARD,
    size: Number.MAX_SAFE_INTEGER,
    sha256: "0",
    engine: "tar",
    encrypted: true,
    encryption: "recipients",
    encryption_recipients: ["age1"],
    bytes_read: 1,
    warnings_count: 0,
    duration_ms: 1,
    source: sql.json({ type: "files", path: HARD }),
    incompressible_share: 1 / 3,
    created_at: AT,
  });
  await one("backup_objects", { backup_id, ordinal: 0, role: "archive", name: HARD, size: 1, sha256: "0" });
  await one("runs", { ...run, kind: "restore", state: "failed", reason: HARD, finished_at: AT, backup_id });
  const id = crypto.randomUUID();
  const upload = { id, run_id, attempt: 1, backup_destination_id, object_key: "k", s3_upload_id: "u" };
  await one("uploads", { ...upload, part_size: 5, state: "open", ...times });
  await one("leftovers", {
    run_id,
    backup_destination_id,
    directory: "/",
    name: "x",
    next_removal_at: AT,
    created_at: AT,
  });
  const request = { remote_server_id, kind: "destination.check", payload: sql.json({}), state: "waiting" };
  await one("agent_requests", { ...request, deadline_at: AT, created_at: AT });
  await sql`insert into tags (user_id, label, created_at, updated_at)
    select ${user_id}, 'tag ' || n, ${AT}, ${AT} from generate_series(1, 1234) n`;
}

/** Every table's rows as JSON text, in an order of their own. */
export async function rowsOf(sql: Database): Promise<Map<string, string[]>> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`;
  const rows = new Map<string, string[]>();
  for (const { name } of tables) {
    const found = await sql<{ row: string }[]>`select to_jsonb(t)::text as row from ${
      sql(name)
    } t order by 1`;
    rows.set(name, found.map(({ row }) => row));
  }
  return rows;
}
