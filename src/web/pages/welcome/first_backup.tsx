/** The form that makes the first destination and task at once, and runs the task. */
import { FormFields, Select, TextField } from "../../components/form.tsx";
import type { RowOf } from "../../../client/client.ts";
import { type ApiResponse, type Form, path } from "../../site.ts";
import type { View } from "../../view.ts";

/** Content of the form. */
export interface FirstBackup {
  readonly servers: readonly RowOf<"/api/remote-servers">[];
  readonly serverId: string;
  readonly source: string;
  readonly target: string;
  /** The first error of each wrong field, by the field's name in the form. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Reads the form's fields: as typed, or with defaults if nothing was typed yet. */
export async function readFirstBackup(
  view: View,
  form?: Form,
  errors: Readonly<Record<string, string>> = {},
): Promise<FirstBackup> {
  const { rows } = await view.list("/api/remote-servers", { query: { per_page: 100 } });
  const servers = rows.filter(({ status }) => status.connectivity === "connected");
  return {
    servers,
    serverId: form?.text("remote_server_id") ?? String(servers[0]?.id ?? ""),
    source: form?.text("source_path") ?? "/etc",
    target: form?.text("local_path") ?? "/var/backups/rearguard",
    errors,
  };
}

export function FirstBackupForm({ view, backup }: { view: View; backup: FirstBackup }) {
  if (!view.may("create-backup-tasks") || !view.may("create-backup-destinations")) {
    return <p class="muted">A manager of the workspace can add the first task.</p>;
  }
  if (backup.servers.length === 0) return <p class="muted">Connect a server first.</p>;
  return (
    <form class="form-wide" method="post" action={view.path("/welcome/backup")}>
      <FormFields view={view} />
      <Select
        name="remote_server_id"
        label="Server"
        value={backup.serverId}
        choices={backup.servers.map(({ id, label }) => ({ value: id, label }))}
        error={backup.errors.remote_server_id}
      />
      <TextField
        name="source_path"
        label="Directory to back up"
        value={backup.source}
        error={backup.errors.source_path}
        mono
      />
      <TextField
        name="local_path"
        label="Directory for the backups, on the same server"
        value={backup.target}
        error={backup.errors.local_path}
        hint="Good for a first try. A disk that fails takes such a backup with it: add another place soon."
        mono
      />
      <p class="buttons">
        <button class="button" type="submit">Back up now</button>
        <a class="button quiet" href={view.path("/tasks/new")}>Choose everything myself</a>
      </p>
      <p class="muted small">
        The task then runs every night at 02:30 and keeps fourteen backups. You can change all of it later.
      </p>
    </form>
  );
}

type Made = { runId: number } | { errors: Readonly<Record<string, string>> } | { refused: ApiResponse };

/**
 * Makes the destination and the task, and starts the run. If the directory already has a destination, for
 * example after a failed try, uses that destination.
 */
export async function makeFirstBackup(view: View, form: Form): Promise<Made> {
  const csrf = form.text("csrf_token");
  const target = form.text("local_path");
  const post = (to: string, body: unknown) => view.call("POST", to, { body, csrf });
  const destinations = await view.list("/api/backup-destinations", { query: { per_page: 100 } });
  let destinationId = destinations.rows.find(({ local_path }) => local_path === target)?.id;
  if (destinationId === undefined) {
    const made = await post("/api/backup-destinations", { label: target, type: "local", local_path: target });
    if (made.status !== 201) return failed(made);
    destinationId = made.body.data.id as number;
  }
  const source = form.text("source_path");
  const task = await post("/api/backup-tasks", {
    label: source,
    type: "files",
    source_path: source,
    remote_server_id: form.text("remote_server_id"),
    backup_destination_id: destinationId,
    frequency: "daily",
    time_to_run_at: "02:30",
    timezone: view.user.timezone,
    maximum_backups_to_keep: 14,
  });
  if (task.status !== 201) return failed(task);
  const run = await post(path`/api/backup-tasks/${task.body.data.id}/run`, {});
  return run.status === 202 ? { runId: run.body.backup_task_log_id } : { refused: run };
}

function failed(answer: ApiResponse): Made {
  return answer.status === 422 ? { errors: answer.errors } : { refused: answer };
}
