/** Streams a run's output as it arrives, from the start or from any event. */
import { NotFoundError } from "../../domain/errors.ts";
import { hasEnded } from "../../domain/run.ts";
import { WakeSignal } from "../../domain/wake_signal.ts";
import type { Notification } from "../../store/database/event_bus.ts";
import { findLog, type LogRow, type OutputRow, readOutputAfter } from "../../store/runs/logs.ts";
import type { Caller, ServiceContext } from "../context.ts";

export type LogEvent =
  /** New output. `sequence` is the number of its last event; a client can resume after that event. */
  | { type: "output"; sequence: number; text: string }
  /** The run's state or progress has changed since the last event. */
  | { type: "changed"; log: LogRow }
  /** The run has ended and all its output was sent. This is the last event. */
  | { type: "finished"; log: LogRow };

/**
 * Maximum time between two reads, in milliseconds. It limits the delay after a lost database notification.
 */
const SLOW_POLL = 2000;
/** Number of chunks in one read; a chunk has at most 256 Ki characters. */
const BATCH = 16;

/**
 * Streams a run's output after event `afterSequence` until the run ends or `signal` aborts. If
 * `afterSequence` is 0, the stream starts at the beginning of the output. Output is passed on as soon as it
 * is stored. If there is no such run, throws a {@link NotFoundError} before the first iteration.
 */
export async function followOutput(
  services: ServiceContext,
  caller: Caller,
  runId: number,
  afterSequence: number,
  signal: AbortSignal,
): Promise<AsyncIterable<LogEvent>> {
  if (await findLog(services.database, caller.workspaceId, runId) === undefined) {
    throw new NotFoundError("Backup task log");
  }
  return follow(services, caller, runId, afterSequence, signal);
}

async function* follow(
  services: ServiceContext,
  caller: Caller,
  runId: number,
  afterSequence: number,
  signal: AbortSignal,
): AsyncGenerator<LogEvent> {
  const changed = new WakeSignal(services.clock);
  const unsubscribe = services.bus.subscribe((notification) => {
    if (concernsRun(notification, runId)) changed.wake();
  });
  let after = afterSequence;
  let shown = "";
  try {
    while (!signal.aborted) {
      changed.reset();
      // Read the state before the output. If the state is final, the output that is read afterwards is
      // complete.
      const log = await findLog(services.database, caller.workspaceId, runId);
      if (log === undefined) return;
      for await (const event of outputAfter(services, runId, after)) {
        after = event.sequence;
        yield event;
        if (signal.aborted) return;
      }
      if (hasEnded(log.state)) return yield { type: "finished", log };
      const current = progressOf(log);
      if (current !== shown) yield { type: "changed", log };
      shown = current;
      await changed.wait(SLOW_POLL, signal);
    }
  } finally {
    unsubscribe();
  }
}

async function* outputAfter(
  services: ServiceContext,
  runId: number,
  after: number,
): AsyncGenerator<LogEvent & { type: "output" }> {
  while (true) {
    const rows = await readOutputAfter(services.database, runId, after, BATCH);
    for (const row of rows) {
      const event = { type: "output" as const, ...unsentPart(row, after) };
      after = event.sequence;
      yield event;
    }
    if (rows.length < BATCH) return;
  }
}

/** Returns the part of a chunk that follows event `after`, and the number of the chunk's last event. */
function unsentPart(row: OutputRow, after: number): { sequence: number; text: string } {
  if (row.sequences === null || row.ends === null) return { sequence: row.sequence, text: row.text };
  const sequence = row.sequences.at(-1)!;
  const sent = row.sequences.findLastIndex((known) => known <= after);
  if (sent === -1) return { sequence, text: row.text };
  return { sequence, text: row.text.slice(codeUnits(row.text, row.ends[sent]!)) };
}

/**
 * Converts a length in code points to UTF-16 units. Postgres counts code points, and JavaScript counts UTF-16
 * units.
 */
function codeUnits(text: string, codePoints: number): number {
  let units = 0;
  for (let left = codePoints; left > 0; left--) units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  return units;
}

function progressOf(log: LogRow): string {
  const { state, bytes_read, bytes_written, files_count, bytes_per_second, eta_seconds, warnings_count } =
    log;
  return JSON.stringify([
    state,
    bytes_read,
    bytes_written,
    files_count,
    bytes_per_second,
    eta_seconds,
    warnings_count,
  ]);
}

function concernsRun(notification: Notification | { topic: "reconnected" }, runId: number): boolean {
  if (notification.topic === "reconnected") return true;
  return (notification.topic === "run_output" || notification.topic === "run_changed") &&
    notification.run_id === runId;
}
