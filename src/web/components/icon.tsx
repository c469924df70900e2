/** Icons of 16 by 16 pixels, drawn with lines in the colour of the text. */
import type { Child } from "hono/jsx";

const dot = (x: number, y: number) => <circle cx={x} cy={y} r="0.6" fill="currentColor" stroke="none" />;

const SHAPES = {
  overview: <path d="M2 2h5v6H2zM9 2h5v3.500H9zM9 8h5v6H9zM2 10.500h5V14H2z" />,
  tasks: <path d="m2 4 1.3 1.300L5.5 3M2 8.500l1.3 1.3 2.2-2.300M2 13h0M8 4h6M8 8.500h6M8 13h6" />,
  runs: <path d="M2 8h3l2-5 3 10 2-5h2" />,
  schedule: <path d="M2 3.500h12V14H2zM2 6.500h12M5 2v3M11 2v3M5 9.500h2M9 9.500h2" />,
  backups: <path d="M2 3h12v3.500H2zM3 6.500V13h10V6.500M6.5 9h3" />,
  restore: <path d="M2.5 8a5.5 5.5 0 1 0 2-4.200M2.5 2v3.500H6M8 5v3.500l2.3 1.3" />,
  verification: (
    <path d="M8 1.5 3 3.500v4c0 3.1 2 5.4 5 6.5 3-1.1 5-3.4 5-6.500v-4zM5.8 7.800l1.7 1.7 3-3.3" />
  ),
  servers: (
    <>
      <path d="M2 2.500h12v4.500H2zM2 9h12v4.500H2z" />
      {dot(4.5, 4.8)}
      {dot(4.5, 11.3)}
    </>
  ),
  destinations: (
    <path d="M2.5 4c0-1.1 2.5-2 5.5-2s5.5.9 5.5 2-2.5 2-5.5 2-5.5-.9-5.5-2zM2.5 4v8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V4M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2" />
  ),
  alerts: <path d="M4 7a4 4 0 0 1 8 0v3l1.5 2h-11L4 10zM6.5 14h3" />,
  security: <path d="M3 7h10v7H3zM5 7V5a3 3 0 0 1 6 0v2M8 10v1.5" />,
  installation: (
    <>
      <circle cx="8" cy="8" r="2.3" />
      <path d="M8 1.500V4M8 12v2.500M1.5 8H4M12 8h2.500M3.4 3.400l1.8 1.800M10.8 10.800l1.8 1.800M3.4 12.600l1.8-1.800M10.8 5.200l1.8-1.8" />
    </>
  ),
  help: (
    <>
      <circle cx="8" cy="8" r="6.3" />
      <path d="M6 6.300a2 2 0 1 1 3 1.700c-.7.4-1 .8-1 1.5" />
      {dot(8, 11.6)}
    </>
  ),
  account: <path d="M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.5-3 2.7-4.5 5.5-4.500s5 1.5 5.5 4.5" />,
  menu: <path d="M2 4h12M2 8h12M2 12h12" />,
  search: <path d="M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.7 10.7 14 14" />,
  good: <path d="M8 14.300a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.600zM5.3 8.200l1.9 1.9 3.6-4" />,
  warn: (
    <>
      <path d="M8 2 1.5 13.500h13zM8 6.500v3.2" />
      {dot(8, 11.6)}
    </>
  ),
  bad: (
    <path d="M8 14.300a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.600zM5.8 5.800l4.4 4.400M10.2 5.800l-4.4 4.4" />
  ),
  late: <path d="M8 14.300a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.600zM8 4.500V8l2.5 1.5" />,
  running: <path d="M8 1.700a6.3 6.3 0 1 1-6.3 6.300M8 4.500V8l2.5 1.5" />,
  queued: <path d="M4 2h8M4 14h8M5 2c0 4 6 4.5 6 6s-6 2-6 6M11 2c0 4-6 4.5-6 6s6 2 6 6" />,
  paused: <path d="M8 14.300a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.600zM6.3 5.500v5M9.7 5.500v5" />,
  todo: <path d="M8 14.3a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.6z" />,
  none: <path d="M8 14.300a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.600zM5 8h6" />,
  cancelled: <path d="M8 14.300a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.600zM3.6 3.600l8.8 8.8" />,
  asleep: <path d="M13.5 9.500A6 6 0 0 1 6.5 2.500a6 6 0 1 0 7 7z" />,
  held: <path d="M5.5 2h5v4l1.5 3H4l1.5-3zM8 9v5" />,
  copy: <path d="M5 5h9v9H5zM11 5V2H2v9h3" />,
  folder: <path d="M1.5 3h4.500l1.5 2h7v8.500h-13z" />,
  file: <path d="M3.5 1.500h6l3 3v10h-9zM9.5 1.500v3h3" />,
  database: (
    <path d="M3 4c0-1.1 2.2-2 5-2s5 .9 5 2v8c0 1.1-2.2 2-5 2s-5-.9-5-2zM3 4c0 1.1 2.2 2 5 2s5-.9 5-2" />
  ),
  next: <path d="m6 3 5 5-5 5" />,
  previous: <path d="M10 3 5 8l5 5" />,
  up: <path d="M8 13V3M4 7l4-4 4 4" />,
  down: <path d="M8 3v10M4 9l4 4 4-4" />,
  add: <path d="M8 3v10M3 8h10" />,
  download: <path d="M8 2v8M4.5 6.5 8 10l3.5-3.500M2.5 13.500h11" />,
  play: <path d="M4.5 2.500v11l8.5-5.500z" />,
  trash: <path d="M2.5 4h11M6 4V2h4v2M4 4l.7 10h6.600L12 4M6.7 7v4.500M9.3 7v4.5" />,
} as const satisfies Record<string, Child>;

export type IconName = keyof typeof SHAPES;

/** An icon beside text that says the same. Screen readers skip it. */
export function Icon({ name, class: className = "" }: { name: IconName; class?: string }) {
  return (
    <svg
      class={`icon ${className}`.trimEnd()}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {SHAPES[name]}
    </svg>
  );
}
