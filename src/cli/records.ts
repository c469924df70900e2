/** Types of the API's records, with only the fields that commands use. `--json` prints all fields. */
import type { Shown } from "../definitions/fields/field.ts";
import type { ScriptFields } from "../definitions/script_fields.ts";
import type { TaskFields } from "../definitions/task_fields.ts";
import type { RunState } from "./log_follower.ts";

export type Task =
  & Pick<Shown<TaskFields>, "label" | "type" | "remote_server_id" | "backup_destination_id">
  & {
    id: number;
    status: string;
    schedule: { next_run_at: string | null };
    last_run_utc_time: string | null;
    last_run_outcome: string | null;
    paused_at: string | null;
  };

export interface Log extends RunState {
  id: number;
  backup_task_id: number | null;
  kind: string;
  trigger: string;
  created_at: string;
  finished_at: string | null;
  outcome: string | null;
  warnings_count: number;
  output: string;
}

export interface Backup {
  id: number;
  backup_task_id: number | null;
  file_name: string;
  size: number;
  encrypted: boolean;
  status: string;
  created_at: string;
  verified_at: string | null;
  proven_at: string | null;
  held: boolean;
  hold_ends_at: string | null;
  incomplete: boolean;
  objects: StoredObject[];
}

export interface StoredObject {
  role: "archive" | "index" | "manifest";
  name: string;
  size: number;
  sha256: string;
}

/** An entry of a backup's index. */
export interface Entry {
  path: string;
  type: string;
  size: number;
  mode: string;
  uid: number;
  gid: number;
  modified_at: string | null;
  link_target: string | null;
}

/** Which backups of a task its retention rules would keep and remove. `removed_size` is in bytes. */
export interface RetentionPreview {
  kept: number;
  removed: number;
  removed_size: number;
  backups: {
    id: number;
    size: number;
    created_at: string;
    action: "keep" | "remove";
    reasons: { text: string }[];
  }[];
}

export type Script = Shown<ScriptFields> & {
  id: number;
  sha256: string;
  backup_tasks_count: number;
};

export interface Stream {
  id: number;
  label: string;
  type_human: string;
  notifications: { on_success: boolean; on_failure: boolean };
  /**
   * For each class of notification events, by its name: whether the stream gets the events of this class.
   * Older control planes do not send the field.
   */
  events?: Readonly<Record<string, boolean>>;
  last_delivery: { at: string; ok: boolean } | null;
}

export interface Delivery {
  id: number;
  event: string;
  task: { id: number; label: string } | null;
  server: { id: number; label: string } | null;
  state: string;
  attempts: number;
  error: string | null;
  created_at: string;
  finished_at: string | null;
}

export interface StreamTest {
  ok: boolean;
  message: string;
}

export interface Server {
  id: number;
  label: string;
  connection: { ip_address: string; port: number };
  status: { connectivity: string; last_connected_at: string | null };
  agent: { version: string } | null;
}

export interface Enrolment {
  token: string;
  expires_at: string;
  install_command: string;
}

export interface Destination {
  id: number;
  label: string;
  type: string;
  type_human: string;
}

export interface Check {
  ok: boolean;
  steps: { name: string; ok: boolean; message: string; ms: number }[];
}

export interface Workspace {
  id: number;
  name: string;
  own_of_user_id: number | null;
  role: string | null;
  members_count: number;
}

export interface Member {
  user_id: number;
  name: string;
  email: string;
  role: string;
}

export interface Token {
  id: number;
  name: string;
  workspace_id: number;
  abilities: string[];
  expires_at: string | null;
  last_used_at: string | null;
}

export interface Session {
  id: number;
  address: string | null;
  user_agent: string | null;
  created_at: string;
  last_used_at: string;
  expires_at: string;
}

export interface Passkey {
  id: number;
  name: string;
  created_at: string;
  last_used_at: string | null;
}

export interface User {
  id: number;
  personal_info: { name: string; email: string };
  account_settings: { is_admin: boolean };
  timestamps: { account_created: string };
}

export interface SetupLink {
  url: string;
  expires_at: string;
}

export interface LoginSettings {
  second_factor_required: boolean;
}

export interface AuditEntry {
  id: number;
  at: string;
  actor: { type: string; name: string | null };
  action: string;
  resource: string | null;
  resource_id: number | null;
  result: string;
  reason: string | null;
  address: string | null;
}

/** The response of every request that starts a run. */
export interface Started {
  message: string;
  backup_task_log_id: number;
}

export interface SchedulePreview {
  description: string;
  next_runs: { at: string; local: string }[];
  notes: string[];
}
