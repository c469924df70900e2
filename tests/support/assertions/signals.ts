/** Collects what the database's triggers say about changed records. */
import { type Notification, notify } from "../../../src/store/database/event_bus.ts";
import type { ServiceContext } from "../../../src/services/context.ts";
import { until } from "./until.ts";

type Signal = Extract<Notification, { topic: "records_changed" }>;

/**
 * Collects signals from now on. `taken` waits for the signals of all transactions that are already committed.
 * It then returns the signals since its last call.
 */
export function collectSignals({ bus, database }: ServiceContext): { taken(): Promise<Signal[]> } {
  let signals: Signal[] = [];
  let isReached = false;
  bus.subscribe((notification) => {
    if (notification.topic === "records_changed") signals.push(notification);
    if (notification.topic === "secret_wanted" && notification.of === MARK) isReached = true;
  });
  return {
    async taken() {
      isReached = false;
      // Postgres delivers notifications in the order of the commits. So this notification arrives after those
      // of all transactions that are committed already.
      await notify(database, { topic: "secret_wanted", of: MARK });
      await until(() => isReached);
      const taken = signals;
      signals = [];
      return taken;
    },
  };
}

const MARK = "the end of the signals";
