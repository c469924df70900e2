/**
 * A run's output on its way into events: lines get the time, are gathered for a moment, and are held to a
 * rate, so that a gigabyte of messages costs neither the agent's memory nor the control plane's disk.
 */
import type { Clock } from "../src/domain/clock.ts";
import type { Output } from "./engine/ports.ts";

/** Lines within this time of the last batch wait for its end. Milliseconds. */
const GATHER = 100;
/** Characters in one event, and in one line. */
const MAX_EVENT = 64 * 1024;
const MAX_LINE = 16 * 1024;
/** Characters that go out at any rate; after them, this many a second. */
const HEAD = 2 * 1024 * 1024;
const RATE = 256 * 1024;
/** Characters of the newest lines that wait for the rate; older ones of those are left out. */
const WAITING = 1024 * 1024;

export class RunOutput implements Output {
  warningsCount = 0;
  readonly #clock: Clock;
  readonly #emit: (text: string) => void;
  readonly #over = new AbortController();
  /** Lines for the next event. */
  #batch: string[] = [];
  /** Lines over the rate, newest last. */
  #waiting: string[] = [];
  #waitingSize = 0;
  #left = { lines: 0, characters: 0 };
  #allowance = HEAD;
  #refilledAt: number;
  #flushedAt = -Infinity;
  #timer: Promise<void> | null = null;

  /** @param emit Takes complete lines, at most 64 KiB at a time. */
  constructor(clock: Clock, emit: (text: string) => void) {
    this.#clock = clock;
    this.#emit = emit;
    this.#refilledAt = clock.monotonic();
  }

  line(text: string): void {
    const line = `${this.#clock.now().toISOString()} ${oneLine(text)}\n`;
    this.#refill();
    if (this.#waiting.length === 0 && this.#allowance >= line.length) this.#take(line);
    else this.#hold(line);
    this.#schedule();
  }

  warning(text: string): void {
    this.warningsCount++;
    this.line(`Warning: ${text}`);
  }

  /** Emits what is there, over the rate too: the last lines are those that matter. */
  close(): void {
    this.#over.abort();
    this.#release(Infinity);
    this.#flush();
  }

  #take(line: string): void {
    this.#allowance -= line.length;
    this.#batch.push(line);
  }

  #hold(line: string): void {
    this.#waiting.push(line);
    this.#waitingSize += line.length;
    while (this.#waitingSize > WAITING) {
      const dropped = this.#waiting.shift()!;
      this.#waitingSize -= dropped.length;
      this.#left.lines++;
      this.#left.characters += dropped.length;
    }
  }

  #release(allowance: number): void {
    this.#allowance = allowance;
    if (this.#waiting.length > 0 && this.#left.lines > 0) {
      const { lines, characters } = this.#left;
      this.#take(
        `${this.#clock.now().toISOString()} [${lines} lines (${characters} characters) were left out here]\n`,
      );
      this.#left = { lines: 0, characters: 0 };
    }
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.length <= this.#allowance) {
      this.#waitingSize -= this.#waiting[count]!.length;
      this.#take(this.#waiting[count]!);
      count++;
    }
    this.#waiting.splice(0, count);
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const gained = ((now - this.#refilledAt) / 1000) * RATE;
    this.#refilledAt = now;
    // What is left of the head is never taken away; beyond it the allowance is a second's worth.
    this.#allowance = Math.max(this.#allowance, Math.min(this.#allowance + gained, RATE));
  }

  /** The first line after a pause goes out at once. */
  #schedule(): void {
    if (this.#timer !== null) return;
    const since = this.#clock.monotonic() - this.#flushedAt;
    if (since >= GATHER && this.#waiting.length === 0) return this.#flush();
    this.#timer = this.#clock.sleep(Math.max(GATHER - since, 1), this.#over.signal).then(() => {
      this.#timer = null;
      this.#refill();
      this.#release(this.#allowance);
      this.#flush();
      if (this.#waiting.length > 0) this.#schedule();
    }, () => {});
  }

  #flush(): void {
    this.#flushedAt = this.#clock.monotonic();
    let text = "";
    for (const line of this.#batch) {
      if (text.length + line.length > MAX_EVENT) {
        this.#emit(text);
        text = "";
      }
      text += line;
    }
    this.#batch = [];
    if (text !== "") this.#emit(text);
  }
}

/** Control characters would break the line, or a terminal that shows it. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\t";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return safe.length <= MAX_LINE ? safe : `${safe.slice(0, MAX_LINE)}…`;
}
