/** Collects OpenTelemetry spans: OTLP over HTTP, in JSON (opentelemetry.io/docs/specs/otlp). */

export interface CollectedSpan {
  service: string;
  name: string;
  trace: string;
  id: string;
  /** The id of the parent span; empty for the first span of a trace. */
  parent: string;
  attributes: Record<string, unknown>;
  /** The status code of OpenTelemetry; 2 means an error. */
  status: number;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

export class Collector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** Everything that was received so far, as text. */
  received = "";
  readonly #server: Deno.HttpServer;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const text = await request.text();
        this.received += text;
        if (new URL(request.url).pathname === "/v1/traces") this.#take(JSON.parse(text));
        return Response.json({});
      },
    );
  }

  /**
   * Environment variables that make a Deno process send its spans to this collector, without the usual delay.
   */
  get environment(): Record<string, string> {
    const { port } = this.#server.addr as Deno.NetAddr;
    return {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_SERVICE_NAME: "rearguard",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any
  #take({ resourceSpans }: any): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(attributesOf(resource.attributes)["service.name"]);
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            service,
            name: span.name,
            trace: span.traceId,
            id: span.spanId,
            parent: span.parentSpanId ?? "",
            attributes: attributesOf(span.attributes),
            status: Number(span.status?.code ?? 0),
          });
        }
      }
    }
  }
}

function attributesOf(attributes: Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
