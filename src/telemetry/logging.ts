/**
 * Writes the log to standard error, one record per line. Standard output is reserved for messages to the
 * operator.
 */
import {
  configure,
  getJsonLinesFormatter,
  getLogger,
  type LogRecord,
  type Sink,
  withContext,
} from "@logtape/logtape";
import { getPrettyFormatter } from "@logtape/pretty";
import { AsyncLocalStorage } from "node:async_hooks";
import { databaseTrouble, isOfDatabase } from "../domain/database/database_trouble.ts";
import { activeSpan } from "./tracing.ts";

export type { Logger } from "@logtape/logtape";

export interface LoggingOptions {
  readonly level: "trace" | "debug" | "info" | "warning" | "error" | "fatal";
  readonly format: "pretty" | "json";
}

/**
 * Returns the logger of a part of the program, such as `logger("dispatcher")`. Pass values as properties;
 * they must never be secrets.
 */
export function logger(...category: string[]) {
  return getLogger(["rearguard", ...category]);
}

/** Values that {@link withLogContext} adds to every record that is logged while its `work` runs. */
export interface LogContext {
  readonly request_id?: string;
  readonly run_id?: number;
  readonly attempt?: number;
  readonly task_id?: number;
  readonly remote_server_id?: number;
}

export function withLogContext<T>(about: LogContext, work: () => T): T {
  return withContext({ ...about }, work);
}

/** Configures logging. Called once per process; before that, nothing is logged. */
export async function setUpLogging({ level, format }: LoggingOptions): Promise<void> {
  await configure({
    sinks: { standardError: foldTroubles(format === "json" ? jsonSink() : prettySink()) },
    loggers: [
      { category: "rearguard", lowestLevel: level, sinks: ["standardError"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["standardError"] },
    ],
    contextLocalStorage: new AsyncLocalStorage(),
    reset: true,
  });
}

/** Minimum interval between two records about the same problem of the database server, in milliseconds. */
const TROUBLE_INTERVAL = 60_000;

/**
 * Returns a sink that forwards log records to `sink`. A record about a problem of the database server is
 * forwarded without the error's stack, and at most once a minute for each problem.
 */
function foldTroubles(sink: Sink): Sink {
  const last = new Map<string, { at: number; folded: number }>();
  return (record) => {
    const errors = Object.entries(record.properties);
    const [name, error] = errors.find(([, value]) => value instanceof Error && isOfDatabase(value)) ?? [];
    const trouble = databaseTrouble(error);
    if (name === undefined || trouble === null) return sink(record);
    const { code } = trouble;
    const before = last.get(code);
    if (before !== undefined && record.timestamp - before.at < TROUBLE_INTERVAL) {
      before.folded++;
      return;
    }
    last.set(code, { at: record.timestamp, folded: 0 });
    const text = (error as Error).message;
    const message = record.message.map((part) => part === error ? text : part);
    const more = before === undefined || before.folded === 0 ? {} : { folded: before.folded };
    sink({ ...record, message, properties: { ...record.properties, [name]: text, ...more } });
  };
}

function jsonSink(): Sink {
  const format = getJsonLinesFormatter({ properties: "flatten" });
  return (record) => {
    const span = activeSpan()?.spanContext();
    const { properties } = withPlainErrors(record);
    const traced = span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
    write(format({ ...withShortErrors(record), properties: { ...properties, ...traced } }));
  };
}

function prettySink(): Sink {
  const colors = Deno.stderr.isTerminal() && !Deno.noColor;
  const format = getPrettyFormatter({
    timestamp: "date-time-timezone",
    icons: false,
    colors,
    align: false,
    wordWrap: false,
    properties: true,
  });
  return (record) => {
    const errors = Object.values(record.properties).filter((value) => value instanceof Error);
    // Leaves out the values that the message already contains.
    const others = Object.entries(record.properties).filter(([name, value]) =>
      !(value instanceof Error) && name !== "request_id" && !String(record.rawMessage).includes(`{${name}}`)
    );
    const line = format({ ...withShortErrors(record), properties: Object.fromEntries(others) }).trimEnd();
    write([line, ...errors.map((error) => explain(error).replace(/^/gm, "    "))].join("\n"));
  };
}

/** Replaces errors by text with their stacks and causes, because JSON would contain none of them. */
function withPlainErrors(record: LogRecord): LogRecord {
  const properties = Object.fromEntries(
    Object.entries(record.properties).map((
      [name, value],
    ) => [name, value instanceof Error ? explain(value) : value]),
  );
  return { ...withShortErrors(record), properties };
}

/**
 * Replaces each error in a record's message by the error's own message, because the error's stack is logged
 * separately.
 */
function withShortErrors(record: LogRecord): LogRecord {
  const message = record.message.map((part) => part instanceof Error ? part.message : part);
  return { ...record, message };
}

function explain(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\nCaused by: ${explain(error.cause)}` : own;
}

function write(line: string): void {
  const bytes = new TextEncoder().encode(line.endsWith("\n") ? line : `${line}\n`);
  try {
    for (let sent = 0; sent < bytes.length;) sent += Deno.stderr.writeSync(bytes.subarray(sent));
  } catch (cause) {
    // If nobody reads the log any more, the server must not stop.
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
  }
}
