/** Defines the endpoints of `/api/backup-task-logs`, and of a task's latest log. */
import { z } from "@hono/zod-openapi";
import { hasEnded, RUN_KINDS, SHOWN_STATES, statesShownAs } from "../../../domain/run.ts";
import { followOutput, type LogEvent } from "../../../services/runs/log_stream.ts";
import type { Caller, ServiceContext } from "../../../services/context.ts";
import {
  deleteLog,
  findOwnLog,
  latestLog,
  listLogs,
  listLogsOfTask,
  type LogRow,
  showLatestLog,
  showLog,
} from "../../../services/runs/logs.ts";
import { explainRun, WAITS } from "../../../services/runs/run_waits.ts";
import { cancelAnyRun } from "../../../services/runs/runs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idParameter, searchParameter, sortParameter, timeParameters } from "../../input/list_filters.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import {
  dataContent,
  deleteEndpoint,
  listBody,
  listContent,
  listEndpoint,
  showEndpoint,
} from "../../resource.ts";
import { eventStream, type ServerSentEvent } from "../../sse.ts";
import { isoTimeOrNull, Time } from "../../input/time.ts";
import { backupTaskLog, presentState } from "./backup_task_log_view.ts";

const RunWait = z.object({
  status: z.enum(["queued", "running", "successful", "failed", "cancelled"]),
  waiting_for: z.enum(WAITS).nullable(),
  message: z.string().openapi({ description: "Text that says what it waits for, and what can be done." }),
  until: Time.nullable().openapi({
    description: "When the wait ends by itself; for an active run, the end of its run timeout. Null: never.",
  }),
  then: z.string().nullable().openapi({ description: "What happens at `until`." }),
  runs_ahead: z.array(z.int()).openapi({
    description: "Ids of the logs of the runs before it in the queue.",
  }),
  moved_at: Time.nullable().openapi({
    description: "For a running run: the time of its last progress. A run without progress for its task's " +
      "`stall_warning` waits for `progress`, and `message` says what it waits for.",
  }),
}).openapi("RunWait");

const WAIT = {
  status: "queued" as const,
  waiting_for: "capacity" as const,
  message: "The agent of server web-1 does one run at once, and others come first: 7.",
  until: "2024-08-08T01:00:00Z",
  then: "It fails with the reason that no agent accepted it.",
  runs_ahead: [7],
  moved_at: null,
};

const CANCELLED = "Cancellation requested successfully.";

const logFilters = {
  status: z.enum(SHOWN_STATES).optional().openapi({
    description: "Only runs in this state.",
    example: "failed",
  }),
  kind: z.enum(RUN_KINDS).optional().openapi({ description: "Only runs of this kind.", example: "backup" }),
  remote_server_id: idParameter("runs on this remote server"),
  backup_destination_id: idParameter("runs to or from this backup destination"),
  tag_id: idParameter("of backup tasks with this tag"),
  ...timeParameters,
  search: searchParameter("the reason, or in the label of the backup task"),
};

export const backupTaskLogEndpoints: readonly Endpoint[] = [
  listEndpoint(backupTaskLog, {
    access: "view-backup-tasks",
    description: "The records of all runs, each with the last 4 KB of its output.",
    filters: { backup_task_id: idParameter("of this backup task"), ...logFilters },
    list: (services, caller, window, { status, ...filter }) =>
      listLogs(services, caller, window, { ...filter, states: status && statesShownAs(status) }),
  }),
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/logs",
    operationId: "listLogsOfBackupTask",
    group: "Backup tasks",
    summary: "List the logs of a backup task",
    description: "The records of its runs of any kind, each with the last 4 KB of its output.",
    access: "view-backup-tasks",
    ids: { id: "Backup task" },
    query: PageQuery.extend({ ...logFilters, sort: sortParameter(["id", "created_at"]) }),
    answer: {
      status: 200,
      description: "One page, oldest first unless sorted.",
      content: listContent(backupTaskLog),
    },
    async handle({ services, caller, params, query, ...sent }) {
      const { page, per_page, status, ...filter } = query;
      const window = windowOf({ page, per_page });
      const choice = { ...filter, states: status && statesShownAs(status) };
      const listed = await listLogsOfTask(services, caller, params.id, window, choice);
      return {
        status: 200,
        body: listBody(backupTaskLog, listed, { page, per_page }, sent),
      };
    },
  }),
  showEndpoint(backupTaskLog, {
    access: "view-backup-tasks",
    description: "The record, with its whole output.",
    show: showLog,
  }),
  deleteEndpoint(backupTaskLog, {
    access: "delete-backup-tasks",
    description: "The backup that the run made stays.",
    errors: { 409: "The run has not ended." },
    remove: deleteLog,
  }),
  endpoint({
    method: "get",
    path: "/api/backup-tasks/{id}/latest-log",
    operationId: "showLatestBackupTaskLog",
    group: "Backup tasks",
    summary: "Get the latest backup task log",
    description: "The record of the newest backup run, even while it runs: `output` then grows.",
    access: "view-backup-tasks",
    ids: { id: "Backup task" },
    answer: { status: 200, description: "The newest run's record.", content: dataContent(backupTaskLog) },
    async handle({ services, caller, params }) {
      const log = await showLatestLog(services, caller, params.id);
      return { status: 200, body: { data: backupTaskLog.present(log) } };
    },
  }),
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
  endpoint({
    method: "get",
    path: "/api/backup-task-logs/{id}/why",
    operationId: "explainBackupTaskLog",
    group: backupTaskLog.plural,
    summary: "Get what a run waits for",
    description: "What the run waits for, until when, and what happens then.",
    access: "view-backup-tasks",
    ids: { id: backupTaskLog.name },
    answer: {
      status: 200,
      description: "What it waits for; `waiting_for` is null if it is running or has ended.",
      content: { type: "application/json", schema: z.object({ data: RunWait }), example: { data: WAIT } },
    },
    async handle({ services, caller, params }) {
      const wait = await explainRun(services, caller, params.id);
      return {
        status: 200,
        body: { data: { ...wait, until: isoTimeOrNull(wait.until), moved_at: isoTimeOrNull(wait.moved_at) } },
      };
    },
  }),
  endpoint({
    method: "post",
    path: "/api/backup-task-logs/{id}/cancel",
    operationId: "cancelBackupTaskLog",
    group: backupTaskLog.plural,
    summary: "Cancel the run of a log",
    description: "Cancels a run of any kind, even a restore, and undoes its changes.",
    access: "run-backup-tasks",
    ids: { id: backupTaskLog.name },
    errors: { 409: "The run is over." },
    answer: {
      status: 200,
      description: "The run ends after its agent has cleaned up.",
      content: {
        type: "application/json",
        schema: z.object({ message: z.string(), backup_task_log_id: z.int() }),
        example: { message: CANCELLED, backup_task_log_id: 8 },
      },
    },
    async handle({ services, caller, params }) {
      await cancelAnyRun(services, caller, params.id);
      return { status: 200, body: { message: CANCELLED, backup_task_log_id: params.id } };
    },
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
