/** Formats progress in one line. */
import type { RunProgress } from "./log_follower.ts";

const BAR_WIDTH = 24;

/** Returns `[======>     ]  52%  12.3 MB read, …`. Leaves out the bar while the total is unknown. */
export function progressLine(progress: RunProgress): string {
  const { bytes_read, bytes_written, files_count, bytes_per_second, eta_seconds } = progress;
  const words = [transferred(bytes_read, bytes_written)];
  if (files_count !== null) words.push(`${files_count} files`);
  if (bytes_per_second !== null) words.push(`${humanSize(bytes_per_second)}/s`);
  if (eta_seconds !== null) words.push(`${Math.ceil(eta_seconds)} s left`);
  const line = words.join(", ");
  if (bytes_per_second === null || eta_seconds === null) return line;
  return `${bar(bytes_read, bytes_read + bytes_per_second * eta_seconds)}  ${line}`;
}

/** Returns `3.00 MB read, 1.00 MB written`. Leaves out the second part for runs that store nothing. */
export function transferred(bytesRead: number, bytesWritten: number): string {
  const written = bytesWritten === 0 ? "" : `, ${humanSize(bytesWritten)} written`;
  return `${humanSize(bytesRead)} read${written}`;
}

export function transferLine(done: number, total: number, perSecond: number | null): string {
  const speed = perSecond === null ? "" : `, ${humanSize(perSecond)}/s`;
  return `${bar(done, total)}  ${humanSize(done)} of ${humanSize(total)}${speed}`;
}

function bar(done: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.floor(part * BAR_WIDTH);
  const drawn = `${"=".repeat(filled)}${filled < BAR_WIDTH ? ">" : ""}`.padEnd(BAR_WIDTH);
  return `[${drawn}] ${String(Math.floor(part * 100)).padStart(3)}%`;
}

/** Formats a size in decimal units with three digits: `12.3 MB`. */
export function humanSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(value >= 9.995 ? 1 : 2)} ${
    units[unit]
  }`;
}
