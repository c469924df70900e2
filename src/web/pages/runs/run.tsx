/** The page `/runs/:id`: what a run does or did, why it waits, and its log as it grows. */
import type { DataOf } from "../../../client/client.ts";
import { fill } from "../../api_path.ts";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { hasEnded, type Run, RunStatus, titleOf } from "../../components/run.tsx";
import { addAction, addPage, addSimpleAction, refused } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import { RestoreReport } from "../restore/report.tsx";
import { path, type Site } from "../../site.ts";
import type { View } from "../../view.ts";
import { Evidence } from "./evidence.tsx";
import type { LogLine } from "./log_text.ts";
import { followedLog, readLog, RunLog } from "./run_log.tsx";
import { Buttons, Facts, RunElsewhere, Wait, Warnings } from "./run_parts.tsx";
import { Phases, Progress } from "./run_phases.tsx";

/** Number of warnings on the page. */
const WARNINGS = 20;

/** Interval at which a browser without scripts fetches the page of an active run again, in seconds. */
const REFRESH = 5;

const LOG = "/api/backup-task-logs/{id}";

interface RunState {
  readonly run: Run;
  readonly wait: DataOf<"/api/backup-task-logs/{id}/why"> | null;
  readonly warnings: readonly LogLine[];
}

async function readState(view: View, id: string): Promise<RunState> {
  const run = await view.get(LOG, { id, query: { output: "none" } });
  const [wait, warnings] = await Promise.all([
    hasEnded(run) ? null : view.get(`${LOG}/why`, { id }),
    run.warnings_count === 0
      ? []
      : view.get(`${LOG}/lines`, { id, query: { stream: "warning", after: 0, limit: WARNINGS } }),
  ]);
  return { run, wait, warnings: warnings.slice(0, WARNINGS) };
}

function State({ view, state: { run, wait, warnings } }: { view: View; state: RunState }) {
  return (
    <Live view={view} id="run" topics={["runs"]}>
      <PageHeading
        view={view}
        title={titleOf(run)}
        lead={
          <span class="beside">
            <RunStatus run={run} />
            <span>Run {run.id}</span>
          </span>
        }
        trail={[{ label: "Runs", path: "/runs" }]}
      >
        <Buttons view={view} run={run} />
      </PageHeading>
      {run.reason === null ? null : <Reason view={view} run={run} reason={run.reason} />}
      <RestoreReport view={view} run={run} />
      <Evidence view={view} run={run} />
      <Phases view={view} run={run} />
      {run.status === "running" ? <Progress run={run} /> : null}
      {wait === null ? null : <Wait view={view} wait={wait} />}
      <Facts view={view} run={run} />
      <Warnings view={view} run={run} lines={warnings} />
    </Live>
  );
}

/**
 * Shows why a run failed or was cancelled. For a failed backup, also links to the form that edits the task,
 * because the task often has to be changed.
 */
function Reason({ view, run, reason }: { view: View; run: Run; reason: string }) {
  const isBad = run.status === "failed";
  const task = run.kind === "backup" && view.may("update-backup-tasks") ? run.backup_task : null;
  return (
    <p class={`notice ${isBad ? "bad" : ""}`.trimEnd()}>
      {isBad ? <Icon name="bad" /> : null}
      {reason}{" "}
      {isBad && task !== null ? <a href={view.path(`/tasks/${task.id}/edit`)}>Edit the task</a> : null}
    </p>
  );
}

export function addRunPage(site: Site): void {
  addPage(site, "/runs/:id", async (view, parameter) => {
    const state = await readState(view, parameter("id"));
    const { run } = state;
    const content = <State view={view} state={state} />;
    if (view.isPart) return { title: titleOf(run), content };
    const log = await readLog(view, run);
    return {
      title: titleOf(run),
      content: (
        <>
          {content}
          <RunLog view={view} run={run} log={log} />
          <RunElsewhere run={run} />
        </>
      ),
      log: followedLog(run, log),
      refreshSeconds: log.isFollowing ? REFRESH : undefined,
    };
  });
  addSimpleAction(site, "/runs/:id/cancel", {
    method: "POST",
    to: (parameter) => path`/api/backup-task-logs/${parameter("id")}/cancel`,
    done: "The run is being cancelled. Its agent cleans up first.",
  });
  addSimpleAction(site, "/runs/:id/delete", {
    method: "DELETE",
    to: (parameter) => path`/api/backup-task-logs/${parameter("id")}`,
    done: "The log is deleted.",
    goTo: () => "/runs",
  });
  addAction(site, "/runs/:id/again", async (view, form, parameter) => {
    const run = await view.get(LOG, { id: parameter("id"), query: { output: "none" } });
    const answer = await view.call("POST", againPath(run), {
      body: run.kind === "backup" ? { queue: true } : {},
      csrf: form.text("csrf_token"),
    });
    if (answer.status >= 300) return refused(view, form, answer);
    return { goTo: `/runs/${answer.body.backup_task_log_id}` };
  });
}

/** Returns the path of the API that repeats a run. */
function againPath({ kind, backup_task_id, backup_id }: Run): string {
  return kind === "backup"
    ? fill("/api/backup-tasks/{id}/run", { id: backup_task_id })
    : fill(`/api/backups/{id}/${kind === "drill" ? "drill" : "verify"}`, { id: backup_id });
}
