/** Corrects times in the database that were written while a control plane's clock was ahead. */
import { DELIVERY_LEASE, RETRY_AFTER_LIMIT } from "../../domain/notifications/notification.ts";
import { resetFutureTimes } from "../../store/installation/times_ahead.ts";
import { logger } from "../../telemetry/logging.ts";
import type { ServiceContext } from "../context.ts";
import { MAX_REMOVAL_DELAY } from "../retention/removals.ts";

/**
 * Corrects deadlines and due times that were stored while a clock was ahead. Without the correction, they
 * would be too far in the future. A run whose agent is silent would block its task for too long. A
 * notification stream would get no messages for too long.
 */
export async function recoverFromClockAhead({ clock, database, runTimes }: ServiceContext): Promise<void> {
  const { acceptance, cancel, grace, lease, start } = runTimes;
  const silence = lease + grace; // the same time as after an outage of all control planes
  const changed = await resetFutureTimes(database, clock.now(), {
    run: {
      queued: start,
      leased: Math.max(acceptance, silence),
      running: silence,
      cancelling: Math.max(cancel, silence),
    },
    lease,
    delivery: RETRY_AFTER_LIMIT,
    deliveryLease: DELIVERY_LEASE,
    removal: MAX_REMOVAL_DELAY,
  });
  if (changed === 0) return;
  logger("services").warn("The database's clock was ahead: {count} times are corrected", {
    count: changed,
  });
}
