/** Times, in the time zone of the user's account. */
import { duration } from "../../domain/durations.ts";
import type { View } from "../view.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Returns a format. Formats are kept, because making one takes far longer than using it. */
function formatFor(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${timeZone} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
    formats.set(key, format);
  }
  return format;
}

/** Formats a time of the API with its zone, such as `30 Nov 2026, 11:49:07 CET`. */
export function exactTime(view: View, at: string): string {
  return formatFor(view.user.timezone, {
    dateStyle: undefined,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  }).format(new Date(at));
}

/** Formats a time of the API without its year and zone, such as `30 Nov, 11:49`. */
function shortTime(view: View, at: string): string {
  const isThisYear = Math.abs(view.now.getTime() - Date.parse(at)) < 300 * DAY;
  return formatFor(view.user.timezone, {
    day: "numeric",
    month: "short",
    ...isThisYear ? { hour: "2-digit", minute: "2-digit" } : { year: "numeric" },
  }).format(new Date(at));
}

/** Formats a time from the API as the user's time of day, such as `11:49:07`. */
export function timeOfDay(view: View, at: string): string {
  return formatFor(view.user.timezone, { timeStyle: "medium" }).format(new Date(at));
}

/** Says how long ago or how far ahead a time is, such as `5 h ago` or `in 2 d`. */
export function relativeTime(view: View, at: string): string {
  const ahead = Date.parse(at) - view.now.getTime();
  const size = Math.abs(ahead);
  if (size < MINUTE) return ahead > 0 ? "in a moment" : "just now";
  const text = roughly(size);
  return ahead > 0 ? `in ${text}` : `${text} ago`;
}

/** Formats a duration of at least a minute with one unit. */
function roughly(ms: number): string {
  const minutes = Math.floor(ms / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

interface TimeProps {
  readonly view: View;
  /** A time of the API; null or absent if there is none. */
  readonly at: string | null | undefined;
  /** Shown in place of a missing time. */
  readonly none?: string;
}

/** How long ago something was. The exact time is its tooltip. */
export function Ago({ view, at, none = "never" }: TimeProps) {
  if (at === null || at === undefined) return <span class="muted">{none}</span>;
  return <time class="number" datetime={at} title={exactTime(view, at)}>{relativeTime(view, at)}</time>;
}

/** A time of day with its date, for tables. The exact time with its zone is its tooltip. */
export function Moment({ view, at, none = "–" }: TimeProps) {
  if (at === null || at === undefined) return <span class="muted">{none}</span>;
  return <time class="number" datetime={at} title={exactTime(view, at)}>{shortTime(view, at)}</time>;
}

/** A time to the second, with its zone. */
export function ExactTime({ view, at, none = "–" }: TimeProps) {
  if (at === null || at === undefined) return <span class="muted">{none}</span>;
  return <time class="number" datetime={at}>{exactTime(view, at)}</time>;
}

/** How long something took, in milliseconds; null or absent if that is unknown. */
export function Duration({ ms, none = "–" }: { ms: number | null | undefined; none?: string }) {
  if (ms === null || ms === undefined) return <span class="muted">{none}</span>;
  return <span class="number">{ms < 1000 ? `${Math.round(ms)} ms` : duration(ms)}</span>;
}
