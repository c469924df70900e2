/** Lines on a terminal with one below them that changes in place. */
import type { RunProgress } from "./log_follower.ts";

const CLEAR_LINE = "\r\x1b[K";

/** Where standard output is no terminal there is no line to change: each status is then a line of its own. */
export class TerminalLines {
  readonly #isTerminal = Deno.stdout.isTerminal();
  #status = "";

  /** Whole lines, each with its line break. */
  print(text: string): void {
    const shown = visible(text);
    this.#write(this.#isTerminal ? `${CLEAR_LINE}${shown}${this.#status}` : shown);
  }

  /** Replaces the changing line; empty removes it. */
  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    if (this.#isTerminal) this.#write(`${CLEAR_LINE}${text}`);
    else if (text !== "") this.#write(`${text}\n`);
  }

  complain(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
  }
}

/** A file's name may hold what a terminal acts on. */
function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\ufffd");
}

export function progressLine({ bytes_read, bytes_written, files_count, ...rest }: RunProgress): string {
  const words = [`${humanSize(bytes_read)} read`, `${humanSize(bytes_written)} written`];
  if (files_count !== null) words.push(`${files_count} files`);
  if (rest.bytes_per_second !== null) words.push(`${humanSize(rest.bytes_per_second)}/s`);
  if (rest.eta_seconds !== null) words.push(`${Math.ceil(rest.eta_seconds)} s left`);
  return words.join(", ");
}

/** `12.3 MB`: decimal units, three digits. */
export function humanSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(value >= 9.995 ? 1 : 2)} ${
    units[unit]
  }`;
}
