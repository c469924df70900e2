/**
 * Spans, in OpenTelemetry's words. Deno exports them where `OTEL_DENO` is set; else every one of them is an empty object
 * and nothing is kept or sent. What happens to one run is one trace, wherever it happens: `traceparent` (W3C Trace
 * Context, section 3.2) goes with the run from the call that asked for it to the agent and back.
 */
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

export type { Attributes, Span };

const tracer = trace.getTracer("rearguard");

/**
 * @param parent A `traceparent`. Left out: the span that is at work here, if any. @param startedAt Left out: now.
 * The caller ends it.
 */
export function startSpan(name: string, attributes: Attributes, parent?: string, startedAt?: Date): Span {
  return tracer.startSpan(name, { attributes, startTime: startedAt }, contextOf(parent));
}

/** The same below the span that is at work here; null where there is none. */
export function startInnerSpan(name: string, attributes: Attributes): Span | null {
  return trace.getActiveSpan() === undefined ? null : startSpan(name, attributes);
}

/** Spans that `work` starts, and requests that it sends, are inside of `span`. It does not end it. */
export function inside<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/** As an error, told by `reason`: never by an error's own text, which may hold anything. */
export function failSpan(span: Span, reason: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
}

/** Undefined where nothing is traced. */
export function traceparentOf(span: Span | undefined): string | undefined {
  const of = span?.spanContext();
  if (of === undefined || !isTraceparent(`00-${of.traceId}-${of.spanId}-00`)) return undefined;
  return `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, "0")}`;
}

/** Of the span that is at work here: an HTTP request, a run. */
export function activeSpan(): Span | undefined {
  return trace.getActiveSpan();
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

function contextOf(parent: string | undefined): Context {
  const match = parent === undefined ? null : TRACEPARENT.exec(parent);
  if (match === null) return parent === undefined ? context.active() : ROOT_CONTEXT;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: parseInt(flags, 16),
    isRemote: true,
  });
}
