/**
 * Records the events that agents report about their runs. Each event is stored once and in order, then
 * acknowledged.
 */
import { isFinal, type RunPhase } from "../../domain/run.ts";
import type { RunEvent, RunEventMessage } from "../../protocol/wire_messages.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import { notifyAll } from "../../store/database/event_bus.ts";
import { failSpan, startSpan, withSpan } from "../../telemetry/tracing.ts";
import { insertOutput, needsTrimming, type OutputChunk, trimOutput } from "../../store/runs/run_output.ts";
import { insertWarnings, type ReportedWarnings } from "../../store/runs/run_warnings.ts";
import { type EventProgress, recordProgress } from "../../store/runs/run_progress.ts";
import { lockRuns, markAttemptAccepted, type RunRow } from "../../store/runs/runs.ts";
import type { ServiceContext } from "../context.ts";
import { applyToRun } from "./run_state.ts";
import { applyVerdict, keepLateVerdict } from "./run_verdicts.ts";

/** An event, with the server whose agent sent it. */
export interface ReportedEvent {
  remoteServerId: number;
  message: RunEventMessage;
}

/**
 * Tells an agent that the control plane has handled all events of an attempt up to the number `sequence`.
 * Each of them was either stored or ignored for good, so the agent must not send it again.
 */
export interface Acknowledgement {
  remoteServerId: number;
  runId: number;
  attempt: number;
  sequence: number;
}

/**
 * Stores events of any number of runs in one transaction, and returns acknowledgements. Ignores events that
 * are stored already, and events of an older attempt or of another server's run. Acknowledges ignored events
 * too. Otherwise the agent would resend them forever.
 */
export async function recordEvents(
  services: ServiceContext,
  events: readonly ReportedEvent[],
): Promise<Acknowledgement[]> {
  const groups = groupByAttempt(events);
  await transaction(services.database, async (sql) => {
    const ids = [...new Set(groups.map((group) => group.runId))];
    const rows = new Map((await lockRuns(sql, ids)).map((row) => [row.id, row]));
    const batch: EventBatch = { chunks: [], warnings: [], progress: [] };
    const { chunks, progress } = batch;
    for (const group of groups) {
      const run = rows.get(group.runId);
      if (run === undefined || run.remote_server_id !== group.remoteServerId) continue;
      const moved = await traced(group, () => recordGroup(services, sql, run, group, batch));
      rows.set(run.id, moved);
    }
    await insertOutput(sql, chunks);
    await insertWarnings(sql, batch.warnings);
    const { lease, grace } = services.runTimes;
    const now = services.clock.now();
    const after = (ms: number) => new Date(now.getTime() + ms);
    await recordProgress(sql, progress, {
      now,
      leaseExpiresAt: after(lease),
      deadlineAt: after(lease + grace),
    });
    await trimLongOutput(sql, progress, rows);
    const runIds = new Set(chunks.map((chunk) => chunk.run_id));
    await notifyAll(sql, [...runIds].map((run_id) => ({ topic: "run_output", run_id })));
  });
  return groups.map(({ remoteServerId, runId, attempt, messages }) => ({
    remoteServerId,
    runId,
    attempt,
    sequence: messages.at(-1)!.sequence,
  }));
}

/** Rows for all events of one transaction. They are written together at its end. */
interface EventBatch {
  readonly chunks: OutputChunk[];
  readonly warnings: ReportedWarnings[];
  readonly progress: EventProgress[];
}

interface Group {
  remoteServerId: number;
  runId: number;
  attempt: number;
  /** The events, in order of their sequence. */
  messages: RunEventMessage[];
}

function groupByAttempt(events: readonly ReportedEvent[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { remoteServerId, message } of events) {
    const key = `${remoteServerId} ${message.run_id} ${message.attempt}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { remoteServerId, runId: message.run_id, attempt: message.attempt, messages: [] };
      groups.set(key, group);
    }
    group.messages.push(message);
  }
  for (const group of groups.values()) group.messages.sort((a, b) => a.sequence - b.sequence);
  return [...groups.values()];
}

/**
 * Calls `work`. If one of the events starts or ends the run, calls `work` in a span. There are too many other
 * events to trace them.
 */
async function traced(group: Group, work: () => Promise<RunRow>): Promise<RunRow> {
  const message = group.messages.findLast(({ event }) =>
    event.kind === "accepted" || event.kind === "finished"
  );
  if (message?.traceparent === undefined) return await work();
  const span = startSpan(`record ${message.event.kind}`, {
    "rearguard.run.id": group.runId,
    "rearguard.run.attempt": group.attempt,
    "rearguard.server.id": group.remoteServerId,
  }, message.traceparent);
  try {
    const run = await withSpan(span, work);
    span.setAttribute("rearguard.run.state", run.state);
    return run;
  } catch (error) {
    failSpan(span, "It can't be stored");
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Applies the events of one attempt to its run. The transaction has locked the run's row. Returns the run
 * after the changes.
 */
async function recordGroup(
  services: ServiceContext,
  sql: Sql,
  locked: RunRow,
  group: Group,
  { chunks, warnings, progress }: EventBatch,
): Promise<RunRow> {
  const { messages } = group;
  const finished = messages.findLast(({ event }) => event.kind === "finished")?.event;
  const verdict = finished?.kind === "finished" ? finished.verdict : null;
  const isCurrent = locked.attempt === group.attempt && !isFinal(locked.state);
  if (!isCurrent) {
    if (verdict !== null) await keepLateVerdict(services, sql, locked, group.attempt, verdict);
    return locked;
  }
  let run = locked;
  const fresh = messages.filter((message) => message.sequence > locked.last_sequence);
  if (fresh.length === 0) return run;
  if (fresh.some(({ event }) => event.kind === "accepted")) run = await accept(services, sql, run);
  let outputSize = 0;
  for (const { event, sequence } of fresh) {
    if (event.kind !== "output") continue;
    const text = withoutNul(event.text);
    // Some events contain only warnings, and no text.
    if (text !== "") chunks.push({ run_id: run.id, sequence, text });
    outputSize += text.length;
    if (event.warnings !== undefined) {
      warnings.push({ run_id: run.id, sequence, warnings: event.warnings.map(withoutNul) });
    }
  }
  progress.push({
    run_id: run.id,
    last_sequence: fresh.at(-1)!.sequence,
    output_size: outputSize,
    stats: lastProgress(fresh.map(({ event }) => event)),
    phases: phasesOf(fresh.map(({ event }) => event)),
  });
  if (verdict !== null) run = await applyVerdict(services, sql, run, verdict);
  return run;
}

/** Postgres can't store NUL characters in text. */
function withoutNul(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

async function accept(services: ServiceContext, sql: Sql, run: RunRow): Promise<RunRow> {
  const now = services.clock.now();
  await markAttemptAccepted(sql, run.id, run.attempt, now);
  const move = await applyToRun(services, sql, run, { type: "accepted" }, {
    started_at: run.started_at ?? now,
  });
  return move.moved ? move.run : run;
}

function lastProgress(events: readonly RunEvent[]): EventProgress["stats"] {
  const event = events.findLast((event) => event.kind === "progress");
  return event?.kind === "progress" ? event : null;
}

/** Returns the phases that the events report, without repetitions. */
function phasesOf(events: readonly RunEvent[]): RunPhase[] {
  const reported = events.flatMap((event) => event.kind === "progress" ? event.phase ?? [] : []);
  return reported.filter((phase, index) => phase !== reported[index - 1]);
}

async function trimLongOutput(
  sql: Sql,
  progress: readonly EventProgress[],
  rows: ReadonlyMap<number, RunRow>,
): Promise<void> {
  for (const { run_id, output_size } of progress) {
    const run = rows.get(run_id)!;
    if (!needsTrimming(run.output_size + output_size, run.output_cut)) continue;
    const cut = await trimOutput(sql, run_id, run.output_cut);
    await sql`update runs set output_cut = ${cut} where id = ${run_id}`;
  }
}
