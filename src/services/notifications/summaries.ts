/** Sends the daily and weekly summaries of notification streams. */
import { isoSeconds, type NotificationEvent } from "../../domain/notifications/notification.ts";
import { nextSummary, PERIODS, type Summary } from "../../domain/notifications/summary.ts";
import { transaction } from "../../store/database/database.ts";
import { notify } from "../../store/database/event_bus.ts";
import { insertDelivery } from "../../store/notifications/new_deliveries.ts";
import {
  dueSummaries,
  lockDueSummary,
  readPeriod,
  setSummaryDue,
  type SummarizedStream,
} from "../../store/notifications/summaries.ts";
import type { ServiceContext } from "../context.ts";
import { type Overview, showOverview } from "../tasks/overview.ts";

/** Maximum number of streams in one call of {@link sendSummaries}. */
const BATCH = 100;
/** Maximum number of tasks that a summary names. */
const NAMED_TASKS = 20;

/**
 * Writes the messages of the summaries that are due. The transaction that writes a message also sets when the
 * stream's next summary is due. So each summary is sent only once, even if several control planes call this
 * function. If a stream missed several summaries, only one is sent.
 */
export async function sendSummaries(services: ServiceContext): Promise<void> {
  const { clock, database } = services;
  const overviews = new Map<number, Overview>();
  for (const { id, workspace_id } of await dueSummaries(database, clock.now(), BATCH)) {
    const overview = overviews.get(workspace_id) ??
      await showOverview(services, { workspaceId: workspace_id });
    overviews.set(workspace_id, overview);
    await transaction(database, async (sql) => {
      const now = clock.now();
      const stream = await lockDueSummary(sql, id, now);
      if (stream === undefined) return;
      await setSummaryDue(sql, id, nextSummary(stream, now, stream.user_timezone));
      if (stream.summary === "off") return;
      const since = new Date(now.getTime() - PERIODS[stream.summary]);
      const summary: Summary = {
        period: stream.summary,
        since: isoSeconds(since),
        ...factsOf(overview),
        ...await readPeriod(sql, workspace_id, since),
      };
      const key = `summary ${stream.summary_due_at.toISOString()}`;
      await insertDelivery(sql, stream, { key, classes: [], event: eventOf(stream, summary, now) }, now);
      await notify(sql, { topic: "notification_due" });
    });
  }
}

function factsOf({ counts, is_protected, numbers, proven, tasks, verdict }: Overview) {
  return {
    is_protected,
    verdict,
    counts,
    tasks: tasks.slice(0, NAMED_TASKS).map(({ protection: { reason, status }, task: { id, label } }) => ({
      id,
      label,
      status,
      reason,
    })),
    stored: { count: numbers.backups_count, size: numbers.backups_size },
    proven: proven &&
      { task_id: proven.backup_task_id, label: proven.label, at: isoSeconds(proven.proven_at) },
  };
}

function eventOf(
  { timezone, user_timezone }: SummarizedStream,
  summary: Summary,
  now: Date,
): NotificationEvent {
  return {
    event: "summary",
    occurred_at: isoSeconds(now),
    timezone: timezone ?? user_timezone,
    task: null,
    server: null,
    run: null,
    backup: null,
    reason: null,
    summary,
  };
}
