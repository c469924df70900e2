/** The runs of a day as a list, and the overlaps of a week. */
import { Mark } from "../../components/status.tsx";
import { type Column, Empty, Table } from "../../components/table.tsx";
import { Duration, Moment } from "../../components/time.tsx";
import type { View } from "../../view.ts";
import { dayAndMonth, dayName, type DueRun, type PlannedTask, repeatedOverlaps, type Week } from "./week.ts";

interface DueListProps {
  readonly view: View;
  readonly week: Week;
  /** The shown day; null for the next 24 hours. */
  readonly day: string | null;
  readonly runs: readonly DueRun[];
  readonly isThisWeek: boolean;
}

/** Maximum number of runs in the list. */
const ROWS = 200;

export function DueList({ view, week, day, runs, isThisWeek }: DueListProps) {
  const tab = (value: string | null, label: string) => (
    <a
      key={label}
      href={`${view.with({ day: value })}#due`}
      aria-current={value === day ? "true" : undefined}
    >
      {label}
    </a>
  );
  const often = week.servers.flatMap(({ tasks }) => tasks).filter(({ interval }) => interval !== null);
  return (
    <section class="section due-list" aria-labelledby="due">
      <h2 id="due">{day === null ? "Next 24 hours" : `${dayName(day)}, ${dayAndMonth(day)}`}</h2>
      <nav class="tabs" aria-label="Days">
        {isThisWeek ? tab(null, "Next 24 hours") : null}
        {week.days.map((each) => tab(each, `${dayName(each)} ${dayAndMonth(each)}`))}
      </nav>
      {often.length === 0 ? null : <OftenDue view={view} tasks={often} />}
      {runs.length === 0
        ? <Empty title={day === null ? "No run is due within 24 hours." : "No run is due on this day."} />
        : (
          <Table
            view={view}
            caption="Runs that are due, the next one first"
            columns={columnsOf(view)}
            rows={runs.slice(0, ROWS)}
            keyOf={({ at, task }) => `${task.backup_task_id}-${Date.parse(at)}`}
          />
        )}
      {runs.length > ROWS ? <p class="muted small">These are the first {ROWS} of {runs.length}.</p> : null}
    </section>
  );
}

function columnsOf(view: View): Column<DueRun>[] {
  return [
    { label: "When", kind: "number", cell: ({ at }) => <Moment view={view} at={at} /> },
    {
      label: "Task",
      kind: "main",
      cell: ({ task }) => <a class="line" href={view.path(`/tasks/${task.backup_task_id}`)}>{task.label}</a>,
    },
    { label: "Server", cell: ({ server }) => <span class="line">{server.label}</span> },
    {
      label: "Takes about",
      kind: "number",
      cell: ({ task: { expected_duration_ms: ms } }) => (
        <Duration ms={ms === null ? null : Math.max(1000, ms)} none="unknown" />
      ),
    },
    {
      label: "Waits",
      cell: ({ waits }) => waits ? <Mark icon="warn" tone="warn" text="Waits for another" /> : null,
    },
  ];
}

/** Tasks that are due so often that the list leaves out their times. */
function OftenDue({ view, tasks }: { view: View; tasks: readonly PlannedTask[] }) {
  return (
    <ul class="often">
      {tasks.map((task) => (
        <li key={task.backup_task_id}>
          <a class="line" href={view.path(`/tasks/${task.backup_task_id}`)}>{task.label}</a>
          <span class="muted small">{task.interval}</span>
        </li>
      ))}
    </ul>
  );
}

export function Overlaps({ view, week }: { view: View; week: Week }) {
  const overlaps = repeatedOverlaps(week);
  if (overlaps.length === 0) return null;
  return (
    <section class="section overlap-list" aria-labelledby="overlaps">
      <h2 id="overlaps">Overlaps</h2>
      <p class="muted">
        Tasks of one server that are expected to run at the same time. A server runs as many at once as its
        setting says.
      </p>
      <Table
        view={view}
        caption="Overlaps, those that make runs wait first"
        columns={[
          {
            label: "When",
            kind: "main",
            cell: ({ from, until, days }) => `${from}–${until}, ${daysInWords(days)}`,
          },
          {
            label: "Server",
            cell: ({ server }) => <a href={view.path(`/servers/${server.id}`)}>{server.label}</a>,
          },
          {
            label: "Tasks",
            cell: ({ tasks }) => (
              <span>
                {tasks.map((task, index) => (
                  <>
                    {index === 0 ? "" : ", "}
                    <a href={view.path(`/tasks/${task.backup_task_id}/edit`)}>{task.label}</a>
                  </>
                ))}
              </span>
            ),
          },
          {
            label: "What happens",
            cell: ({ waits, mostAtOnce, server }) =>
              waits
                ? <Mark icon="warn" tone="warn" text={waitsInWords(mostAtOnce - server.runs_at_once)} />
                : "Run side by side",
          },
        ]}
        rows={overlaps.slice(0, 50)}
        keyOf={({ server, from, days, tasks }) =>
          `${server.id}-${from}-${days[0]}-${tasks.map((task) => task.backup_task_id).join("-")}`}
        toneOf={({ waits }) => waits ? "warn" : undefined}
      />
    </section>
  );
}

function waitsInWords(waiting: number): string {
  return waiting === 1 ? "One has to wait" : `${waiting} have to wait`;
}

function daysInWords(days: readonly string[]): string {
  if (days.length === 7) return "every day";
  return days.length > 3 ? `on ${days.length} days` : days.map(dayName).join(", ");
}
