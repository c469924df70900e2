/** The page `/runs`: a flat list of all runs of every kind. Those that are not over come first. */
import type { Child } from "hono/jsx";
import { Elsewhere } from "../../components/form.tsx";
import { Live } from "../../components/live.tsx";
import { Bytes, counted } from "../../components/number.tsx";
import { hasEnded, KINDS, type Run, RunProgress, RunStatus } from "../../components/run.tsx";
import { type Column, Empty, Pages, Table } from "../../components/table.tsx";
import { Duration, Moment } from "../../components/time.tsx";
import { addDays, localDate } from "../../../domain/history/day_range.ts";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { DayBars } from "./day_bars.tsx";
import { filterOf, isFiltered, RunFilters, StatusTabs } from "./run_filters.tsx";

/** Number of runs on one page, and number of days in the bars above the runs. */
const [PER_PAGE, DAYS] = [50, 30];

/**
 * Reads a page of the runs that fit the query. If the query names no status, the first page begins with the
 * runs that have not ended.
 */
async function readRuns(view: View): Promise<ListPage<Run>> {
  const filter = { ...filterOf(view), output: "none", sort: "-id" };
  const page = view.query("page") || "1";
  const list = (query: object) => view.list("/api/backup-task-logs", { query: { ...filter, ...query } });
  const runs = await list({ page, per_page: PER_PAGE });
  if (view.query("status") !== "" || page !== "1") return runs;
  const [running, queued] = await Promise.all([
    list({ status: "running", per_page: 100 }),
    list({ status: "queued", per_page: 100 }),
  ]);
  return { ...runs, rows: [...running.rows, ...queued.rows, ...runs.rows.filter(hasEnded)] };
}

/**
 * Shows how long a run took. For a run in progress, shows how far it is. For a queued run, shows how long it
 * has waited.
 */
function Length({ view, run }: { view: View; run: Run }) {
  const { created_at, started_at, finished_at, status } = run;
  if (status === "running") return <RunProgress run={run} />;
  if (status === "queued") {
    return (
      <span class="muted">
        waits for <Duration ms={view.now.getTime() - Date.parse(created_at)} />
      </span>
    );
  }
  if (started_at === null || finished_at === null) return <Duration ms={null} />;
  const ms = Date.parse(finished_at) - Date.parse(started_at);
  return ms === 0 ? <span class="number">&lt; 1 s</span> : <Duration ms={ms} />;
}

function sizeOf({ kind, status, progress }: Run): number | null {
  if (status === "queued") return null;
  return kind === "verify" || kind === "drill" ? progress.bytes_read : progress.bytes_written;
}

function columnsOf(view: View): Column<Run>[] {
  return [
    {
      label: "Task",
      kind: "main",
      cell: (run) => (
        <a class="line" href={view.path(`/runs/${run.id}`)}>{run.backup_task?.label ?? "A deleted task"}</a>
      ),
    },
    { label: "Status", cell: (run) => <RunStatus run={run} /> },
    { label: "Kind", cell: ({ kind }) => KINDS[kind] },
    {
      label: "Server",
      cell: ({ remote_server }) => <span class="line">{remote_server?.label ?? "–"}</span>,
    },
    {
      label: "Started",
      kind: "number",
      cell: ({ started_at, created_at }) => <Moment view={view} at={started_at ?? created_at} />,
    },
    { label: "Took", kind: "number", cell: (run) => <Length view={view} run={run} /> },
    { label: "Size", kind: "number", cell: (run) => <Bytes value={sizeOf(run)} /> },
    { label: "Reason", cell: reasonOf },
  ];
}

function reasonOf({ reason, warnings_count }: Run): Child {
  const text = reason ?? (warnings_count === 0 ? null : counted(warnings_count, "warning"));
  return text === null ? null : <span class="line" title={text}>{text}</span>;
}

function toneOf({ status, outcome }: Run): "bad" | "warn" | undefined {
  return status === "failed" ? "bad" : outcome === "warnings" ? "warn" : undefined;
}

function RunList({ view, runs }: { view: View; runs: ListPage<Run> }) {
  if (runs.rows.length === 0) {
    return isFiltered(view)
      ? (
        <Empty title="No run fits.">
          <a class="button" href={view.path("/runs")}>Show all runs</a>
        </Empty>
      )
      : (
        <Empty title="Nothing has run yet.">
          <p class="muted">Every backup, restore, verification and drill is listed here.</p>
          <a class="button" href={view.path("/tasks")}>Run a task</a>
        </Empty>
      );
  }
  return (
    <div class="section run-list">
      <Table
        view={view}
        caption="Runs, those that are not over first, then the newest"
        columns={columnsOf(view)}
        rows={runs.rows}
        keyOf={({ id }) => id}
        toneOf={toneOf}
      />
      <Pages view={view} list={runs} />
    </div>
  );
}

/**
 * Returns the numbers of each day. The page shows them above the list of runs. If the page is filtered by a
 * task or server, the numbers are only those of this task or server.
 */
async function readDays(view: View) {
  const { timezone } = view.user;
  const to = localDate(timezone, view.now);
  const task = view.query("backup_task_id");
  const about = task === "" ? { remote_server_id: view.query("remote_server_id") } : { backup_task_id: task };
  const { days } = await view.get("/api/history/days", {
    query: { from: addDays(to, 1 - DAYS), to, timezone, ...about },
  });
  return days;
}

export function addRunsPage(site: Site): void {
  addPage(site, "/runs", async (view) => {
    const runs = await readRuns(view);
    const task = view.query("backup_task_id");
    const [days, servers, named] = await Promise.all([
      readDays(view),
      view.isPart ? [] : readServers(view),
      view.isPart || task === "" ? null : view.find("/api/backup-tasks/{id}", { id: task }),
    ]);
    const query = view.here.split("?")[1];
    return {
      title: "Runs",
      content: (
        <>
          <PageHeading view={view} title="Runs" lead="Every backup, restore, verification and drill." />
          <StatusTabs view={view} />
          <RunFilters view={view} servers={servers} task={named} />
          <Live view={view} id="runs" topics={["runs"]}>
            <DayBars view={view} days={days} />
            <RunList view={view} runs={runs} />
          </Live>
          <Elsewhere
            cli="rearguard logs list --sort -id"
            api={`GET /api/backup-task-logs?${query === undefined ? "" : `${query}&`}sort=-id`}
          />
        </>
      ),
    };
  });
}

async function readServers(view: View) {
  return (await view.list("/api/remote-servers", { query: { per_page: 100, sort: "label" } })).rows;
}
