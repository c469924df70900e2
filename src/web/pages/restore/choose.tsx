/** The first step of a restore: which task, and which of its backups. */
import type { Answer } from "../../../client/client.ts";
import { TextField } from "../../components/form.tsx";
import { Bytes } from "../../components/number.tsx";
import { Status } from "../../components/status.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Ago, ExactTime } from "../../components/time.tsx";
import type { ListPage, View } from "../../view.ts";
import type { Backup } from "../backups/browse.ts";
import { startOf } from "../backups/list_filters.tsx";
import { Trust } from "../backups/trust.tsx";
import { RestoreHeading } from "./steps.tsx";

type Task = Answer<"/api/backup-tasks">["data"][number];

const PER_PAGE = 50;

export async function ChooseTask({ view }: { view: View }) {
  const search = view.query("search");
  const tasks = await view.list("/api/backup-tasks", {
    query: { search, sort: "label", per_page: PER_PAGE, page: view.query("page") },
  });
  const columns: Column<Task>[] = [
    {
      label: "Task",
      kind: "main",
      cell: ({ id, label, protection: { newest_backup_at } }) =>
        newest_backup_at === null ? label : <a href={view.path(`/restore?task_id=${id}`)}>{label}</a>,
    },
    { label: "Server", cell: ({ remote_server }) => remote_server.label },
    { label: "Source", kind: "wide", cell: ({ source }) => <span class="clamp">{source.description}</span> },
    { label: "Status", kind: "wide", cell: ({ protection }) => <Status name={protection.status} /> },
    {
      label: "Newest backup",
      kind: "number",
      cell: ({ protection }) => <Ago view={view} at={protection.newest_backup_at} none="none" />,
    },
    {
      label: "Restore",
      kind: "action",
      cell: ({ id, label, protection: { newest_backup_at } }) =>
        newest_backup_at === null ? null : (
          <a
            class="button quiet"
            href={view.path(`/restore?task_id=${id}`)}
            aria-label={`Choose a backup of ${label}`}
          >
            Choose
          </a>
        ),
    },
  ];
  return (
    <>
      <RestoreHeading view={view} step={1} plan={null} />
      <form class="filters" action={view.path("/restore")}>
        <TextField name="search" label="Find a task" type="search" value={search} />
        <button class="button quiet" type="submit">Find</button>
      </form>
      {tasks.total === 0
        ? (
          <Empty title={search === "" ? "There is nothing to restore yet." : "No task has this name."}>
            {search !== ""
              ? <a class="button quiet" href={view.path("/restore")}>Show all tasks</a>
              : view.may("create-backup-tasks")
              ? <a class="button" href={view.path("/tasks/new")}>Create a backup task</a>
              : null}
          </Empty>
        )
        : (
          <Table
            view={view}
            caption="Tasks with backups"
            columns={columns}
            rows={tasks.rows}
            keyOf={({ id }) => id}
            toneOf={({ protection }) => protection.newest_backup_at === null ? "quiet" : undefined}
          />
        )}
      <Pages view={view} list={tasks} />
      <p class="muted">
        Looking for one file? <a href={view.path("/backups/find")}>Find it by its name</a>{" "}
        in all backups. Backups of deleted tasks are in the{" "}
        <a href={view.path("/backups")}>list of backups</a>.
      </p>
    </>
  );
}

export async function ChooseBackup({ view, taskId }: { view: View; taskId: string }) {
  const task = await view.get("/api/backup-tasks/{id}", { id: taskId });
  const date = view.query("date");
  const list = await view.list("/api/backups", {
    query: {
      backup_task_id: taskId,
      sort: "-created_at",
      per_page: PER_PAGE,
      page: view.query("page"),
      until: startOf(view, date, 1),
    },
  });
  return (
    <>
      <RestoreHeading view={view} step={1} plan={null} />
      <form class="filters" action={view.path("/restore")}>
        <input type="hidden" name="task_id" value={taskId} />
        <TextField name="date" label={`${task.label}, as it was at the end of`} type="date" value={date} />
        <button class="button quiet" type="submit">Show</button>
      </form>
      {list.total === 0
        ? (
          <Empty title={date === "" ? "This task has no backup yet." : "It has no backup as old as that."}>
            <a href={view.path(date === "" ? `/tasks/${task.id}` : `/restore?task_id=${task.id}`)}>
              {date === "" ? "Show the task" : "Show all its backups"}
            </a>
          </Empty>
        )
        : <BackupTable view={view} list={list} />}
      <Pages view={view} list={list} />
    </>
  );
}

function BackupTable({ view, list }: { view: View; list: ListPage<Backup> }) {
  const isNewest = (backup: Backup) => list.page === 1 && backup === list.rows[0];
  const columns: Column<Backup>[] = [
    {
      label: "As it was on",
      kind: "main",
      cell: ({ id, created_at, deletes_at }) =>
        deletes_at === null
          ? (
            <a href={view.path(`/restore?backup_id=${id}`)}>
              <ExactTime view={view} at={created_at} />
            </a>
          )
          : <ExactTime view={view} at={created_at} />,
    },
    { label: "Age", kind: "number", cell: ({ created_at }) => <Ago view={view} at={created_at} /> },
    { label: "Size", kind: "number", cell: ({ size }) => <Bytes value={size} /> },
    { label: "Trust", cell: (backup) => <Trust view={view} backup={backup} /> },
    {
      label: "Restore",
      kind: "action",
      cell: (backup) =>
        backup.deletes_at === null
          ? (
            <a
              class={isNewest(backup) ? "button" : "button quiet"}
              href={view.path(`/restore?backup_id=${backup.id}`)}
            >
              Restore this one
            </a>
          )
          : <a class="button quiet" href={view.path(`/backups/${backup.id}`)}>In the trash</a>,
    },
  ];
  return (
    <Table
      view={view}
      caption="Backups of the task, newest first"
      columns={columns}
      rows={list.rows}
      keyOf={({ id }) => id}
      toneOf={({ status }) => status === "damaged" ? "bad" : status === "deleting" ? "quiet" : undefined}
    />
  );
}
