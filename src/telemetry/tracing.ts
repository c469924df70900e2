/**
 * Spans, in OpenTelemetry's words. Deno exports them where `OTEL_DENO` is set; else every one of them is an
 * empty object and nothing is kept or sent. What happens to one run is one trace, wherever it happens:
 * `traceparent` (W3C Trace Context, section 3.2) goes with the run from the call that asked for it to the
 * agent and back.
 */
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanStatus,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

export type { Attributes, Span };

const tracer = trace.getTracer("rearguard");

const { setStatus } = hideAddresses(tracer.startSpan("never ended, never sent"));

/**
 * @param parent A `traceparent`. Left out: the span that is at work here, if any. @param startedAt Left out:
 * now. The caller ends it.
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
  setStatus.call(span, { code: SpanStatusCode.ERROR, message: reason });
}

/**
 * Deno makes a span of each request too, and tells its whole address and what went wrong with it; but signed
 * URLs and webhooks are credentials. From now on such a span tells the server alone. Returns what was
 * replaced.
 */
function hideAddresses(span: Span): { setStatus(this: Span, status: SpanStatus): Span } {
  const prototype: Span = Object.getPrototypeOf(span);
  const { setAttribute, setStatus } = prototype;
  if (!span.isRecording()) return { setStatus };
  const HIDDEN = ["url.path", "url.query"];
  prototype.setAttribute = function (name, value) {
    if (HIDDEN.includes(name)) return this;
    if (name !== "url.full") return setAttribute.call(this, name, value);
    // A caller's Host header may make it none.
    return setAttribute.call(this, name, URL.parse(String(value))?.origin ?? "");
  };
  prototype.setStatus = function ({ code }) {
    return setStatus.call(this, { code });
  };
  prototype.recordException = () => {};
  return { setStatus };
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
