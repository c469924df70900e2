/** The heat map of a year: one square for each day, coloured by the worst run of the day. */
import type { Answer } from "../../../client/client.ts";
import { counted } from "../../components/number.tsx";
import type { View } from "../../view.ts";

type RunDays = Answer<"/api/history/days">["data"];
export type Day = RunDays["days"][number];

/** Distance from one square to the next, in units of the drawing. */
const STEP = 12;
const SQUARE = 10;
/** Space for the names of the months above the squares, and for the weekdays on the left of the squares. */
const [TOP, LEFT] = [14, 26];

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function HeatMap({ view, days }: { view: View; days: RunDays }) {
  const first = weekday(days.days[0]?.date ?? days.from);
  const cells = days.days.map((day, index) => ({
    day,
    column: Math.floor((index + first) / 7),
    row: (index + first) % 7,
  }));
  const width = LEFT + ((cells.at(-1)?.column ?? 0) + 1) * STEP;
  const { cancelled: _, skipped, ...ended } = days.totals;
  const total = Object.values(ended).reduce((sum, number) => sum + number, 0);
  return (
    <section class="section" aria-labelledby="year">
      <header>
        <h2 id="year">A year of backups</h2>
        <p class="muted small">
          {counted(total, "run")}, {days.totals.failed} failed, {days.totals.warnings} with warnings
          {skipped === 0 ? "" : `, ${skipped} skipped`}
        </p>
      </header>
      <div class="heat-scroll" tabindex={0} role="group" aria-label="A year of backups, by day">
        <svg class="heat" viewBox={`0 0 ${width} ${TOP + 7 * STEP}`}>
          <title>Backup runs of each day</title>
          {["Mon", "Wed", "Fri"].map((name, index) => (
            <text key={name} x="0" y={TOP + index * 2 * STEP + SQUARE - 1}>{name}</text>
          ))}
          {monthStarts(cells).map(({ column, month }) => (
            <text key={column} x={LEFT + column * STEP} y={TOP - 5}>{MONTHS[month]}</text>
          ))}
          {cells.map(({ day, column, row }) => (
            <Square key={day.date} view={view} day={day} x={LEFT + column * STEP} y={TOP + row * STEP} />
          ))}
        </svg>
      </div>
      <p class="heat-key muted small">
        Worst run of each day:
        {KEY.map(({ tone, word }) => (
          <span key={tone}>
            <svg class="heat-square" viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <rect class={tone} width="10" height="10" rx="2" />
            </svg>
            {word}
          </span>
        ))}
      </p>
    </section>
  );
}

/** The colours and what they mean. */
const KEY = [
  { tone: "good", word: "successful" },
  { tone: "warn", word: "with warnings" },
  { tone: "bad", word: "failed" },
  { tone: "none", word: "no run" },
];

function Square({ view, day, x, y }: { view: View; day: Day; x: number; y: number }) {
  const text = describe(day);
  const square = (
    <rect class={toneOf(day)} x={x} y={y} width={SQUARE} height={SQUARE} rx="2">
      <title>{text}</title>
    </rect>
  );
  const isQuiet = day.failed + day.warnings === 0;
  // Only days with something to look into are links. The keyboard then has few stops.
  return isQuiet
    ? square
    : (
      <a href={view.path(`/runs?kind=backup&since=${day.date}&until=${day.date}`)} aria-label={text}>
        {square}
      </a>
    );
}

export function describe({ date, succeeded, warnings, failed, cancelled, skipped }: Day): string {
  const parts = [
    [succeeded, "successful"],
    [warnings, "with warnings"],
    [failed, "failed"],
    [cancelled, "cancelled"],
    [skipped, "skipped"],
  ].filter(([number]) => number !== 0).map(([number, word]) => `${number} ${word}`);
  return `${date}: ${parts.length === 0 ? "no runs" : parts.join(", ")}`;
}

/** Returns the worst outcome of a day's runs, as the name of a colour. */
export function toneOf({ succeeded, warnings, failed, skipped }: Day): string {
  if (failed > 0) return "bad";
  if (warnings + skipped > 0) return "warn";
  return succeeded > 0 ? "good" : "none";
}

/** Returns the weekday of a date: 0 for Monday. */
function weekday(date: string): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
}

function monthStarts(cells: readonly { day: Day; column: number }[]): { column: number; month: number }[] {
  return cells.filter(({ day }) => day.date.endsWith("-01")).map(({ day, column }) => ({
    column,
    month: Number(day.date.slice(5, 7)) - 1,
  }));
}
