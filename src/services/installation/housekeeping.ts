/** What keeps the tables small: merged output, and rows that nobody needs any more. */
import { deleteAlertsClosedBefore } from "../../store/notifications/alerts.ts";
import { deleteOldAgentRequests } from "../../store/agents/agent_requests.ts";
import { deleteAuditEntriesBefore } from "../../store/access/audit_log.ts";
import { transaction } from "../../store/database/database.ts";
import {
  deleteEnrolmentTokensExpiredBefore,
  deleteIdempotencyKeysBefore,
} from "../../store/installation/housekeeping.ts";
import { compactOutput, runsToCompact } from "../../store/runs/run_output.ts";
import { addUpRunCounts } from "../../store/runs/run_counts.ts";
import { deleteDeliveriesFinishedBefore } from "../../store/notifications/notification_deliveries.ts";
import { deleteSkippedBefore } from "../../store/tasks/due_tasks.ts";
import type { ServiceContext } from "../context.ts";

const DAY = 24 * 3_600_000;
/** How long it can be seen what was sent, and what was given up. */
const DELIVERIES_KEPT = 7 * DAY;
/** How long skipped due times stay visible. */
const SKIPPED_KEPT = 30 * DAY;

/** Merges the output of runs that are over. Returns how many; call again until it is 0. */
export async function compactEndedRuns(services: ServiceContext): Promise<number> {
  return await transaction(services.database, async (sql) => {
    const ids = await runsToCompact(sql, 10);
    for (const id of ids) await compactOutput(sql, id);
    return ids.length;
  });
}

/** Deletes entries of the audit log that are older. 0: none. */
export async function deleteOldAuditEntries(services: ServiceContext, days: number): Promise<void> {
  if (days === 0) return;
  await deleteAuditEntriesBefore(services.database, new Date(services.clock.now().getTime() - days * DAY));
}

/**
 * Deletes replayable answers, agent requests and unused enrolment tokens a day after their use is over, and a
 * week after their end notifications that were sent or given up.
 */
export async function deleteExpiredRows(services: ServiceContext): Promise<void> {
  const before = new Date(services.clock.now().getTime() - DAY);
  await deleteIdempotencyKeysBefore(services.database, before);
  await deleteOldAgentRequests(services.database, before);
  await deleteEnrolmentTokensExpiredBefore(services.database, before);
  const deliveriesBefore = new Date(services.clock.now().getTime() - DELIVERIES_KEPT);
  await deleteDeliveriesFinishedBefore(services.database, deliveriesBefore);
  await deleteAlertsClosedBefore(services.database, deliveriesBefore);
  await deleteSkippedBefore(services.database, new Date(services.clock.now().getTime() - SKIPPED_KEPT));
  await addUpRunCounts(services.database);
}
