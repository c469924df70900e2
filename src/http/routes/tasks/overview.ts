/**
 * Endpoints that say whether everything is protected. `/api/overview` answers in detail. `/api/health`
 * answers in one line, for monitors.
 */
import { z } from "@hono/zod-openapi";
import { BACKUP_TASK_TYPES } from "../../../definitions/sources/registry.ts";
import { PROTECTION_STATUSES } from "../../../domain/protection.ts";
import { type Overview, showHealth, showOverview } from "../../../services/tasks/overview.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { HttpError } from "../../errors.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { NamedRecord } from "../named_record.ts";
import { exampleProtection, presentProtection, ProtectionView } from "./protection_view.ts";

const GROUP = "Overview";

const count = z.int();

const OverviewView = z.object({
  verdict: z.string(),
  is_protected: z.boolean().openapi({
    description:
      "Whether there is a task that is not paused, and none is late. A failed run breaks no promise by itself.",
  }),
  tasks_by_status: z.object(
    Object.fromEntries(PROTECTION_STATUSES.map((status) => [status, count])),
  ),
  tasks_with_warnings: count.openapi({
    description: "Tasks, without paused ones, whose newest backup has warnings, whatever their status.",
  }),
  unprotected_tasks: z.array(z.object({
    id: z.int(),
    label: z.string(),
    type: z.enum(BACKUP_TASK_TYPES),
    remote_server: NamedRecord,
    protection: ProtectionView,
    next_run_at: Time.nullable(),
  })).openapi({ description: "Late, never backed up or failing; the worst first, at most 100." }),
  runs: z.object({ running: count, queued: count }),
  due_within_24_hours: count,
  servers: z.object({
    connected: count,
    disconnected: count,
    asleep: count.openapi({ description: "Intermittent ones whose agent is away." }),
    unknown: count.openapi({ description: "No agent was ever connected." }),
  }),
  backups: z.object({ count, size: z.int().openapi({ description: "Stored bytes." }) }),
  last_proven: z.object({
    backup_task_id: z.int(),
    label: z.string(),
    at: Time,
    restore_duration_ms: z.int().nullable(),
  }).nullable().openapi({ description: "The last drill that restored a backup; null: none did yet." }),
  unprotected_items: z.object({ items_count: count, servers_count: count }).openapi({
    description: "Items on servers that no task covers, see `/api/remote-servers/{id}/unprotected`.",
  }),
}).openapi("Overview");

function present(overview: Overview): z.output<typeof OverviewView> {
  const { counts, is_protected, numbers, proven, tasks, verdict } = overview;
  return {
    verdict,
    is_protected,
    tasks_by_status: counts,
    tasks_with_warnings: overview.with_warnings,
    unprotected_tasks: tasks.map(({ protection, task }) => ({
      id: task.id,
      label: task.label,
      type: task.type,
      remote_server: { id: task.remote_server_id, label: task.server_label },
      protection: presentProtection(protection),
      next_run_at: isoTimeOrNull(task.next_run_at),
    })),
    runs: { running: numbers.running_count, queued: numbers.queued_count },
    due_within_24_hours: numbers.due_count,
    servers: {
      connected: numbers.servers_connected,
      disconnected: numbers.servers_disconnected,
      asleep: numbers.servers_asleep,
      unknown: numbers.servers_unknown,
    },
    backups: { count: numbers.backups_count, size: numbers.backups_size },
    last_proven: proven && {
      backup_task_id: proven.backup_task_id,
      label: proven.label,
      at: isoTime(proven.proven_at),
      restore_duration_ms: proven.restore_duration_ms,
    },
    unprotected_items: overview.unprotected,
  };
}

const example: z.output<typeof OverviewView> = {
  verdict: "1 of 14 tasks is late by 3 h.",
  is_protected: false,
  tasks_by_status: { never_backed_up: 0, late: 1, failing: 0, paused: 0, protected: 13 },
  tasks_with_warnings: 1,
  unprotected_tasks: [{
    id: 1,
    label: "Daily Database Backup",
    type: "database",
    remote_server: { id: 2, label: "web-1" },
    protection: {
      ...presentProtection(exampleProtection),
      status: "late",
      reason: "The newest backup is 33 h old.",
    },
    next_run_at: "2024-08-09T01:00:00Z",
  }],
  runs: { running: 1, queued: 0 },
  due_within_24_hours: 14,
  servers: { connected: 3, disconnected: 0, asleep: 1, unknown: 0 },
  backups: { count: 98, size: 123456789012 },
  last_proven: {
    backup_task_id: 1,
    label: "Daily Database Backup",
    at: "2024-08-01T03:00:00Z",
    restore_duration_ms: 5200,
  },
  unprotected_items: { items_count: 3, servers_count: 2 },
};

export const overviewEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/overview",
    operationId: "showOverview",
    group: GROUP,
    summary: "Whether everything is protected",
    description:
      "The caller's tasks by the age of their newest backups, and what is not protected, with reasons.",
    access: "view-backup-tasks",
    answer: {
      status: 200,
      description: "The verdict, and what it follows from.",
      content: {
        type: "application/json",
        schema: z.object({ data: OverviewView }),
        example: { data: example },
      },
    },
    async handle({ services, caller }) {
      return { status: 200, body: { data: present(await showOverview(services, caller)) } };
    },
  }),
  endpoint({
    method: "get",
    path: "/api/health",
    operationId: "showProtectionHealth",
    group: GROUP,
    summary: "The verdict in one line, for monitors",
    description: "200 while no task is late, otherwise 503: for Uptime Kuma and the like.",
    access: "view-backup-tasks",
    answer: {
      status: 200,
      description: "Every promise is kept.",
      content: { type: "text/plain", schema: z.string(), example: "All 14 tasks are protected.\n" },
    },
    errors: { 503: "A task is late, or there is none. `message` is the verdict." },
    async handle({ services, caller }) {
      const { is_protected, verdict } = await showHealth(services, caller);
      if (!is_protected) throw new HttpError(503, verdict);
      return new Response(`${verdict}\n`, {
        headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" },
      });
    },
  }),
];
