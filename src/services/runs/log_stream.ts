/** Streams a run's output as it arrives, from the start or from any event. */
import { NotFoundError } from "../../domain/errors.ts";
import { hasEnded } from "../../domain/run.ts";
import { WakeSignal } from "../../domain/wake_signal.ts";
import type { Notification } from "../../store/database/event_bus.ts";
import { findLog, type LogRow } from "../../store/runs/logs.ts";
import { type OutputRow, readOutputAfter } from "../../store/runs/output_reader.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { eventsOf, linesOf, type LogLine, type OutputEvent } from "./log_lines.ts";

export type LogEvent =
  /** New output. `sequence` is the number of its last event; a client can resume after that event. */
  | { type: "output"; sequence: number; text: string }
  /** The run's state or progress has changed since the last event. */
  | { type: "changed"; log: LogRow }
  /** The run has ended and all its output was sent. This is the last event. */
  | { type: "finished"; log: LogRow };

/** The next lines of a run's output. */
export interface LogLines {
  readonly lines: readonly LogLine[];
  /** The number of the last event in `lines`. A client can resume after that event. */
  readonly sequence: number;
  /** Whether the run has ended and these are its last lines. */
  readonly isFinished: boolean;
}

type LogStep =
  | { type: "output"; chunks: readonly Chunk[] }
  | Exclude<LogEvent, { type: "output" }>;

/** A piece of output that the client does not have yet. It comes from one or more events of the agent. */
interface Chunk {
  /** The number of the last event. */
  readonly sequence: number;
  readonly events: readonly OutputEvent[];
}

/**
 * Maximum time between two reads, in milliseconds. It limits the delay after a lost database notification.
 */
const SLOW_POLL = 2000;
/**
 * Limits of one read, in chunks and in bytes. A read ends with the chunk that reaches `bytes`. A chunk has at
 * most 256 Ki characters.
 */
const BATCH = { rows: 512, bytes: 256 * 1024 };

interface FollowedRun {
  readonly runId: number;
  /** The number of the last event that the client has; 0 to start at the beginning of the output. */
  readonly after: number;
  /** Ends the stream when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Streams a run's output until the run ends. Begins after the event with the number `run.after`. Passes
 * output on as soon as it is stored. If there is no such run, throws a {@link NotFoundError} before the first
 * iteration.
 */
export async function followOutput(
  services: ServiceContext,
  caller: Caller,
  run: FollowedRun,
): Promise<AsyncIterable<LogEvent>> {
  return logEvents(await follow(services, caller, run));
}

/**
 * Streams a run's output like {@link followOutput}, but as lines, several in each item. The last item has no
 * lines. It comes when the run has ended, or when the run's record is deleted.
 */
export async function followLines(
  services: ServiceContext,
  caller: Caller,
  run: FollowedRun,
): Promise<AsyncIterable<LogLines>> {
  return logLines(await follow(services, caller, run), run.after);
}

async function* logEvents(steps: AsyncIterable<LogStep>): AsyncGenerator<LogEvent> {
  for await (const step of steps) {
    if (step.type !== "output") yield step;
    else {
      for (const { sequence, events } of step.chunks) {
        yield { type: "output", sequence, text: events.map(({ text }) => text).join("") };
      }
    }
  }
}

async function* logLines(steps: AsyncIterable<LogStep>, after: number): AsyncGenerator<LogLines> {
  let sequence = after;
  for await (const step of steps) {
    if (step.type !== "output") continue;
    sequence = step.chunks.at(-1)!.sequence;
    const lines = step.chunks.flatMap(({ events }) => events.flatMap(linesOf));
    yield { lines, sequence, isFinished: false };
  }
  yield { lines: [], sequence, isFinished: true };
}

async function follow(
  services: ServiceContext,
  caller: Caller,
  run: FollowedRun,
): Promise<AsyncIterable<LogStep>> {
  if (await findLog(services.database, caller.workspaceId, run.runId) === undefined) {
    throw new NotFoundError("Backup task log");
  }
  return logSteps(services, caller, run);
}

async function* logSteps(
  services: ServiceContext,
  caller: Caller,
  { runId, after, signal }: FollowedRun,
): AsyncGenerator<LogStep> {
  const changed = new WakeSignal(services.clock);
  const unsubscribe = services.bus.subscribe((notification) => {
    if (concernsRun(notification, runId)) changed.wake();
  });
  let shown = "";
  try {
    while (!signal.aborted) {
      changed.reset();
      // Read the state before the output. If the state is final, the output that is read afterwards is
      // complete.
      const log = await findLog(services.database, caller.workspaceId, runId);
      if (log === undefined) return;
      for await (const chunks of outputAfter(services, runId, after)) {
        after = chunks.at(-1)!.sequence;
        yield { type: "output", chunks };
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
): AsyncGenerator<Chunk[]> {
  while (true) {
    const rows = await readOutputAfter(services.database, runId, after, BATCH);
    if (rows.length === 0) return;
    yield rows.map((row) => unsentPart(row, after));
    after = lastSequence(rows.at(-1)!);
    // A UTF-16 unit has at most 3 bytes in UTF-8. So if the read reached neither limit, it read all chunks.
    const size = rows.reduce((sum, { text }) => sum + 3 * text.length, 0);
    if (rows.length < BATCH.rows && size < BATCH.bytes) return;
  }
}

function lastSequence({ sequence, sequences }: OutputRow): number {
  return sequences?.at(-1) ?? sequence;
}

/** Returns the events of a chunk that follow event `after`. */
function unsentPart(row: OutputRow, after: number): Chunk {
  const events = eventsOf(row);
  return { sequence: events.at(-1)!.sequence, events: events.filter(({ sequence }) => sequence > after) };
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
