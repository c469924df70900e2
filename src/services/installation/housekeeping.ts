/** Keeps tables small: merges the output of ended runs, and deletes rows that are no longer needed. */
import { deleteAlertsClosedBefore } from "../../store/notifications/alerts.ts";
import { deleteOldAgentRequests } from "../../store/agents/agent_requests.ts";
import { deleteAuditEntriesBefore } from "../../store/access/audit_log.ts";
import { transaction } from "../../store/database/database.ts";
import { deleteEnrolmentTokensExpiredBefore } from "../../store/agents/enrolment_tokens.ts";
import { deleteIdempotencyKeysBefore } from "../../store/access/idempotency_keys.ts";
import { deleteChallengesExpiredBefore } from "../../store/access/login_challenges.ts";
import { deleteSessionsBefore } from "../../store/access/sessions.ts";
import { compactOutput, runsToCompact } from "../../store/runs/run_output.ts";
import { addUpRunCounts } from "../../store/runs/run_counts.ts";
import { deleteDeliveriesFinishedBefore } from "../../store/notifications/notification_deliveries.ts";
import { deleteSkippedBefore } from "../../store/tasks/due_tasks.ts";
import { deleteRunHistoryBefore, mergeRunHistory } from "../../store/history/run_history.ts";
import { foldStorageHistoryBefore, mergeStorageHistory } from "../../store/history/storage_history.ts";
import { deleteConnectionsBefore } from "../../store/history/server_connections.ts";
import { CONNECTIONS_KEPT, HISTORY_DAYS } from "../../domain/history/day_range.ts";
import { SESSION_KEPT } from "../../domain/access/session.ts";
import type { ServiceContext } from "../context.ts";

const DAY = 24 * 3_600_000;
/** How long notifications stay visible after they were sent or given up, in milliseconds. */
const DELIVERIES_KEPT = 7 * DAY;
/** How long skipped due times stay visible, in milliseconds. */
const SKIPPED_KEPT = 30 * DAY;

/**
 * Merges the output of some ended runs. Returns the number of these runs. Callers repeat the call until it
 * returns 0.
 */
export async function compactEndedRuns(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const ids = await runsToCompact(sql, 10);
    for (const id of ids) await compactOutput(sql, id);
    return ids.length;
  });
}

/** Deletes audit log entries that are older than `days`; 0 keeps all. */
export async function deleteOldAuditEntries(services: ServiceContext, days: number): Promise<void> {
  if (days === 0) return;
  await deleteAuditEntriesBefore(services.database, new Date(services.clock.now().getTime() - days * DAY));
}

/**
 * Deletes expired rows:
 * - stored responses, agent requests, enrolment tokens and set-up links a day after they expire;
 * - sessions a month after they end;
 * - notifications a week after they were sent or given up;
 * - a day's numbers in a history once the history no longer shows this day;
 * - the times of a connection 90 days after it ended.
 */
export async function deleteExpiredRows(services: ServiceContext): Promise<void> {
  const before = new Date(services.clock.now().getTime() - DAY);
  await deleteIdempotencyKeysBefore(services.database, before);
  await deleteOldAgentRequests(services.database, before);
  await deleteEnrolmentTokensExpiredBefore(services.database, before);
  await deleteChallengesExpiredBefore(services.database, before);
  await deleteSessionsBefore(services.database, new Date(services.clock.now().getTime() - SESSION_KEPT));
  const deliveriesBefore = new Date(services.clock.now().getTime() - DELIVERIES_KEPT);
  await deleteDeliveriesFinishedBefore(services.database, deliveriesBefore);
  await deleteAlertsClosedBefore(services.database, deliveriesBefore);
  await deleteSkippedBefore(services.database, new Date(services.clock.now().getTime() - SKIPPED_KEPT));
  await addUpRunCounts(services.database);
  await mergeRunHistory(services.database);
  const historyBefore = new Date(services.clock.now().getTime() - (HISTORY_DAYS + 1) * DAY);
  await deleteRunHistoryBefore(services.database, historyBefore);
  const connectionsBefore = new Date(services.clock.now().getTime() - CONNECTIONS_KEPT);
  await deleteConnectionsBefore(services.database, connectionsBefore);
  await mergeStorageHistory(services.database);
  await foldStorageHistoryBefore(services.database, historyBefore);
}
