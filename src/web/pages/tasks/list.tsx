/** The page `/tasks`: all tasks in one table. By default, the tasks with the worst protection come first. */
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Empty, Pages } from "../../components/table.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import {
  type FilterChoices,
  Filters,
  isFiltered,
  readChoices,
  readTasks,
  StatusTabs,
} from "./list_filters.tsx";
import { readStrips, TaskTable } from "./list_table.tsx";
import { BulkBar } from "./bulk.tsx";
import type { BackupTask, Overview, Strips } from "./records.ts";

interface TaskListProps {
  readonly view: View;
  readonly overview: Overview;
  readonly tasks: ListPage<BackupTask>;
  readonly strips: Strips;
  /** Number of tasks with a run that is queued or in progress. */
  readonly running: number;
  readonly choices: FilterChoices;
}

function NewTaskButton({ view }: { view: View }) {
  return (
    <a class="button" href={view.path("/tasks/new")}>
      <Icon name="add" /> New task
    </a>
  );
}

/** The text in place of the table if no task is to be shown. */
function NoTasks({ view, choices }: { view: View; choices: FilterChoices }) {
  if (isFiltered(view)) {
    return (
      <Empty title="No task matches.">
        <a class="button quiet" href={view.path("/tasks")}>Show all tasks</a>
      </Empty>
    );
  }
  const needsServer = choices.servers.length === 0;
  if (needsServer && view.may("create-remote-servers")) {
    return (
      <Empty title="No task yet: nothing is backed up.">
        <p class="muted">Start with the server that has the data.</p>
        <a class="button" href={view.path("/servers/new")}>
          <Icon name="add" /> Add a server
        </a>
      </Empty>
    );
  }
  return (
    <Empty title="No task yet: nothing is backed up.">
      <p class="muted">A task says what is backed up, from which server, to which destination, and when.</p>
      {view.may("create-backup-tasks") ? <NewTaskButton view={view} /> : null}
    </Empty>
  );
}

function TaskList({ view, overview, tasks, strips, running, choices }: TaskListProps) {
  const counts = overview.tasks_by_status;
  const hasTasks = Object.values(counts).some((number) => number > 0);
  return (
    <>
      <PageHeading view={view} title="Tasks">
        <a class="button quiet" href={view.path("/tags")}>Tags</a>
        <a class="button quiet" href={view.path("/scripts")}>Scripts</a>
        <a class="button quiet" href={view.path("/trash")}>Trash</a>
        {hasTasks && view.may("create-backup-tasks") ? <NewTaskButton view={view} /> : null}
      </PageHeading>
      {hasTasks ? <Filters view={view} choices={choices} /> : null}
      <Live view={view} id="task-list" topics={["tasks", "runs", "backups", "alerts"]}>
        {hasTasks
          ? (
            <div class="list-head">
              <StatusTabs view={view} counts={counts} running={running} />
              <BulkBar view={view} tags={choices.tags} />
            </div>
          )
          : null}
        {tasks.rows.length === 0
          ? <NoTasks view={view} choices={choices} />
          : <TaskTable view={view} tasks={tasks} strips={strips} />}
        <Pages view={view} list={tasks} />
      </Live>
    </>
  );
}

export function addTaskList(site: Site): void {
  addPage(site, "/tasks", async (view) => {
    const [overview, tasks, running, choices] = await Promise.all([
      view.get("/api/overview"),
      readTasks(view),
      view.list("/api/backup-tasks", { query: { status: "running", per_page: 1 } }),
      readChoices(view),
    ]);
    const strips = await readStrips(view, tasks.rows);
    const props = { view, overview, tasks, strips, running: running.total, choices };
    return { title: "Tasks", content: <TaskList {...props} /> };
  });
}
