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

/** The phases of a run with scripts. */
const PHASES: Readonly<Record<Run["phases"][number]["phase"], string>> = {
  prescript: "Scripts before the backup",
  backup: "Backup",
  after_success: "Scripts after the success",
  after_failure: "Scripts after the failure",
  postscript: "Last scripts",
};

const ENDS: Readonly<Record<string, { label: string; icon: IconName }>> = {
  successful: { label: "Finished", icon: "good" },
  failed: { label: "Failed", icon: "bad" },
  cancelled: { label: "Cancelled", icon: "cancelled" },
};

/** Returns the time from `from` to `to` as a note. If `to` is null, returns the time from `from` to now. */
function lasted(view: View, label: string, from: string, to: string | null): Phase["note"] {
  const end = to === null ? view.now.getTime() : Date.parse(to);
  return { label, ms: Math.max(0, end - Date.parse(from)) };
}

function phasesOf(view: View, run: Run): Phase[] {
  const { created_at, started_at, finished_at } = run;
  const isOver = hasEnded(run);
  const phases: Phase[] = [{
    label: "Queued",
    at: created_at,
    note: lasted(view, "waited", created_at, started_at ?? finished_at),
    isCurrent: started_at === null && !isOver,
  }];
  if (started_at !== null || !isOver) phases.push(...workOf(view, run));
  phases.push({ label: "Finished", ...ENDS[run.status], at: finished_at, isCurrent: false });
  return phases;
}

/** Returns the phases between queuing and the end. If the run has no scripts, this is one phase: the work. */
function workOf(view: View, run: Run): Phase[] {
  const { started_at, finished_at, phases } = run;
  const isOver = hasEnded(run);
  if (phases.length === 0) {
    const note = started_at === null ? undefined : lasted(view, "took", started_at, finished_at);
    const isCurrent = started_at !== null && !isOver;
    return [{ label: isOver ? "Started" : WORKS[run.kind], at: started_at, note, isCurrent }];
  }
  return phases.map(({ phase, started_at }, index) => {
    const next = phases[index + 1]?.started_at ?? finished_at;
    return {
      label: PHASES[phase],
      at: started_at,
      note: lasted(view, "took", started_at, next),
      isCurrent: next === null,
    };
  });
}

export function Phases({ view, run }: { view: View; run: Run }) {
  const iconOf = ({ isCurrent, at, icon }: Phase): IconName =>
    isCurrent ? "running" : at === null ? "none" : icon ?? "good";
  return (
    <ol class="phases" aria-label="Phases of the run">
      {phasesOf(view, run).map((phase) => (
        <li
          key={`${phase.label} ${phase.at}`}
          class={phase.at === null ? undefined : phase.icon === "bad" ? "done bad" : "done"}
          aria-current={phase.isCurrent ? "step" : undefined}
        >
          <Icon name={iconOf(phase)} />
          <span>{phase.label}</span>
          <span class="small">
            {phase.at === null ? "not yet" : <ExactTime view={view} at={phase.at} />}
            {phase.note === undefined || phase.note.ms < 1000 ? null : (
              <>
                , {phase.isCurrent ? "for" : phase.note.label} <Duration ms={phase.note.ms} />
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
