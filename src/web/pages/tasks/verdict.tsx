/**
 * Shows whether a task is protected. If it is not, shows the reason and a button that mends this. Also shows
 * the task's current run.
 */
import { Meter } from "../../components/chart.tsx";
import { PostButton } from "../../components/form.tsx";
import { Bytes, percent } from "../../components/number.tsx";
import { Status } from "../../components/status.tsx";
import { Ago, Duration, exactTime, relativeTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import type { BackupTask, Log, Server } from "./records.ts";

interface VerdictProps {
  readonly view: View;
  readonly task: BackupTask;
  /** The task's server; null if it cannot be read. */
  readonly server: Server | null;
}

/** The colour of each status. */
const TONES = { protected: "", paused: "", failing: "warn", late: "bad", never_backed_up: "bad" } as const;

/** Says in one sentence how the task is protected. */
function sentence(view: View, { paused_at, protection }: BackupTask): string {
  const { late_at, newest_backup_at, reason, status } = protection;
  if (status === "paused") {
    return `Paused since ${exactTime(view, paused_at!)}: no run starts, and nothing warns of old backups.`;
  }
  if (reason !== null || newest_backup_at === null) return reason ?? "";
  const newest = `The newest backup was stored ${relativeTime(view, newest_backup_at)}.`;
  if (late_at === null) return newest;
  return `${newest} The task becomes late ${relativeTime(view, late_at)}, unless a newer one is stored.`;
}

export function Verdict({ view, task, server }: VerdictProps) {
  const { status } = task.protection;
  const isAway = server !== null && server.status.connectivity !== "connected" && status !== "paused";
  return (
    <div class={`notice task-verdict ${TONES[status] || (isAway ? "warn" : "")}`.trimEnd()}>
      <Status name={status} />
      <div class="task-verdict-text">
        <p>{sentence(view, task)}</p>
        {isAway
          ? (
            <p>
              No backup can run: the agent of {server.label}{" "}
              {server.status.connectivity === "unknown" ? "has never connected" : "is not connected"}.
            </p>
          )
          : null}
      </div>
      <Fix view={view} task={task} isAway={isAway} />
    </div>
  );
}

/** The button that mends what is wrong; nothing if nothing is wrong, or if a run is under way. */
function Fix({ view, task, isAway }: { view: View; task: BackupTask; isAway: boolean }) {
  const { id, protection: { status }, remote_server: server } = task;
  if (isAway) {
    return <a class="button quiet" href={view.path(`/servers/${server.id}`)}>Open the server</a>;
  }
  if (status === "paused") {
    return view.may("pause-backup-tasks")
      ? <PostButton view={view} action={`/tasks/${id}/resume`} label="Resume" icon="play" look="primary" />
      : null;
  }
  if (status === "protected" || task.status === "running" || !view.may("run-backup-tasks")) return null;
  return <PostButton view={view} action={`/tasks/${id}/run`} label="Run now" icon="play" />;
}

/** The run that is queued or under way. */
export function CurrentRun({ view, log, why }: { view: View; log: Log; why: string | null }) {
  const { bytes_read, bytes_per_second, eta_seconds } = log.progress;
  const total = eta_seconds === null || bytes_per_second === null
    ? 0
    : bytes_read + eta_seconds * bytes_per_second;
  return (
    <div class="task-verdict current-run">
      <Status name={log.status} />
      <div class="task-verdict-text">
        {log.status === "queued" ? <p>{why ?? "The run waits for its server."}</p> : (
          <p>
            Since <Ago view={view} at={log.started_at} none="a moment" />, <Bytes value={bytes_read} /> read
            {eta_seconds === null ? null : (
              <>
                , <Duration ms={eta_seconds * 1000} /> left
              </>
            )}
          </p>
        )}
        {total === 0
          ? null
          : <Meter label={`${percent(bytes_read / total)} done`} share={bytes_read / total} />}
      </div>
      <a class="button quiet" href={view.path(`/runs/${log.id}`)}>Open the run</a>
    </div>
  );
}
