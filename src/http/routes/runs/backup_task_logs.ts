/** Defines the endpoints of `/api/backup-task-logs`, and of a task's latest log. */
import { z } from "@hono/zod-openapi";
import { RUN_KINDS, SHOWN_STATES, statesShownAs } from "../../../domain/run.ts";
import {
  deleteLog,
  listLogs,
  listLogsOfTask,
  OUTPUT_PARTS,
  showLatestLog,
  showLog,
} from "../../../services/runs/logs.ts";
import { explainRun, WAITS } from "../../../services/runs/run_waits.ts";
import { cancelAnyRun } from "../../../services/runs/runs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idParameter, searchParameter, sortParameter, timeParameters } from "../../input/list_filters.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { dataContent, deleteEndpoint, listBody, listContent, listEndpoint } from "../../resource.ts";
import { isoTimeOrNull, Time } from "../../input/time.ts";
import { backupTaskLog } from "./backup_task_log_view.ts";

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
  backup_id: idParameter("runs that read this backup: restores, verifications and drills"),
  tag_id: idParameter("of backup tasks with this tag"),
  ...timeParameters,
  output: z.enum(["none", "tail"]).optional().openapi({
    description: "Whether the records contain the last 4 KB of their output (`tail`, the default) or none.",
    example: "none",
  }),
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
  endpoint({
    method: "get",
    path: "/api/backup-task-logs/{id}",
    operationId: "showBackupTaskLog",
    group: backupTaskLog.plural,
    summary: "Show a backup task log",
    description: "The record, with its whole output unless `output` says otherwise.",
    access: "view-backup-tasks",
    ids: { id: backupTaskLog.name },
    query: z.object({
      output: z.enum(OUTPUT_PARTS).optional().openapi({
        description: "How much of its output the record contains. `tail`: the last 4 KB. Default: `all`.",
        example: "none",
      }),
    }),
    answer: { status: 200, description: "The backup task log.", content: dataContent(backupTaskLog) },
    async handle({ services, caller, params, query }) {
      const log = await showLog(services, caller, params.id, query.output);
      return { status: 200, body: { data: backupTaskLog.present(log) } };
    },
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
