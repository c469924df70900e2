/**
 * Records traces with OpenTelemetry. Deno exports spans if `OTEL_DENO` is set. If it is not set, spans are
 * empty objects, and nothing is kept or sent.
 *
 * All spans of a run belong to one trace, even if they come from different processes. For this, the
 * `traceparent` of W3C Trace Context, section 3.2, goes with the run from the API request to the agent and
 * back.
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
 * Starts a span. The caller has to end it.
 *
 * @param parent The `traceparent` of the parent span; by default the active span.
 * @param startedAt The start of the span; by default now.
 */
export function startSpan(name: string, attributes: Attributes, parent?: string, startedAt?: Date): Span {
  return tracer.startSpan(name, { attributes, startTime: startedAt }, contextOf(parent));
}

/** Starts a span below the active span. Returns null if no span is active. */
export function startChildSpan(name: string, attributes: Attributes): Span | null {
  return trace.getActiveSpan() === undefined ? null : startSpan(name, attributes);
}

/**
 * Runs `work` with `span` as the active span. Spans that `work` starts and requests that it sends get `span`
 * as their parent. Does not end `span`.
 */
export function withSpan<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/**
 * Marks a span as failed. `reason` must not be the text of an error, because such a text may contain secrets.
 */
export function failSpan(span: Span, reason: string): void {
  setStatus.call(span, { code: SpanStatusCode.ERROR, message: reason });
}

/**
 * Keeps the URLs and errors of requests out of traces, because signed URLs and webhooks are credentials. By
 * default, Deno's span of a request contains the whole URL and the error. After this call, spans contain only
 * the URL's origin, and no error text. Returns the original `setStatus`.
 */
function hideAddresses(span: Span): { setStatus(this: Span, status: SpanStatus): Span } {
  const prototype: Span = Object.getPrototypeOf(span);
  const { setAttribute, setStatus } = prototype;
  if (!span.isRecording()) return { setStatus };
  const HIDDEN = ["url.path", "url.query"];
  prototype.setAttribute = function (name, value) {
    if (HIDDEN.includes(name)) return this;
    if (name !== "url.full") return setAttribute.call(this, name, value);
    // A wrong Host header from a caller can make the URL invalid.
    return setAttribute.call(this, name, URL.parse(String(value))?.origin ?? "");
  };
  prototype.setStatus = function ({ code }) {
    return setStatus.call(this, { code });
  };
  prototype.recordException = () => {};
  return { setStatus };
}

/** Returns the `traceparent` of a span; undefined if tracing is off. */
export function traceparentOf(span: Span | undefined): string | undefined {
  const of = span?.spanContext();
  if (of === undefined || !isTraceparent(`00-${of.traceId}-${of.spanId}-00`)) return undefined;
  return `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, "0")}`;
}

/** Returns the active span, such as that of an HTTP request or a run; undefined if there is none. */
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
