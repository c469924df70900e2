/**
 * The table of tasks. Each task has one line. If the task is not protected, a second line shows the reason.
 */
import { PostButton } from "../../components/form.tsx";
import { Bytes } from "../../components/number.tsx";
import { Mark, Status } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago } from "../../components/time.tsx";
import type { ListPage, View } from "../../view.ts";
import { maySelect, SelectBox } from "./bulk.tsx";
import type { BackupTask, Strips } from "./records.ts";
import { RunStrip } from "./run_strip.tsx";
import { TagChip } from "../../components/tag.tsx";
import { scheduleWords } from "./words.ts";

function TaskName({ view, task }: { view: View; task: BackupTask }) {
  const { reason } = task.protection;
  return (
    <div class="task-name">
      <span class="line">
        <a href={view.path(`/tasks/${task.id}`)} title={task.label}>{task.label}</a>
        {task.tags.map((tag) => <TagChip key={tag.id} view={view} tag={tag} />)}
      </span>
      {reason === null ? null : <span class="line muted small reason" title={reason}>{reason}</span>}
    </div>
  );
}

function Source({ view, task }: { view: View; task: BackupTask }) {
  const { remote_server: server, source: { description } } = task;
  return (
    <span class="line" title={`${server.label}: ${description}`}>
      <a href={view.path(`/servers/${server.id}`)}>{server.label}</a> <span class="muted">{description}</span>
    </span>
  );
}

/** Shows when the task runs next. In place of that, shows if it is running, is paused or has no schedule. */
function NextRun({ view, task }: { view: View; task: BackupTask }) {
  if (task.status === "running") {
    return (
      <a href={view.path(`/runs?backup_task_id=${task.id}`)}>
        <Mark icon="running" tone="active" text="Running" />
      </a>
    );
  }
  return (
    <Ago view={view} at={task.schedule.next_run_at} none={task.paused_at === null ? "by hand" : "paused"} />
  );
}

/** The button that suits the task's state. */
function RowAction({ view, task }: { view: View; task: BackupTask }) {
  const { id, label } = task;
  if (task.paused_at !== null) {
    return view.may("pause-backup-tasks")
      ? (
        <PostButton
          view={view}
          action={`/tasks/${id}/resume`}
          label=""
          about={`Resume ${label}`}
          icon="play"
        />
      )
      : null;
  }
  if (!view.may("run-backup-tasks") || task.status === "running") return null;
  return (
    <PostButton view={view} action={`/tasks/${id}/run`} label="" about={`Run ${label} now`} icon="play" />
  );
}

/** Number of runs in a strip. */
const STRIP = 14;

/** Reads the last runs of each listed task. The keys of the result are the ids of the tasks. */
export async function readStrips(view: View, tasks: readonly BackupTask[]): Promise<Strips> {
  if (tasks.length === 0) return new Map();
  const ids = tasks.map(({ id }) => id).join(",");
  const strips = await view.get("/api/history/strips", { query: { ids, limit: STRIP } });
  return new Map(strips.map(({ backup_task_id, runs }) => [backup_task_id, runs]));
}

function columnsOf(view: View, strips: Strips): Column<BackupTask>[] {
  const box: Column<BackupTask> = {
    label: "Select",
    kind: "action",
    class: "select",
    heading: <input type="checkbox" data-check-all aria-label="Select all tasks of this page" hidden />,
    cell: (task) => <SelectBox view={view} task={task} />,
  };
  return [
    ...maySelect(view) ? [box] : [],
    {
      label: "Status",
      sort: "protection",
      cell: ({ protection: { status, reason } }) => (
        <span title={reason ?? undefined}>
          <Status name={status} word={status === "never_backed_up" ? "No backup" : undefined} />
        </span>
      ),
    },
    { label: "Task", kind: "main", sort: "label", cell: (task) => <TaskName view={view} task={task} /> },
    { label: "Source", class: "fluid", cell: (task) => <Source view={view} task={task} /> },
    {
      label: "Destination",
      kind: "wide",
      class: "narrow",
      cell: ({ backup_destination: { id, label } }) => (
        <a class="line" href={view.path(`/destinations/${id}`)} title={label}>{label}</a>
      ),
    },
    {
      label: "Schedule",
      kind: "wide",
      class: "schedule",
      cell: ({ schedule }) => (
        <span class="line" title={schedule.description}>{scheduleWords(view, schedule)}</span>
      ),
    },
    {
      label: "Newest",
      kind: "number",
      cell: ({ protection: { newest_backup_at: at, newest_backup_id: id } }) =>
        id === null ? <Ago view={view} at={null} /> : (
          <a href={view.path(`/backups/${id}`)}>
            <Ago view={view} at={at} />
          </a>
        ),
    },
    {
      label: "Next run",
      kind: "number",
      sort: "next_run_at",
      cell: (task) => <NextRun view={view} task={task} />,
    },
    {
      label: "Last runs",
      cell: ({ id }) => (
        <a href={view.path(`/runs?backup_task_id=${id}`)}>
          <RunStrip view={view} runs={strips.get(id) ?? []} length={STRIP} />
        </a>
      ),
    },
    {
      label: "Stored",
      kind: "number",
      cell: ({ id, backups }) => (
        <a href={view.path(`/backups?backup_task_id=${id}`)} title={`${backups.count} backups`}>
          <Bytes value={backups.size} />
        </a>
      ),
    },
    { label: "Action", kind: "action", cell: (task) => <RowAction view={view} task={task} /> },
  ];
}

interface TaskTableProps {
  readonly view: View;
  readonly tasks: ListPage<BackupTask>;
  readonly strips: Strips;
}

export function TaskTable({ view, tasks, strips }: TaskTableProps) {
  return (
    <Table
      view={view}
      class="tasks"
      caption="Backup tasks"
      columns={columnsOf(view, strips)}
      rows={tasks.rows}
      keyOf={({ id }) => id}
      toneOf={({ protection: { status } }) =>
        status === "protected"
          ? undefined
          : status === "paused"
          ? "quiet"
          : status === "failing"
          ? "warn"
          : "bad"}
    />
  );
}
