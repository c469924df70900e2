/** Defines the endpoints that stream the output of a run. */
import { z } from "@hono/zod-openapi";
import { hasEnded } from "../../../domain/run.ts";
import { followOutput, type LogEvent } from "../../../services/runs/log_stream.ts";
import { findOwnLog, latestLog, type LogRow } from "../../../services/runs/logs.ts";
import type { Caller, ServiceContext } from "../../../services/context.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { eventStream, type ServerSentEvent } from "../../sse.ts";
import { backupTaskLog, presentState } from "./backup_task_log_view.ts";

export const logStreamEndpoints: readonly Endpoint[] = [
  streamEndpoint({
    path: "/api/backup-tasks/{id}/latest-log/stream",
    operationId: "streamLatestBackupTaskLog",
    group: "Backup tasks",
    summary: "Follow the latest backup task log",
    of: "Backup task",
    log: latestLog,
  }),
  streamEndpoint({
    path: "/api/backup-task-logs/{id}/stream",
    operationId: "streamBackupTaskLog",
    group: backupTaskLog.plural,
    summary: "Follow a backup task log",
    of: backupTaskLog.name,
    log: findOwnLog,
  }),
];

/**
 * Defines an endpoint that streams the output of a run. `log` finds the run's record by the id in the path.
 */
function streamEndpoint({ path, operationId, group, summary, of, log: findLog }: {
  path: string;
  operationId: string;
  group: string;
  summary: string;
  of: string;
  log(services: ServiceContext, caller: Caller, id: number): Promise<LogRow>;
}): Endpoint {
  return endpoint({
    method: "get",
    path,
    operationId,
    group,
    summary,
    description:
      "Server-Sent Events. `output`: `{sequence, text}`; `state`: status and progress whenever they change; " +
      "`finished`: the final status, after which the stream ends. `Last-Event-ID` resumes after that event.",
    access: "view-backup-tasks",
    ids: { id: of },
    answer: {
      status: 200,
      description: "Events until the run ends. 204 if `Last-Event-ID` is its last event.",
      content: {
        type: "text/event-stream",
        schema: z.string(),
        example: 'id: 7-1\nevent: output\ndata: {"sequence":1,"text":"Connecting\\n"}\n\n',
      },
    },
    errors: { 429: "The token follows too many streams already." },
    async handle({ services, caller, params, request, holdStream }) {
      const log = await findLog(services, caller, params.id);
      const seen = request.headers.get("last-event-id") ?? "";
      if (hasEnded(log.state) && seen === endId(log)) return new Response(null, { status: 204 });
      const over = new AbortController();
      const after = sequenceIn(seen, log.id);
      const output = await followOutput(services, caller, { runId: log.id, after, signal: over.signal });
      const events = serverSentEvents(log.id, output);
      return eventStream(services.clock, events, () => over.abort(), holdStream());
    },
  });
}

/**
 * Yields the log's events as Server-Sent Events. Each event's id contains the log's id and a position in the
 * output. The log's id is needed because a client might send back an id of an earlier run. The position in
 * the earlier run's output means nothing in this run.
 */
async function* serverSentEvents(
  logId: number,
  events: AsyncIterable<LogEvent>,
): AsyncGenerator<ServerSentEvent> {
  let last = 0;
  for await (const event of events) {
    switch (event.type) {
      case "output":
        last = event.sequence;
        yield { id: `${logId}-${last}`, event: "output", data: { sequence: last, text: event.text } };
        break;
      case "changed":
        yield { id: `${logId}-${last}`, event: "state", data: presentState(event.log) };
        break;
      case "finished":
        yield { id: endId(event.log), event: "finished", data: presentState(event.log) };
    }
  }
}

function endId(log: LogRow): string {
  return `${log.id}-end`;
}

/**
 * Returns the sequence in `Last-Event-ID`: a bare number, or a number after this log's id. Returns 0, the
 * start, for anything else.
 */
function sequenceIn(lastEventId: string, logId: number): number {
  const match = /^(?:(\d{1,15})-)?(\d{1,15})$/.exec(lastEventId.trim());
  if (match === null || (match[1] !== undefined && Number(match[1]) !== logId)) return 0;
  return Number(match[2]);
}
