/**
 * The agent's outbox on disk. It keeps every event of a run, with a number, until the control plane
 * acknowledges the event.
 *
 * Each attempt has one file. Each line of the file is one entry: the CRC-32 of the entry's JSON, a space, and
 * the JSON. When the file is read, a line that is truncated or altered is skipped. All other lines are used.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import * as z from "zod";
import type { Clock } from "../src/domain/clock.ts";
import { logger } from "../src/telemetry/logging.ts";
import type { Job } from "../src/protocol/job.ts";
import { RunEvent, type RunEventMessage } from "../src/protocol/wire_messages.ts";
import { ScriptEntry, ScriptRecord } from "./script_record.ts";

const Entry = z.union([
  z.object({ sequence: z.number().int().positive(), at: z.string(), event: RunEvent }),
  /**
   * An object is about to be created. `path` is the path of the object's partial file; null if the file is
   * not on this server.
   */
  z.object({ opening: z.string(), path: z.string().nullable() }),
  /** A directory for unfinished work is about to be created. */
  z.object({ scratch: z.string() }),
  /**
   * The type of the run's job. Journals of older agents lack this entry, because these agents only made
   * backups.
   */
  z.object({ job: z.enum(["backup", "restore", "verify", "drill"]), traceparent: z.string().optional() }),
  /** All events up to this sequence number were acknowledged. */
  z.object({ acknowledged: z.number().int().nonnegative() }),
  ScriptEntry,
]);
type Entry = z.infer<typeof Entry>;
type JobKind = Job["kind"];

/**
 * An acknowledgement is recorded only if at least this many bytes were written since the last recorded one.
 */
const CHECKPOINT_SIZE = 1024 * 1024;
/**
 * How many event numbers a journal skips before its first new event after it was read from disk.
 *
 * After a power failure, the file might lack events that the control plane has already stored. If a new event
 * got the number of such a lost event, the control plane would take the new event for a duplicate.
 *
 * Only two kinds of entries are flushed to the disk, and so can't be lost: verdicts, and records of objects
 * and scratch directories that are about to be created.
 */
const MAX_LOST_EVENTS = 1 << 20;

export class Journal {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #runs = new Map<string, RunJournal>();

  private constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /**
   * Returns a journal with the runs that an earlier agent process left. Skips a run whose file can't be read;
   * the control plane then fails this run.
   */
  static async open(directory: string, clock: Clock): Promise<Journal> {
    const journal = new Journal(directory, clock);
    for await (const { name } of Deno.readDir(directory)) {
      const match = /^(\d+)-(\d+)\.jsonl$/.exec(name);
      if (match === null) continue;
      try {
        const run = RunJournal.read(join(directory, name), Number(match[1]), Number(match[2]), clock);
        journal.#runs.set(keyOf(run), run);
      } catch (error) {
        log().error("Cannot read the journal of run {run_id}: {reason}. The run counts as failed.", {
          run_id: Number(match[1]),
          reason: (error as Error).message,
        });
      }
    }
    return journal;
  }

  /**
   * Creates and returns the journal of a new attempt.
   *
   * @param traceparent Trace context that is sent with every event of the run.
   */
  create(runId: number, attempt: number, kind: JobKind, traceparent?: string): RunJournal {
    const path = join(this.#directory, `${runId}-${attempt}.jsonl`);
    const run = RunJournal.create(path, { runId, attempt, kind, traceparent }, this.#clock);
    this.#runs.set(keyOf(run), run);
    return run;
  }

  find(runId: number, attempt: number): RunJournal | undefined {
    return this.#runs.get(keyOf({ runId, attempt }));
  }

  /** Returns the journals of all attempts, the oldest first. */
  all(): RunJournal[] {
    return [...this.#runs.values()];
  }

  /**
   * Records an acknowledgement. Removes the journal of a run that is finished and whose events are all
   * acknowledged.
   */
  acknowledge(runId: number, attempt: number, sequence: number): void {
    const run = this.find(runId, attempt);
    if (run === undefined) return;
    run.acknowledge(sequence);
    if (run.finished && run.acknowledged >= run.lastSequence) this.forget(run);
  }

  forget(run: RunJournal): void {
    this.#runs.delete(keyOf(run));
    try {
      run.remove();
    } catch (error) {
      // Only log the error, because the run is over. The next agent process will send the run's events again,
      // and the control plane will ignore them.
      log().warn("Cannot remove the journal of run {run_id}: {reason}", {
        run_id: run.runId,
        reason: (error as Error).message,
      });
    }
  }

  close(): void {
    for (const run of this.#runs.values()) run.close();
  }
}

const keyOf = ({ runId, attempt }: { runId: number; attempt: number }) => `${runId}-${attempt}`;

/**
 * The journal of one attempt. Events are written to the file when they are appended. Events are numbered from
 * 1.
 */
export class RunJournal {
  lastSequence = 0;
  acknowledged = 0;
  /** Whether the journal contains the verdict. */
  finished = false;
  /**
   * Objects that were recorded before they were created. `path` is the path of the partial file; null if the
   * file is not on this server.
   */
  readonly openings: { name: string; path: string | null }[] = [];
  /** Directories for unfinished work. Each directory was recorded before it was created. */
  readonly scratches: string[] = [];
  readonly scripts = new ScriptRecord((entry) => this.#record(entry));
  kind: JobKind = "backup";
  traceparent: string | undefined;
  /**
   * The unacknowledged events in order. They take at most a few megabytes, because the output has a rate
   * limit.
   */
  readonly #events: { sequence: number; at: string; event: RunEvent; size: number }[] = [];
  #pendingSize = 0;
  #sinceCheckpoint = 0;
  /** Number of event numbers that the next event skips. */
  #skipped = 0;
  /** Whether the file's last line might be incomplete, because the disk was full. */
  #isTorn = false;

  private constructor(
    readonly runId: number,
    readonly attempt: number,
    readonly path: string,
    private readonly file: Deno.FsFile,
    private readonly clock: Clock,
  ) {}

  /** Creates the file of a journal, and returns the journal. Throws if the disk is full. */
  static create(
    path: string,
    { runId, attempt, kind, traceparent }: {
      runId: number;
      attempt: number;
      kind: JobKind;
      traceparent: string | undefined;
    },
    clock: Clock,
  ): RunJournal {
    const file = Deno.openSync(path, { createNew: true, append: true, mode: 0o600 });
    const run = new RunJournal(runId, attempt, path, file, clock);
    run.kind = kind;
    run.traceparent = traceparent;
    if (kind !== "backup" || traceparent !== undefined) {
      run.#write(JSON.stringify({ job: kind, traceparent } satisfies Entry));
    }
    return run;
  }

  static read(path: string, runId: number, attempt: number, clock: Clock): RunJournal {
    const bytes = Deno.readFileSync(path);
    const file = Deno.openSync(path, { append: true });
    const run = new RunJournal(runId, attempt, path, file, clock);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const entry = parseLine(bytes.subarray(start, end));
      if (entry !== null) run.#restore(entry, end - start);
      start = end + 1;
    }
    if (start < bytes.length) file.truncateSync(start);
    if (!run.finished) run.#skipped = MAX_LOST_EVENTS;
    return run;
  }

  /** Size of the unacknowledged events, in characters. */
  get pendingSize(): number {
    return this.#pendingSize;
  }

  /** Appends an event. Throws if the disk is full; the event is still kept in memory and will be sent. */
  append(event: RunEvent): void {
    this.lastSequence += 1 + this.#skipped;
    this.#skipped = 0;
    const entry = { sequence: this.lastSequence, at: this.clock.now().toISOString(), event };
    const line = JSON.stringify(entry);
    this.#keep(entry, line.length);
    this.#write(line);
  }

  /** Appends the verdict. Resolves when the verdict is flushed to the disk. */
  async finish(event: RunEvent & { kind: "finished" }): Promise<void> {
    this.append(event);
    await this.file.syncData();
  }

  /** Records an object that is about to be created. Resolves when the record is flushed to the disk. */
  async opening(name: string, path: string | null): Promise<void> {
    this.openings.push({ name, path });
    await this.#record({ opening: name, path });
  }

  /** Records a directory that is about to be created. Resolves when the record is flushed to the disk. */
  async scratch(path: string): Promise<void> {
    this.scratches.push(path);
    await this.#record({ scratch: path });
  }

  /**
   * Returns the first events with numbers above `sequence`, as messages to send. Returns at most `limit`
   * events.
   */
  after(sequence: number, limit: number): RunEventMessage[] {
    const from = this.#events.findIndex((entry) => entry.sequence > sequence);
    if (from === -1) return [];
    return this.#events.slice(from, from + limit).map(({ sequence, at, event }) => ({
      type: "run.event",
      run_id: this.runId,
      attempt: this.attempt,
      sequence,
      at,
      event,
      ...(this.traceparent === undefined ? {} : { traceparent: this.traceparent }),
    }));
  }

  acknowledge(sequence: number): void {
    if (sequence <= this.acknowledged) return;
    this.acknowledged = sequence;
    this.#drop(sequence);
    if (this.#sinceCheckpoint < CHECKPOINT_SIZE || this.finished) return;
    try {
      this.#write(JSON.stringify({ acknowledged: sequence } satisfies Entry));
      this.#sinceCheckpoint = 0;
    } catch {
      // Ignore a full disk. Without this entry, acknowledged events might be sent again. The next
      // acknowledgement will be recorded.
    }
  }

  /**
   * Removes the journal. Also removes the directory of the run's scripts if it still exists. The directory
   * still exists if the run's verdict could not be kept on disk.
   */
  remove(): void {
    this.close();
    Deno.removeSync(this.path);
    const directory = this.scripts.plan?.directory;
    if (directory !== undefined && existsSync(directory)) Deno.removeSync(directory, { recursive: true });
  }

  close(): void {
    this.file.close();
  }

  #drop(sequence: number): void {
    let count = 0;
    while (count < this.#events.length && this.#events[count]!.sequence <= sequence) {
      this.#pendingSize -= this.#events[count]!.size;
      count++;
    }
    this.#events.splice(0, count);
  }

  #keep(entry: { sequence: number; at: string; event: RunEvent }, size: number): void {
    this.#events.push({ ...entry, size });
    this.#pendingSize += size;
    if (entry.event.kind === "finished") this.finished = true;
  }

  async #record(entry: Entry): Promise<void> {
    this.#write(JSON.stringify(entry));
    await this.file.syncData();
  }

  #write(json: string): void {
    const bytes = new TextEncoder().encode(`${this.#isTorn ? "\n" : ""}${checksum(json)} ${json}\n`);
    this.#sinceCheckpoint += bytes.length;
    this.#isTorn = true;
    for (let written = 0; written < bytes.length;) {
      written += this.file.writeSync(bytes.subarray(written));
    }
    this.#isTorn = false;
  }

  #restore(entry: Entry, size: number): void {
    if ("opening" in entry) {
      this.openings.push({ name: entry.opening, path: entry.path });
    } else if ("scratch" in entry) {
      this.scratches.push(entry.scratch);
    } else if ("job" in entry) {
      this.kind = entry.job;
      this.traceparent = entry.traceparent;
    } else if ("acknowledged" in entry) {
      this.acknowledged = entry.acknowledged;
      this.#drop(entry.acknowledged);
    } else if (!("sequence" in entry)) {
      this.scripts.restore(entry);
    } else if (entry.sequence > this.lastSequence) {
      this.lastSequence = entry.sequence;
      this.#keep({ sequence: entry.sequence, at: entry.at, event: entry.event }, size);
    }
  }
}

/** `crc32` exists in Deno, but not yet in Deno's type declarations. */
const { crc32 } = zlib as unknown as { crc32(data: string): number };
const NEWLINE = 10;
const DIGITS = 8;

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(DIGITS, "0");
}

/**
 * Returns the entry in a line; null if the line was altered. Also accepts JSON without a checksum, because
 * older agents wrote that.
 */
function parseLine(line: Uint8Array): Entry | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
    if (text.startsWith("{")) return Entry.parse(JSON.parse(text));
    const json = text.slice(DIGITS + 1);
    return text.slice(0, DIGITS + 1) === `${checksum(json)} ` ? Entry.parse(JSON.parse(json)) : null;
  } catch {
    return null;
  }
}

const log = () => logger("agent");
