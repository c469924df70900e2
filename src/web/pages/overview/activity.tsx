/** Lists of the active and of the next runs. */
import { count, counted } from "../../components/number.tsx";
import { RunProgress, titleOf } from "../../components/run.tsx";
import { Ago, Moment } from "../../components/time.tsx";
import type { RowOf } from "../../../client/client.ts";
import type { ListPage, View } from "../../view.ts";

type Log = RowOf<"/api/backup-task-logs">;

interface RunningNowProps {
  readonly view: View;
  readonly active: ListPage<Log>;
  readonly runs: { readonly running: number; readonly queued: number };
}

export function RunningNow({ view, active, runs }: RunningNowProps) {
  const more = runs.running - active.rows.length;
  return (
    <section class="section" aria-labelledby="running">
      <header>
        <h2 id="running">Running now</h2>
        <a class="small" href={view.path("/runs")}>All runs</a>
      </header>
      {active.rows.length === 0 ? <p class="muted">Nothing runs.</p> : (
        <ul class="lines">
          {active.rows.map((log) => (
            <li key={log.id}>
              <a class="line-main" href={view.path(`/runs/${log.id}`)}>
                {log.kind === "backup" && log.backup_task !== null ? log.backup_task.label : titleOf(log)}
              </a>
              <RunProgress run={log} />
            </li>
          ))}
        </ul>
      )}
      {more > 0 || runs.queued > 0
        ? (
          <p class="muted small">
            {more > 0 ? `${count(more)} more ${more === 1 ? "runs" : "run"}. ` : ""}
            {runs.queued > 0 ? `${counted(runs.queued, "run waits", "runs wait")}.` : ""}
          </p>
        )
        : null}
    </section>
  );
}

const DAY = 86_400_000;

interface NextRunsProps {
  readonly view: View;
  readonly upcoming: ListPage<RowOf<"/api/backup-tasks/upcoming">>;
  readonly due: number;
}

/** The tasks that are due in the next 24 hours. `due` is their number. */
export function NextRuns({ view, upcoming, due }: NextRunsProps) {
  const end = view.now.getTime() + DAY;
  const rows = upcoming.rows.filter(({ next_run }) => Date.parse(next_run) <= end);
  return (
    <section class="section" aria-labelledby="next">
      <header>
        <h2 id="next">Next 24 hours</h2>
        <a class="small" href={view.path("/schedule")}>{counted(due, "run")}</a>
      </header>
      {rows.length === 0 ? <p class="muted">Nothing is scheduled.</p> : (
        <ul class="lines">
          {rows.map((task) => (
            <li key={task.backup_task_id}>
              <a class="line-main" href={view.path(`/tasks/${task.backup_task_id}`)}>{task.label}</a>
              <span class="muted small">
                <Moment view={view} at={task.next_run} /> · <Ago view={view} at={task.next_run} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
