/** The page `/`: whether everything is protected, what is not and why, and what to do about it. */
import { Fragment } from "hono/jsx";
import type { Answer, RowOf } from "../../../client/client.ts";
import { PostButton } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { count, counted } from "../../components/number.tsx";
import { Status } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Ago, Moment } from "../../components/time.tsx";
import { addPage } from "../../page.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { readHasAlerts, readHasRestore, readKit, type Step, stepsOf } from "../welcome/steps.ts";
import { FirstStepsReminder } from "../welcome/welcome.tsx";
import { HeatMap } from "./heat_map.tsx";
import { NextRuns, RunningNow } from "./activity.tsx";
import { Growth, Proven, ServersNow } from "./facts.tsx";

type Overview = Answer<"/api/overview">["data"];
type UnprotectedTask = Overview["unprotected_tasks"][number];

export interface OverviewData {
  readonly overview: Overview;
  readonly active: ListPage<RowOf<"/api/backup-task-logs">>;
  readonly upcoming: ListPage<RowOf<"/api/backup-tasks/upcoming">>;
  /** Null if only the live part of the page is read. */
  readonly days: Answer<"/api/history/days">["data"] | null;
  readonly storage: Answer<"/api/history/storage">["data"];
  readonly firstSteps: readonly Step[];
}

/** Maximum number of rows in the list of running runs, and in the list of next runs. */
const SHORT_LIST = 8;
/** Maximum number of tasks that the page itself lists. The page of tasks lists the others. */
const LISTED = 25;

async function readData(view: View): Promise<OverviewData> {
  const [overview, active, upcoming, days, storage, kit, hasRestore, hasAlerts] = await Promise.all([
    view.get("/api/overview"),
    view.list("/api/backup-task-logs", { query: { status: "running", per_page: SHORT_LIST, sort: "-id" } }),
    view.list("/api/backup-tasks/upcoming", { query: { per_page: SHORT_LIST } }),
    view.isPart ? null : view.get("/api/history/days"),
    view.get("/api/history/storage"),
    readKit(view),
    readHasRestore(view),
    readHasAlerts(view),
  ]);
  const hasServer = overview.servers.connected > 0;
  const hasBackup = overview.backups.count > 0;
  const firstSteps = stepsOf(view, { kit, hasServer, hasBackup, hasRestore, hasAlerts });
  return { overview, active, upcoming, days, storage, firstSteps };
}

function columnsOf(view: View): Column<UnprotectedTask>[] {
  return [
    {
      label: "Task",
      kind: "main",
      cell: (task) => <a href={view.path(`/tasks/${task.id}`)}>{task.label}</a>,
    },
    { label: "Status", cell: ({ protection }) => <Status name={protection.status} /> },
    {
      label: "Server",
      cell: ({ remote_server: { id, label } }) => <a href={view.path(`/servers/${id}`)}>{label}</a>,
    },
    { label: "Why", cell: ({ protection }) => <span class="clamp">{protection.reason}</span> },
    {
      label: "Newest backup",
      kind: "number",
      cell: ({ protection }) => <Ago view={view} at={protection.newest_backup_at} />,
    },
    { label: "Next run", kind: "wide", cell: ({ next_run_at }) => <Moment view={view} at={next_run_at} /> },
    {
      label: "Action",
      kind: "action",
      cell: (task) =>
        view.may("run-backup-tasks")
          ? (
            <PostButton
              view={view}
              action={`/tasks/${task.id}/run`}
              label="Run now"
              about={`for ${task.label}`}
              icon="play"
            />
          )
          : null,
    },
  ];
}

/** Returns the colour of the verdict. The colour is `good` only if no task needs attention. */
function toneOf({ is_protected: isProtected, unprotected_tasks: tasks }: Overview): "good" | "warn" | "bad" {
  if (!isProtected) return "bad";
  return tasks.length === 0 ? "good" : "warn";
}

/**
 * Shows the verdict in one sentence. Below it, shows how many tasks are protected, failing or paused, and how
 * many have warnings.
 */
function Verdict({ view, overview }: { view: View; overview: Overview }) {
  const tasks = overview.tasks_by_status;
  const hasTasks = Object.values(tasks).some((number) => number > 0);
  const tone = toneOf(overview);
  const others = (["protected", "failing", "paused"] as const).filter((status) => tasks[status] > 0);
  return (
    <header class="verdict">
      <h1 class={tone}>
        <Icon name={tone} />
        {overview.verdict}
      </h1>
      <p class="muted">
        {others.map((status, index) => (
          <Fragment key={status}>
            {index === 0 ? "" : " · "}
            <a href={view.path(`/tasks?protection=${status}`)}>{count(tasks[status])} {status}</a>
          </Fragment>
        ))}
        {overview.tasks_with_warnings > 0
          ? <>{" "}· {counted(overview.tasks_with_warnings, "task")} with warnings</>
          : null}
        {hasTasks ? null : "A task says what to back up, where to and when."}
      </p>
      <UnprotectedItems view={view} counts={overview.unprotected_items} />
    </header>
  );
}

/** Says how much on the servers no task covers. */
function UnprotectedItems({ view, counts }: { view: View; counts: Overview["unprotected_items"] }) {
  const { items_count: items, servers_count: servers } = counts;
  if (items === 0) return null;
  return (
    <p>
      <a href={view.path("/servers")}>
        {counted(items, "thing")} on {counted(servers, "server")} {items === 1 ? "is" : "are"} not protected
      </a>
    </p>
  );
}

function OverviewPage({ view, data }: { view: View; data: OverviewData }) {
  const { overview } = data;
  const hasTasks = Object.values(overview.tasks_by_status).some((number) => number > 0);
  return (
    <>
      <Live view={view} id="overview" topics={["runs", "tasks", "backups", "servers", "alerts"]}>
        <Verdict view={view} overview={overview} />
        <Attention view={view} overview={overview} />
        {hasTasks && data.firstSteps.some(({ name, isDone }) => name === "alerts" && !isDone)
          ? (
            <p class="notice warn">
              <Icon name="warn" />
              Nobody is told when a backup fails. <a href={view.path("/alerts/new")}>Set up alerts</a>
            </p>
          )
          : null}
        {hasTasks ? <FirstStepsReminder view={view} steps={data.firstSteps} /> : <FirstSteps view={view} />}
        <div class="columns">
          <div class="stack">
            <RunningNow view={view} active={data.active} runs={overview.runs} />
            <Proven view={view} proven={overview.last_proven} />
            <Growth view={view} storage={data.storage} />
            <ServersNow view={view} servers={overview.servers} />
          </div>
          <NextRuns view={view} upcoming={data.upcoming} due={overview.due_within_24_hours} />
        </div>
      </Live>
      {data.days === null ? null : <HeatMap view={view} days={data.days} />}
    </>
  );
}

/** The tasks that need attention; nothing if there are none. */
function Attention({ view, overview }: { view: View; overview: Overview }) {
  const { never_backed_up, late, failing } = overview.tasks_by_status;
  const total = never_backed_up + late + failing;
  const rows = overview.unprotected_tasks.slice(0, LISTED);
  if (rows.length === 0) return null;
  return (
    <>
      <Table
        view={view}
        caption="Tasks that need attention, the worst first"
        columns={columnsOf(view)}
        rows={rows}
        keyOf={(task) => task.id}
        toneOf={({ protection }) => protection.status === "failing" ? "warn" : "bad"}
      />
      {total <= rows.length ? null : (
        <p>
          <a href={view.path("/tasks?sort=protection")}>All {count(total)} tasks that need attention</a>
        </p>
      )}
    </>
  );
}

/** The overview of a workspace without tasks. */
function FirstSteps({ view }: { view: View }) {
  if (!view.may("create-backup-tasks")) return null;
  return (
    <p class="buttons">
      <a class="button" href={view.path("/welcome#step-backup")}>Set up the first backup</a>
      <a class="button quiet" href={view.path("/tasks/new")}>Add a task</a>
    </p>
  );
}

export function addOverviewPage(site: Site): void {
  addPage(site, "/", async (view) => {
    const data = await readData(view);
    return { title: "Overview", content: <OverviewPage view={view} data={data} /> };
  });
}
