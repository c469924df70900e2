/** The page `/schedule`: when tasks are due in a week, and which of them overlap. */
import { boundariesOf, localDate } from "../../../domain/history/day_range.ts";
import { Elsewhere, Select } from "../../components/form.tsx";
import { Icon } from "../../components/icon.tsx";
import { Live } from "../../components/live.tsx";
import { Empty, Pages } from "../../components/table.tsx";
import { addPage } from "../../page.tsx";
import { PageHeading } from "../../shell.tsx";
import type { Site } from "../../site.ts";
import type { ListPage, View } from "../../view.ts";
import { DueList, Overlaps } from "./due_list.tsx";
import { dayAndMonth, type DueRun, dueRuns, mondayOf, type PlannedServer, type Week } from "./week.ts";
import { WeekGrid } from "./week_grid.tsx";

/** Maximum number of tasks in one grid. */
const ROWS = 60;
const DAY = 86_400_000;
const DATE = /^[1-9]\d{3}-\d\d-\d\d$/;

function dateIn(view: View, name: string): string | null {
  const value = view.query(name);
  return DATE.test(value) && !Number.isNaN(Date.parse(value)) ? value : null;
}

interface Schedule {
  /** The shown week. It contains only the servers that match the page's filter. */
  readonly week: Week;
  /** All servers of the shown week, without the page's filter. */
  readonly servers: readonly PlannedServer[];
  readonly today: string;
  readonly isThisWeek: boolean;
  /** The day whose runs the list shows. If null, the list shows the runs of the next 24 hours. */
  readonly day: string | null;
  readonly runs: readonly DueRun[];
}

async function readSchedule(view: View): Promise<Schedule> {
  const { timezone } = view.user;
  const today = localDate(timezone, view.now);
  const start = mondayOf(dateIn(view, "start") ?? today);
  const read = (from: string) => view.get("/api/backup-tasks/week", { query: { start: from, timezone } });
  const whole = await read(start);
  const isThisWeek = whole.days.includes(today);
  const chosen = dateIn(view, "day");
  const day = chosen !== null && whole.days.includes(chosen) ? chosen : isThisWeek ? null : whole.days[0]!;
  const week = filtered(view, whole);
  if (day !== null) {
    const [from, until] = boundariesOf({ timezone, from: day, to: day });
    const runs = dueRuns(week, from!.toISOString(), until!.toISOString());
    return { week, servers: whole.servers, today, isThisWeek, day, runs };
  }
  const until = new Date(view.now.getTime() + DAY).toISOString();
  // On the last day of a week, the next 24 hours reach into the next week.
  const days = Date.parse(until) <= Date.parse(week.until) ? week : filtered(view, await read(today));
  const runs = dueRuns(days, view.now.toISOString(), until);
  return { week, servers: whole.servers, today, isThisWeek, day, runs };
}

function filtered(view: View, week: Week): Week {
  const id = view.query("remote_server_id");
  return id === "" ? week : { ...week, servers: week.servers.filter((server) => String(server.id) === id) };
}

/** Returns one page of the week's tasks, under their servers. */
function pageOf(view: View, { servers }: Week): ListPage<PlannedServer> {
  const all = servers.flatMap((server) => server.tasks.map((task) => ({ server, task })));
  const pages = Math.max(1, Math.ceil(all.length / ROWS));
  const page = Math.min(pages, Math.max(1, Number(view.query("page")) || 1));
  const shown = all.slice((page - 1) * ROWS, page * ROWS);
  const rows = [...new Set(shown.map(({ server }) => server))].map((server) => ({
    ...server,
    tasks: shown.filter((each) => each.server === server).map(({ task }) => task),
  }));
  return { rows, total: all.length, page, pages };
}

function WeekLinks({ view, week, isThisWeek }: { view: View; week: Week; isThisWeek: boolean }) {
  const link = (weeks: number) => view.with({ start: mondayOf(week.days[0]!, weeks), day: null });
  return (
    <>
      <a class="button quiet" rel="prev" href={link(-1)}>
        <Icon name="previous" /> Previous week
      </a>
      {isThisWeek ? null : <a class="button quiet" href={view.with({ start: null, day: null })}>This week</a>}
      <a class="button quiet" rel="next" href={link(1)}>
        Next week <Icon name="next" />
      </a>
    </>
  );
}

function ServerFilter({ view, servers }: { view: View; servers: readonly PlannedServer[] }) {
  if (servers.length < 2) return null;
  return (
    <form class="filters" action={view.path("/schedule")}>
      {["start", "day"].filter((name) => view.query(name) !== "").map((name) => (
        <input key={name} type="hidden" name={name} value={view.query(name)} />
      ))}
      <Select
        name="remote_server_id"
        label="Server"
        value={view.query("remote_server_id")}
        choices={[
          { value: "", label: "Every server" },
          ...servers.map(({ id, label }) => ({ value: id, label })),
        ]}
      />
      <button class="button quiet" type="submit">Show</button>
    </form>
  );
}

function SchedulePage({ view, schedule }: { view: View; schedule: Schedule }) {
  const { week, servers, today, isThisWeek, day, runs } = schedule;
  const page = pageOf(view, week);
  const [first, last] = [week.days[0]!, week.days.at(-1)!];
  if (servers.length === 0) {
    return (
      <>
        <PageHeading view={view} title="Schedule" />
        <Empty title="Nothing is scheduled.">
          <p class="muted">A task says what to back up, where to and when.</p>
          {view.may("create-backup-tasks")
            ? <a class="button" href={view.path("/tasks/new")}>Add a task</a>
            : null}
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHeading
        view={view}
        title="Schedule"
        lead={`${dayAndMonth(first)} – ${dayAndMonth(last)} ${last.slice(0, 4)}, times in ${week.timezone}`}
      >
        <WeekLinks view={view} week={week} isThisWeek={isThisWeek} />
      </PageHeading>
      <ServerFilter view={view} servers={servers} />
      <Live view={view} id="schedule" topics={["tasks", "servers"]}>
        <WeekGrid view={view} week={week} servers={page.rows} today={today} />
        <Pages view={view} list={page} />
        <DueList view={view} week={week} day={day} runs={runs} isThisWeek={isThisWeek} />
        <Overlaps view={view} week={week} />
      </Live>
      <Elsewhere
        cli={`rearguard tasks week --start ${first}`}
        api={`GET /api/backup-tasks/week?start=${first}&timezone=${week.timezone}`}
      />
    </>
  );
}

export function addSchedulePage(site: Site): void {
  addPage(site, "/schedule", async (view) => ({
    title: "Schedule",
    content: <SchedulePage view={view} schedule={await readSchedule(view)} />,
  }));
}
