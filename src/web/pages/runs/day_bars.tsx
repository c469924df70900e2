/** The backup runs of the last days, as bars. */
import type { View } from "../../view.ts";
import { type Day, describe } from "../overview/heat_map.tsx";

/** Size of the drawing: the distance between two bars, and the height of the highest. */
const [STEP, HEIGHT] = [14, 32];

/** One bar for each day, divided by the outcomes of the day's runs. Each is a link to the runs of its day. */
export function DayBars({ view, days }: { view: View; days: readonly Day[] }) {
  if (days.every((day) => totalOf(day) === 0)) return null;
  const top = Math.max(1, ...days.map(totalOf));
  const width = days.length * STEP;
  return (
    <div>
      <p class="muted small">Backups of the last {days.length} days</p>
      <svg
        class="strip day-bars"
        viewBox={`0 0 ${width} ${HEIGHT + 2}`}
        role="group"
        aria-label="Backups by day"
      >
        {days.map((day, index) => (
          <a
            key={day.date}
            href={view.path(`/runs?kind=backup&since=${day.date}&until=${day.date}`)}
            aria-label={describe(day)}
          >
            <rect class="day" x={index * STEP} y="0" width={STEP - 2} height={HEIGHT + 2}>
              <title>{describe(day)}</title>
            </rect>
            <Bar day={day} x={index * STEP} unit={HEIGHT / top} />
          </a>
        ))}
      </svg>
    </div>
  );
}

function totalOf({ succeeded, warnings, failed, cancelled }: Day): number {
  return succeeded + warnings + failed + cancelled;
}

/**
 * The bar of one day. Failed runs are at the bottom of the bar. For a day without runs, there is only a line.
 */
function Bar({ day, x, unit }: { day: Day; x: number; unit: number }) {
  const parts = [
    ["bad", day.failed],
    ["warn", day.warnings],
    ["quiet", day.cancelled],
    ["good", day.succeeded],
  ] as const;
  let bottom = HEIGHT + 1;
  if (totalOf(day) === 0) return <rect class="none" x={x} y={bottom - 1} width={STEP - 2} height="2" />;
  return (
    <>
      {parts.filter(([, number]) => number > 0).map(([tone, number]) => {
        // One failed run among a thousand is still visible.
        const height = Math.max(2, number * unit);
        bottom -= height;
        return (
          <rect
            key={tone}
            class={tone}
            x={x}
            y={bottom.toFixed(1)}
            width={STEP - 2}
            height={height.toFixed(1)}
          />
        );
      })}
    </>
  );
}
