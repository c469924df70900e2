/** The page `/`: whether everything is protected, what is not and why, and what to do about it. */

import type { Answer } from "../../client/client.ts";
import { PostButton } from "../components/form.tsx";
import { Icon } from "../components/icon.tsx";
import { Live } from "../components/live.tsx";
import { Bytes, Count, counted } from "../components/number.tsx";
import { Status } from "../components/status.tsx";
import { type Column, Empty, Table } from "../components/table.tsx";
import { Ago, Moment } from "../components/time.tsx";
import { addPage } from "../page.tsx";
import { PageHeading } from "../shell.tsx";
import type { Site } from "../site.ts";
import type { View } from "../view.ts";

type Overview = Answer<"/api/overview">["data"];
type UnprotectedTask = Overview["unprotected_tasks"][number];

function columnsOf(view: View): Column<UnprotectedTask>[] {
  return [
    {
      label: "Task",
      kind: "main",
      cell: (task) => <a href={view.path(`/tasks/${task.id}`)}>{task.label}</a>,
    },
    { label: "Status", cell: ({ protection }) => <Status name={protection.status} /> },
    { label: "Server", cell: ({ remote_server }) => remote_server.label },
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
              about={`Run ${task.label} now`}
              icon="play"
            />
          )
          : null,
    },
  ];
}

function OverviewPage({ view, overview }: { view: View; overview: Overview }) {
  const { backups, last_proven: proven, runs, servers } = overview;
  return (
    <Live view={view} id="overview" topics={["runs", "tasks", "backups", "servers"]}>
      <PageHeading view={view} title="Overview" />
      <p class={`verdict ${overview.is_protected ? "good" : "bad"}`}>
        <Icon name={overview.is_protected ? "good" : "bad"} />
        {overview.verdict}
      </p>
      {overview.unprotected_tasks.length === 0
        ? (
          <Empty title="Every task is protected.">
            <p class="muted">The newest backup of each task is recent enough.</p>
          </Empty>
        )
        : (
          <Table
            view={view}
            caption="Tasks that need attention, the worst first"
            columns={columnsOf(view)}
            rows={overview.unprotected_tasks}
            keyOf={(task) => task.id}
            toneOf={({ protection }) => protection.status === "failing" ? "warn" : "bad"}
          />
        )}
      <dl class="facts">
        <div>
          <dt>Runs</dt>
          <dd>
            <Count value={runs.running} /> running, <Count value={runs.queued} /> queued
          </dd>
        </div>
        <div>
          <dt>Due within 24 hours</dt>
          <dd>
            <Count value={overview.due_within_24_hours} />
          </dd>
        </div>
        <div>
          <dt>Servers</dt>
          <dd>
            <Count value={servers.connected} /> connected, <Count value={servers.disconnected} /> disconnected
          </dd>
        </div>
        <div>
          <dt>Stored</dt>
          <dd>
            {counted(backups.count, "backup")}, <Bytes value={backups.size} />
          </dd>
        </div>
        <div>
          <dt>Last proven restore</dt>
          <dd>
            {proven === null ? <span class="muted">none yet</span> : (
              <>
                {proven.label}, <Ago view={view} at={proven.at} />
              </>
            )}
          </dd>
        </div>
      </dl>
    </Live>
  );
}

export function addOverviewPage(site: Site): void {
  addPage(site, "/", async (view) => {
    const overview = await view.get("/api/overview");
    return { title: "Overview", content: <OverviewPage view={view} overview={overview} /> };
  });
}
