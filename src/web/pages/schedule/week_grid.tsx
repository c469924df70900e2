/** A week as a grid: seven days, and a row for each task. Each mark is a run that is due. */
import type { Child } from "hono/jsx";
import { duration } from "../../../domain/durations.ts";
import { localClock } from "../../../domain/timezone.ts";
import { Icon } from "../../components/icon.tsx";
import type { View } from "../../view.ts";
import { dayAndMonth, dayName, type PlannedServer, type PlannedTask, type Week } from "./week.ts";

const HOUR = 3_600_000;
/** Height of a row's drawing. Its width is the number of hours in the week. */
const HEIGHT = 24;
/** Width of the smallest mark, in hours. A run of a few seconds is still visible. */
const SMALLEST = 0.7;

interface GridProps {
  readonly view: View;
  readonly week: Week;
  /** The servers to show, each with the tasks to show. */
  readonly servers: readonly PlannedServer[];
  readonly today: string;
}

export function WeekGrid({ view, week, servers, today }: GridProps) {
  return (
    <div class="scroll week" tabindex={0} role="region" aria-label="The week as a grid">
      <table class="table">
        <caption class="hidden">
          When the tasks are due from {week.days[0]} to {week.days.at(-1)}. The times are in the list below.
        </caption>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col" class="days">
              {week.days.map((day) => (
                <span key={day} class={day === today ? "today" : undefined}>
                  {dayName(day)} <span class="day-date">{dayAndMonth(day)}</span>
                </span>
              ))}
            </th>
          </tr>
        </thead>
        {servers.map((server) => (
          <tbody key={server.id}>
            <ServerRow view={view} week={week} server={server} />
            {server.tasks.map((task) => (
              <TaskRow key={task.backup_task_id} view={view} week={week} task={task} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

/** A drawing over the width of the week. Screen readers skip it: the list below the grid says the same. */
function Lane({ view, week, children }: { view: View; week: Week; children: Child }) {
  const hours = hoursIn(week, week.until);
  const past = Math.min(hours, hoursIn(week, view.now.toISOString()));
  return (
    <svg viewBox={`0 0 ${hours} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {past > 0 ? <rect class="past" width={past.toFixed(2)} height={HEIGHT} /> : null}
      {children}
    </svg>
  );
}

function hoursIn({ from }: Week, at: string): number {
  return (Date.parse(at) - Date.parse(from)) / HOUR;
}

/** A server, with the times at which several of its tasks are expected to run. */
function ServerRow({ view, week, server }: { view: View; week: Week; server: PlannedServer }) {
  const waiting = server.overlaps.filter(({ waits }) => waits).length;
  const clock = (at: string) => localClock(week.timezone, new Date(at));
  return (
    <tr class="week-server">
      <th scope="rowgroup">
        <span class="week-label">
          <a href={view.path(`/servers/${server.id}`)}>{server.label}</a>
          {waiting === 0 ? null : (
            <a class="status warn small" href="#overlaps">
              <Icon name="warn" />
              {waiting} {waiting === 1 ? "overlap" : "overlaps"}
            </a>
          )}
        </span>
      </th>
      <td>
        <Lane view={view} week={week}>
          {server.overlaps.map(({ from, until, most_at_once, waits }) => (
            <rect
              key={from}
              class={waits ? "warn" : "quiet"}
              x={hoursIn(week, from).toFixed(2)}
              y="9"
              width={Math.max(SMALLEST, hoursIn(week, until) - hoursIn(week, from)).toFixed(2)}
              height="6"
            >
              <title>
                {`${clock(from)}–${clock(until)}: ${most_at_once} at once${waits ? ", so runs wait" : ""}`}
              </title>
            </rect>
          ))}
        </Lane>
      </td>
    </tr>
  );
}

function TaskRow({ view, week, task }: { view: View; week: Week; task: PlannedTask }) {
  const takes = task.expected_duration_ms;
  const width = Math.max(SMALLEST, (takes ?? 0) / HOUR).toFixed(2);
  const expected = takes === null ? "" : `, takes about ${duration(Math.max(1000, takes))}`;
  return (
    <tr class={task.is_paused ? "quiet" : undefined}>
      <th scope="row" class="main" title={`${task.label}: ${task.description}`}>
        <span class="week-label">
          <a class="line" href={view.path(`/tasks/${task.backup_task_id}`)}>{task.label}</a>
          {task.is_paused ? <span class="small muted">Paused</span> : null}
          {task.interval === null ? null : <span class="small muted">{task.interval}</span>}
        </span>
      </th>
      <td>
        <Lane view={view} week={week}>
          <a href={view.path(`/tasks/${task.backup_task_id}`)} tabindex={-1}>
            {task.interval === null
              ? null
              : (
                <rect class="active" x="0" y="11" width={hoursIn(week, week.until)} height="2">
                  <title>{`${task.label}, ${task.interval}`}</title>
                </rect>
              )}
            {task.runs.map(({ at, local }) => (
              <rect
                key={at}
                class="active"
                x={hoursIn(week, at).toFixed(2)}
                y="4"
                width={width}
                height="16"
              >
                <title>
                  {`${task.label}, ${dayName(local.slice(0, 10))} ${local.slice(11, 16)}${expected}`}
                </title>
              </rect>
            ))}
          </a>
        </Lane>
      </td>
    </tr>
  );
}
