/** Splits the stored output of a run into lines, and reads some of them. */
import { findLog } from "../../store/runs/logs.ts";
import { type OutputRow, readOutputAfter, readOutputBefore } from "../../store/runs/output_reader.ts";
import { NotFoundError } from "../../domain/errors.ts";
import type { Caller, ServiceContext } from "../context.ts";

/** The output that an agent sent in one event: complete lines. */
export interface OutputEvent {
  readonly sequence: number;
  readonly text: string;
}

/** Kinds of lines: output, warnings of the run, and notes about output that was cut out. */
export const LINE_STREAMS = ["output", "warning", "note"] as const;
export type LineStream = typeof LINE_STREAMS[number];

/**
 * A line of a run's output, without the line break. `sequence` is the number of the event that contained the
 * line.
 */
export interface LogLine extends OutputEvent {
  readonly stream: LineStream;
}

/** Returns the events of a chunk, the oldest first. */
export function eventsOf({ sequence, text, sequences, ends }: OutputRow): OutputEvent[] {
  if (sequences === null || ends === null) return [{ sequence, text }];
  let [points, start] = [0, 0];
  return sequences.map((sequence, index) => {
    const from = start;
    start += codeUnits(text, start, ends[index]! - points);
    points = ends[index]!;
    return { sequence, text: text.slice(from, start) };
  });
}

/**
 * Converts the length of a piece of `text` from code points to UTF-16 units. The piece begins at the UTF-16
 * unit `start`. Postgres counts code points, and JavaScript counts UTF-16 units.
 */
function codeUnits(text: string, start: number, codePoints: number): number {
  let end = start;
  for (let left = codePoints; left > 0; left--) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return end - start;
}

/** Returns the lines of an event. */
export function linesOf({ sequence, text }: OutputEvent): LogLine[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => ({ sequence, text: line, stream: streamOf(line) }));
}

function streamOf(text: string): LineStream {
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z Warning: /.test(text)) return "warning";
  return text.startsWith("[Rearguard: ") ? "note" : "output";
}

/** Chooses lines. Without `after`, the last lines are chosen. */
export interface LineChoice {
  /** Only lines of events before this one. */
  readonly before?: number;
  /** Only lines of events after this one. The oldest of these lines are chosen, up to `limit`. */
  readonly after?: number;
  /** Text that the lines contain, ignoring case. */
  readonly search?: string;
  readonly stream?: LineStream;
  /** Maximum number of lines. The lines of an event stay together, so there can be a few more. */
  readonly limit: number;
}

/** Some lines of a run's output, the oldest first. */
export interface ChosenLines {
  readonly lines: readonly LogLine[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** Returns the chosen lines of a run. Throws a {@link NotFoundError} if there is no such run. */
export async function listLines(
  services: ServiceContext,
  caller: Caller,
  id: number,
  choice: LineChoice,
): Promise<ChosenLines> {
  if (await findLog(services.database, caller.workspaceId, id) === undefined) {
    throw new NotFoundError("Backup task log");
  }
  const { before = Infinity, after, limit } = choice;
  const events = after === undefined ? eventsBefore(services, id, before) : eventsAfter(services, id, after);
  const found: LogLine[][] = [];
  let [count, isMore] = [0, false];
  for await (const event of events) {
    if (after !== undefined && event.sequence >= before) break;
    const lines = linesOf(event).filter((line) => isChosen(line, choice));
    if (lines.length === 0) continue;
    isMore = count >= limit;
    if (isMore) break;
    found.push(lines);
    count += lines.length;
  }
  return after === undefined
    ? { lines: found.reverse().flat(), hasOlder: isMore, hasNewer: choice.before !== undefined }
    : { lines: found.flat(), hasOlder: after > 0, hasNewer: isMore };
}

function isChosen({ text, stream }: LogLine, choice: LineChoice): boolean {
  return (choice.stream === undefined || choice.stream === stream) &&
    (choice.search === undefined || text.toLowerCase().includes(choice.search.toLowerCase()));
}

/** Yields events, the newest first. */
async function* eventsBefore({ database }: ServiceContext, id: number, before: number) {
  while (true) {
    const rows = await readOutputBefore(database, id, before, BATCH);
    if (rows.length === 0) return;
    for (const row of rows) {
      for (const event of eventsOf(row).reverse()) if (event.sequence < before) yield event;
    }
    before = rows.at(-1)!.sequence;
  }
}

/** Yields events, the oldest first. */
async function* eventsAfter({ database }: ServiceContext, id: number, after: number) {
  while (true) {
    const rows = await readOutputAfter(database, id, after, BATCH);
    if (rows.length === 0) return;
    for (const event of rows.flatMap(eventsOf)) if (event.sequence > after) yield event;
    after = eventsOf(rows.at(-1)!).at(-1)!.sequence;
  }
}

/** Limits of one read. A chunk has at most 256 Ki characters. */
const BATCH = { rows: 512, bytes: 256 * 1024 };
