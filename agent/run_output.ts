/**
 * Turns a run's output into events: adds the time to each line, batches the lines, and limits their rate. The
 * limit protects the agent's memory and the control plane's disk from a gigabyte of output.
 */
import type { Clock } from "../src/domain/clock.ts";
import type { Output } from "./engine/ports.ts";

/** Shortest time between two batches, in milliseconds. */
const BATCH_INTERVAL = 100;
/** Maximum number of characters in one event, and in one line. */
const MAX_EVENT = 64 * 1024;
const MAX_LINE = 16 * 1024;
/** Number of characters that a run may send without a rate limit. */
const BURST = 2 * 1024 * 1024;
/** Number of characters per second that a run is allowed to send after its first `BURST` characters. */
const RATE = 256 * 1024;
/**
 * Maximum number of characters in lines that wait for the rate limit. If there are more, the oldest waiting
 * lines are dropped.
 */
const MAX_QUEUED = 1024 * 1024;
/**
 * Maximum number of characters in a run's list of warnings. Each warning is sent twice: as a line of output,
 * and in this list. The rate limit might drop the line among other output. The list has no rate limit, so
 * that the warning is not lost.
 */
const MAX_WARNINGS = 4 * 1024 * 1024;

export class RunOutput implements Output {
  warningsCount = 0;
  readonly #clock: Clock;
  readonly #emit: (text: string, warnings?: string[]) => void;
  readonly #closed = new AbortController();
  /** The lines of the next event. */
  #batch: string[] = [];
  /** The lines that wait for the rate limit, the newest last. */
  #queued: string[] = [];
  #queuedSize = 0;
  /** The warnings of the next event. */
  #warnings: string[] = [];
  #warningsSize = 0;
  #dropped = { lines: 0, characters: 0 };
  #allowance = BURST;
  #refilledAt: number;
  #flushedAt = -Infinity;
  #timer: Promise<void> | null = null;

  /**
   * @param emit Called either with complete lines, or with warnings and an empty text. One call contains at
   *   most 64 KiB.
   */
  constructor(clock: Clock, emit: (text: string, warnings?: string[]) => void) {
    this.#clock = clock;
    this.#emit = emit;
    this.#refilledAt = clock.monotonic();
  }

  line(text: string): void {
    const line = `${this.#clock.now().toISOString()} ${oneLine(text)}\n`;
    this.#refill();
    if (this.#queued.length === 0 && this.#allowance >= line.length) this.#admit(line);
    else this.#enqueue(line);
    this.#schedule();
  }

  warning(text: string): void {
    this.warningsCount++;
    const warning = oneLine(text);
    this.#warningsSize += warning.length;
    if (this.#warningsSize <= MAX_WARNINGS) this.#warnings.push(warning);
    this.line(`Warning: ${text}`);
  }

  /** Emits all remaining lines without a rate limit, because a run's last lines matter most. */
  close(): void {
    this.#closed.abort();
    this.#release(Infinity);
    this.#flush();
  }

  #admit(line: string): void {
    this.#allowance -= line.length;
    this.#batch.push(line);
  }

  #enqueue(line: string): void {
    this.#queued.push(line);
    this.#queuedSize += line.length;
    while (this.#queuedSize > MAX_QUEUED) {
      const dropped = this.#queued.shift()!;
      this.#queuedSize -= dropped.length;
      this.#dropped.lines++;
      this.#dropped.characters += dropped.length;
    }
  }

  #release(allowance: number): void {
    this.#allowance = allowance;
    if (this.#queued.length > 0 && this.#dropped.lines > 0) {
      const { lines, characters } = this.#dropped;
      this.#admit(
        `${this.#clock.now().toISOString()} [${lines} lines (${characters} characters) were left out here]\n`,
      );
      this.#dropped = { lines: 0, characters: 0 };
    }
    let count = 0;
    while (count < this.#queued.length && this.#queued[count]!.length <= this.#allowance) {
      this.#queuedSize -= this.#queued[count]!.length;
      this.#admit(this.#queued[count]!);
      count++;
    }
    this.#queued.splice(0, count);
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const gained = ((now - this.#refilledAt) / 1000) * RATE;
    this.#refilledAt = now;
    // Normally the allowance grows up to `RATE`, the number of characters for one second. While some of the
    // initial burst is left, the allowance can be larger than `RATE`. In this case, it does not grow.
    this.#allowance = Math.max(this.#allowance, Math.min(this.#allowance + gained, RATE));
  }

  /**
   * Emits the waiting lines at once if the last batch was emitted long enough ago. Otherwise emits them with
   * the next batch.
   */
  #schedule(): void {
    if (this.#timer !== null) return;
    const since = this.#clock.monotonic() - this.#flushedAt;
    if (since >= BATCH_INTERVAL && this.#queued.length === 0) return this.#flush();
    this.#timer = this.#clock.sleep(Math.max(BATCH_INTERVAL - since, 1), this.#closed.signal).then(() => {
      this.#timer = null;
      this.#refill();
      this.#release(this.#allowance);
      this.#flush();
      if (this.#queued.length > 0) this.#schedule();
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
    this.#flushWarnings();
  }

  #flushWarnings(): void {
    let [warnings, size]: [string[], number] = [[], 0];
    for (const warning of this.#warnings) {
      if (size + warning.length > MAX_EVENT) {
        this.#emit("", warnings);
        [warnings, size] = [[], 0];
      }
      warnings.push(warning);
      size += warning.length;
    }
    this.#warnings = [];
    if (warnings.length > 0) this.#emit("", warnings);
  }
}

/**
 * Returns the text with control characters escaped. Control characters could break the line, or the terminal
 * that shows it.
 */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\t";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return safe.length <= MAX_LINE ? safe : `${safe.slice(0, MAX_LINE)}…`;
}
