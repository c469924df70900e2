/**
 * Reports late tasks, absent agents, failing removals, and failing notification streams. Reports runs that
 * are stalled, slow or overdue, and tokens and certificates that will expire. Reports newer versions of
 * Rearguard. Cancels runs that have stalled for too long. Sends summaries.
 */
import { watchAdministratorAccess, watchExpiringTokens } from "../services/access/access_watch.ts";
import { watchCertificate } from "../services/access/certificate_watch.ts";
import type { ServiceContext } from "../services/context.ts";
import { watchEndpoints } from "../services/destinations/endpoint_watch.ts";
import { watchUpdates } from "../services/installation/update_watch.ts";
import { renewInventories } from "../services/servers/inventories.ts";
import { sendSummaries } from "../services/notifications/summaries.ts";
import { watchProtection } from "../services/tasks/protection.ts";
import { watchOverdueRuns, watchSlowRuns, watchStalledRuns } from "../services/runs/run_watch.ts";
import {
  watchAgents,
  watchDuplicates,
  watchRemovals,
  watchStreams,
  watchVersions,
} from "../services/runs/standing_watch.ts";
import { Loop } from "./loop.ts";

export interface WatchedUrls {
  /** The URL at which agents and browsers reach the control plane; null if it is not configured. */
  readonly publicUrl: string | null;
  /** URL of a document that names the newest version of Rearguard; null to not look for new versions. */
  readonly updateUrl: string | null;
}

export class Watcher {
  readonly #loops: Loop[];

  constructor(
    services: ServiceContext,
    { publicUrl, updateUrl }: WatchedUrls = { publicUrl: null, updateUrl: null },
  ) {
    const since = services.clock.now();
    const loop = (name: string, pollMs: number, work: () => Promise<void>) =>
      new Loop({
        name,
        ...services,
        pollMs,
        work: async () => {
          await work();
          return null;
        },
      });
    this.#loops = [
      loop("run watcher", 5_000, async () => {
        await watchStalledRuns(services);
        await watchOverdueRuns(services);
        await watchAgents(services, since);
      }),
      loop("watcher", 60_000, async () => {
        await watchSlowRuns(services);
        await watchRemovals(services);
        await watchStreams(services);
        await watchDuplicates(services);
      }),
      loop("summary sender", 60_000, () => sendSummaries(services)),
      loop("protection watcher", 60_000, () => watchProtection(services)),
      loop("inventory watcher", 60_000, () => renewInventories(services)),
      loop("endpoint watcher", 3_600_000, () => watchEndpoints(services)),
      loop("access watcher", 3_600_000, async () => {
        await watchAdministratorAccess(services);
        await watchExpiringTokens(services);
        await watchCertificate(services, publicUrl);
        await watchVersions(services);
      }),
      loop("update watcher", 3_600_000, () => watchUpdates(services, updateUrl)),
    ];
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
