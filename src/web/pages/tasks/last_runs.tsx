/** How a task's last runs ended, how long they took and how much they stored. */
import type { Child } from "hono/jsx";
import { Sparkline } from "../../components/chart.tsx";
import { Bytes, Count, counted } from "../../components/number.tsx";
import { Status } from "../../components/status.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { Duration, Moment } from "../../components/time.tsx";
import { formatBytes } from "../../../domain/byte_size.ts";
import { duration } from "../../../domain/durations.ts";
import type { View } from "../../view.ts";
import type { BackupTask, TaskRun } from "./records.ts";
import { RunStrip } from "./run_strip.tsx";

/** Number of runs in the strip. */
export const STRIP = 30;
/** Number of runs in the table. */
const LISTED = 6;

function columnsOf(view: View): Column<TaskRun>[] {
  return [
    {
      label: "Started",
      kind: "main",
      cell: ({ id, created_at, started_at }) => (
        <a href={view.path(`/runs/${id}`)}>
          <Moment view={view} at={started_at ?? created_at} />
        </a>
      ),
    },
    { label: "Result", cell: (run) => <Result run={run} /> },
    { label: "Took", kind: "number", cell: ({ duration_ms }) => <Duration ms={duration_ms} /> },
    {
      label: "Stored",
      kind: "number",
      cell: ({ stored_bytes }) => <Bytes value={stored_bytes === 0 ? null : stored_bytes} />,
    },
  ];
}

function Result({ run: { outcome, reason, warnings_count } }: { run: TaskRun }) {
  const name = outcome === null ? "cancelled" : outcome === "succeeded" ? "successful" : outcome;
  const word = outcome === "warnings" ? counted(warnings_count, "warning") : undefined;
  return (
    <>
      <Status name={name} word={word} />
      {reason === null ? null : <span class="clamp muted small" title={reason}>{reason}</span>}
    </>
  );
}

interface TrendProps {
  readonly name: string;
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}

/** Shows the newest value, and the smallest and largest of all values. Also draws all values as a chart. */
function Trend({ name, values, format }: TrendProps) {
  const last = values.at(-1);
  if (last === undefined) return null;
  const range = `${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  return (
    <div>
      <dt>{name}</dt>
      <dd class="trend">
        <Sparkline label={`${name} of the last ${counted(values.length, "run")}: ${range}`} values={values} />
        <span>
          <span class="number">{format(last)}</span>
          <span class="muted small">{range}</span>
        </span>
      </dd>
    </div>
  );
}

interface LastRunsProps {
  readonly view: View;
  readonly task: BackupTask;
  /** Ended runs, the oldest first. */
  readonly runs: readonly TaskRun[];
  readonly children: Child;
}

export function LastRuns({ view, task, runs, children }: LastRunsProps) {
  const stored = runs.filter(({ stored_bytes }) => stored_bytes > 0);
  const took = stored.flatMap(({ duration_ms }) => duration_ms ?? []);
  const skipped = task.skipped_schedules;
  return (
    <section class="section" aria-labelledby="runs">
      <header>
        <h2 id="runs">Last runs</h2>
        <a class="small" href={view.path(`/runs?backup_task_id=${task.id}`)}>All runs</a>
      </header>
      {runs.length === 0 ? <p class="muted">No run has ended yet.</p> : (
        <>
          <RunStrip
            view={view}
            length={STRIP}
            runs={runs.map((run) => ({ ...run, outcome: run.outcome ?? "cancelled" }))}
          />
          <dl class="facts">
            <Trend name="Stored" values={stored.map((run) => run.stored_bytes)} format={formatBytes} />
            <Trend name="Duration" values={took} format={duration} />
          </dl>
          <Table
            view={view}
            caption="The last runs"
            columns={columnsOf(view)}
            rows={runs.slice(-LISTED).toReversed()}
            keyOf={({ id }) => `run-${id}`}
          />
        </>
      )}
      {skipped.count === 0 ? null : (
        <p class="muted small">
          Due times of the last 30 days that were skipped, because an earlier run was still going:{" "}
          <Count value={skipped.count} />, the last one on <Moment view={view} at={skipped.last_at} />.
        </p>
      )}
      {children}
    </section>
  );
}
