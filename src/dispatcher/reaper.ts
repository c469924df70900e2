/** Ends runs past their deadline, and deletes dead replicas and old rows. */
import { DEFAULT_AUDIT_LOG_DAYS } from "../domain/audit.ts";
import type { ServiceContext } from "../services/context.ts";
import type { Beat } from "../services/installation/health.ts";
import { recoverFromClockAhead } from "../services/installation/clock_set_back.ts";
import {
  compactEndedRuns,
  deleteExpiredRows,
  deleteOldAuditEntries,
} from "../services/installation/housekeeping.ts";
import { noteForgottenUploads } from "../services/retention/removals.ts";
import { heartbeatReplica } from "../services/installation/replicas.ts";
import { cancelTimedOutRuns, endOverdueRuns } from "../services/runs/run_deadlines.ts";
import { Loop } from "./loop.ts";

export class Reaper {
  readonly #loops: Loop[];

  constructor(services: ServiceContext, replicaId: string, auditLogDays: number = DEFAULT_AUDIT_LOG_DAYS) {
    const loop = (name: string, pollMs: number, work: (beat: Beat) => Promise<void>) =>
      new Loop({
        name,
        ...services,
        pollMs,
        work: async (beat) => {
          await work(beat);
          return null;
        },
      });
    this.#loops = [
      loop("heartbeat", 10_000, () => heartbeatReplica(services, replicaId)),
      loop("reaper", 5_000, async (beat) => {
        await recoverFromClockAhead(services);
        while (await endOverdueRuns(services) > 0) beat();
        while (await cancelTimedOutRuns(services) > 0) beat();
      }),
      loop("housekeeping", 60_000, async (beat) => {
        while (await compactEndedRuns(services) > 0) beat();
        await noteForgottenUploads(services);
        await deleteExpiredRows(services);
        await deleteOldAuditEntries(services, auditLogDays);
      }),
    ];
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
