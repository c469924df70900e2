/** The newest backups of a task, with what is known about each. */
import { Bytes, counted } from "../../components/number.tsx";
import { Mark } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Moment } from "../../components/time.tsx";
import { Icon } from "../../components/icon.tsx";
import type { ListPage, View } from "../../view.ts";
import type { Backup, BackupTask } from "./records.ts";

/**
 * Shows the worst problem of a backup. If the backup has no problem, shows the best check that it has passed.
 */
function Condition({ backup }: { backup: Backup }) {
  if (backup.damaged_at !== null) return <Mark icon="bad" tone="bad" text="Damaged" />;
  if (backup.suspicious_at !== null) return <Mark icon="warn" tone="warn" text="Suspicious" />;
  if (backup.incomplete) return <Mark icon="warn" tone="warn" text="Incomplete" />;
  if (backup.proven_at !== null) return <Mark icon="good" tone="good" text="Proven" />;
  if (backup.verified_at !== null) return <Mark icon="good" tone="good" text="Verified" />;
  return <Mark icon="none" tone="quiet" text="Not verified" />;
}

function columnsOf(view: View): Column<Backup>[] {
  const restore: Column<Backup> = {
    label: "Action",
    kind: "action",
    cell: ({ id }) => (
      <a class="button quiet" href={view.path(`/restore?backup_id=${id}`)}>
        <Icon name="restore" />
        Restore
      </a>
    ),
  };
  return [
    {
      label: "Made",
      kind: "main",
      cell: ({ id, created_at }) => (
        <a href={view.path(`/backups/${id}`)}>
          <Moment view={view} at={created_at} />
        </a>
      ),
    },
    { label: "Size", kind: "number", cell: ({ size }) => <Bytes value={size} /> },
    {
      label: "Condition",
      cell: (backup) => (
        <span class="buttons">
          <Condition backup={backup} />
          {backup.held ? <Mark icon="held" tone="quiet" text="Held" /> : null}
        </span>
      ),
    },
    ...view.may("restore-backups") ? [restore] : [],
  ];
}

interface NewestBackupsProps {
  readonly view: View;
  readonly task: BackupTask;
  readonly backups: ListPage<Backup>;
}

export function NewestBackups({ view, task, backups }: NewestBackupsProps) {
  const doubtful = backups.rows.filter(({ findings }) => findings.length > 0);
  return (
    <section class="section" aria-labelledby="backups">
      <header>
        <h2 id="backups">Newest backups</h2>
        {task.backups.count === 0
          ? null
          : (
            <a class="small" href={view.path(`/backups?backup_task_id=${task.id}`)}>
              All {counted(task.backups.count, "backup")}, <Bytes value={task.backups.size} />
            </a>
          )}
      </header>
      {backups.rows.length === 0 ? <p class="muted">No backup is stored yet.</p> : (
        <Table
          view={view}
          caption="The newest backups"
          columns={columnsOf(view)}
          rows={backups.rows}
          keyOf={({ id }) => `backup-${id}`}
          toneOf={({ damaged_at, suspicious_at }) =>
            damaged_at !== null ? "bad" : suspicious_at !== null ? "warn" : undefined}
        />
      )}
      {doubtful.length === 0 ? null : (
        <ul class="rows" aria-label="Anomalies">
          {doubtful.flatMap(({ id, created_at, findings }) =>
            findings.map(({ message, name }) => (
              <li key={`${id}-${name}`}>
                <Mark icon="warn" tone="warn" text={message} />
                <a class="small" href={view.path(`/backups/${id}`)}>
                  Backup of <Moment view={view} at={created_at} />
                </a>
              </li>
            ))
          )}
        </ul>
      )}
    </section>
  );
}
