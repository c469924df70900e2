/** Small charts as inline SVG. */
import type { Tone } from "./status.tsx";

interface StripProps {
  /** Description of the strip, for screen readers. */
  readonly label: string;
  /** One bar for each item, the oldest first. `title` says what the bar shows. */
  readonly items: readonly { readonly tone: Tone | "none"; readonly title: string }[];
}

/** A row of bars, one for each run or day. */
export function Strip({ label, items }: StripProps) {
  const width = items.length * 5;
  return (
    <svg class="strip" viewBox={`0 0 ${width} 16`} width={width} height="16" role="img" aria-label={label}>
      {items.map((item, index) => (
        <rect key={index} class={item.tone} x={index * 5} y="1" width="4" height="14" rx="1">
          <title>{item.title}</title>
        </rect>
      ))}
    </svg>
  );
}

/** A line over time. The highest value is at the top, and zero at the bottom. */
export function Sparkline({ label, values }: { label: string; values: readonly number[] }) {
  const [width, height] = [120, 24];
  const top = Math.max(...values, 1);
  const x = (index: number) => values.length < 2 ? 0 : (index / (values.length - 1)) * width;
  const y = (value: number) => height - 2 - (value / top) * (height - 4);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
    >
      {values.length < 2 ? null : (
        <>
          <polygon points={`0,${height} ${points.join(" ")} ${width},${height}`} />
          <polyline points={points.join(" ")} />
        </>
      )}
    </svg>
  );
}

/** A bar that is filled to a share between 0 and 1. */
export function Meter({ label, share, tone = "active" }: { label: string; share: number; tone?: Tone }) {
  const filled = Math.max(0, Math.min(1, share));
  return (
    <svg
      class="meter"
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <rect class="track" width="100" height="8" rx="2" />
      <rect class={tone} width={(filled * 100).toFixed(1)} height="8" rx="2" />
    </svg>
  );
}
