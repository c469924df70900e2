/** How far a run is: its phases with their times, and its progress. */
import { Meter } from "../../components/chart.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { Bytes, count, percent } from "../../components/number.tsx";
import { hasEnded, type Run, shareDone } from "../../components/run.tsx";
import { Duration, ExactTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";

interface Phase {
  readonly label: string;
  readonly at: string | null;
  /** A duration, in milliseconds, and its name. */
  readonly note?: { readonly label: string; readonly ms: number };
  readonly isCurrent: boolean;
  readonly icon?: IconName;
}

const WORKS: Readonly<Record<Run["kind"], string>> = {
  backup: "Backing up",
  restore: "Restoring",
  verify: "Verifying",
  drill: "Restoring for the drill",
};

const SCRIPTS: Readonly<Record<string, string>> = {
  prescript: "Script before the backup",
  after_success: "Script after the success",
  after_failure: "Script after the failure",
  postscript: "Last script",
};

const ENDS: Readonly<Record<string, { label: string; icon: IconName }>> = {
  successful: { label: "Finished", icon: "good" },
  failed: { label: "Failed", icon: "bad" },
  cancelled: { label: "Cancelled", icon: "cancelled" },
};

function phasesOf(view: View, run: Run): Phase[] {
  const { created_at, started_at, finished_at, progress } = run;
  const now = view.now.toISOString();
  const isOver = hasEnded(run);
  const since = (from: string, to: string) => Math.max(0, Date.parse(to) - Date.parse(from));
  const works = SCRIPTS[progress.phase ?? ""] ?? WORKS[run.kind];
  const wait = { label: "waited", ms: since(created_at, started_at ?? finished_at ?? now) };
  const phases: Phase[] = [
    { label: "Queued", at: created_at, note: wait, isCurrent: started_at === null && !isOver },
  ];
  if (started_at !== null || !isOver) {
    phases.push({
      label: isOver ? "Started" : works,
      at: started_at,
      note: started_at === null ? undefined : { label: "ran", ms: since(started_at, finished_at ?? now) },
      isCurrent: started_at !== null && !isOver,
    });
  }
  phases.push({ label: "Finished", ...ENDS[run.status], at: finished_at, isCurrent: false });
  return phases;
}

export function Phases({ view, run }: { view: View; run: Run }) {
  const iconOf = ({ isCurrent, at, icon }: Phase): IconName =>
    isCurrent ? "running" : at === null ? "none" : icon ?? "good";
  return (
    <ol class="phases" aria-label="Phases of the run">
      {phasesOf(view, run).map((phase) => (
        <li
          key={phase.label}
          class={phase.at === null ? undefined : phase.icon === "bad" ? "done bad" : "done"}
          aria-current={phase.isCurrent ? "step" : undefined}
        >
          <Icon name={iconOf(phase)} />
          <span>{phase.label}</span>
          <span class="small">
            {phase.at === null ? "not yet" : <ExactTime view={view} at={phase.at} />}
            {phase.note === undefined || phase.note.ms < 1000 ? null : (
              <>
                , {phase.note.label} <Duration ms={phase.note.ms} />
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** The progress of a run that is not over: a bar if its end can be estimated, and the rate. */
export function Progress({ run }: { run: Run }) {
  const { bytes_read, bytes_per_second, eta_seconds, files_count } = run.progress;
  const share = shareDone(run.progress);
  return (
    <div class="run-progress">
      {share === null ? null : <Meter label={`${percent(share)} done`} share={share} />}
      <p class="muted number">
        {share === null ? null : <>{percent(share)} ·{" "}</>}
        <Bytes value={bytes_read} /> read
        {files_count === null ? null : <>{" "}· {count(files_count)} files</>}
        {bytes_per_second === null || bytes_per_second === 0 ? null : (
          <>
            {" "}· <Bytes value={Math.round(bytes_per_second)} /> a second
          </>
        )}
        {eta_seconds === null ? null : (
          <>
            {" "}· about <Duration ms={eta_seconds * 1000} /> left
          </>
        )}
      </p>
    </div>
  );
}
