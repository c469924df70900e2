/** The page of one task. */
import { Elsewhere } from "../../components/form.tsx";
import { Live } from "../../components/live.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { LastRuns, STRIP } from "./last_runs.tsx";
import { NewestBackups } from "./newest_backups.tsx";
import type { Backup, BackupTask, Log, Named, Server, TaskRun } from "./records.ts";
import { Settings } from "./settings.tsx";
import { TaskButtons } from "./task_buttons.tsx";
import { Trigger } from "./trigger.tsx";
import { CurrentRun, Verdict } from "./verdict.tsx";
import { scheduleWords } from "./words.ts";

/** Number of backups in the table. */
const BACKUPS = 6;

interface TaskPageData {
  readonly task: BackupTask;
  readonly server: Server | null;
  readonly runs: readonly TaskRun[];
  readonly backups: ListPage<Backup>;
  /** The run that is queued or under way; null if there is none. */
  readonly current: { readonly log: Log; readonly why: string | null } | null;
  readonly scripts: readonly Named[];
  readonly streams: readonly Named[];
}

async function readTask(view: View, id: string): Promise<TaskPageData> {
  const task = await view.get("/api/backup-tasks/{id}", { id });
  const [server, runs, backups, current, scripts, streams] = await Promise.all([
    view.find("/api/remote-servers/{id}", { id: task.remote_server_id }),
    view.get("/api/backup-tasks/{id}/history", { id, query: { limit: STRIP } }),
    view.list("/api/backup-tasks/{id}/backups", { id, query: { sort: "-created_at", per_page: BACKUPS } }),
    readCurrentRun(view, task),
    Promise.all(task.script_ids.map((id) => view.find("/api/scripts/{id}", { id }))),
    Promise.all(
      task.notification_stream_ids.map((id) => view.find("/api/notification-streams/{id}", { id })),
    ),
  ]);
  const present = <Record,>(records: readonly (Record | null)[]) =>
    records.filter((record) => record !== null);
  return { task, server, runs, backups, current, scripts: present(scripts), streams: present(streams) };
}

async function readCurrentRun(view: View, task: BackupTask): Promise<TaskPageData["current"]> {
  if (task.status !== "running") return null;
  const log = await view.find("/api/backup-tasks/{id}/latest-log", { id: task.id });
  if (log === null || (log.status !== "queued" && log.status !== "running")) return null;
  if (log.status === "running") return { log, why: null };
  const wait = await view.find("/api/backup-task-logs/{id}/why", { id: log.id });
  return { log, why: wait?.message ?? null };
}

function TaskPage({ view, data }: { view: View; data: TaskPageData }) {
  const { backups, current, runs, scripts, server, streams, task } = data;
  const { backup_destination: destination, remote_server: { label }, schedule, source } = task;
  return (
    <>
      <Live view={view} id="task" topics={["tasks", "runs", "backups", "servers", "alerts"]}>
        <PageHeading
          view={view}
          title={task.label}
          lead={
            <span class="clamp">
              {label}: <bdi>{source.description}</bdi>, to {destination.label}.{" "}
              {scheduleWords(view, schedule)}.
            </span>
          }
          trail={[{ label: "Tasks", path: "/tasks" }]}
        >
          <TaskButtons view={view} task={task} />
        </PageHeading>
        <Verdict view={view} task={task} server={server} />
        {current === null ? null : <CurrentRun view={view} {...current} />}
        <div class="columns">
          <LastRuns view={view} task={task} runs={runs}>
            {view.may("run-backup-tasks")
              ? (
                <Elsewhere
                  cli={`rearguard tasks run ${task.id} --follow`}
                  api={`POST /api/backup-tasks/${task.id}/run`}
                />
              )
              : null}
          </LastRuns>
          <NewestBackups view={view} task={task} backups={backups} />
        </div>
        <Settings view={view} task={task} scripts={scripts} streams={streams} />
      </Live>
      <Trigger view={view} task={task} />
    </>
  );
}

export function addTaskPage(site: Site): void {
  addPage(site, "/tasks/:id{\\d+}", async (view, parameter) => {
    const data = await readTask(view, parameter("id"));
    return { title: data.task.label, content: <TaskPage view={view} data={data} /> };
  });
}
