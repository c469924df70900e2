/** Queues runs of due tasks, and due verifications and drills of backups. */
import type { ServiceContext } from "../services/context.ts";
import { fireDueTasks, nextDueTime, replanSchedules } from "../services/tasks/schedules.ts";
import { queueDueDrills } from "../services/backups/drills.ts";
import { queueDueVerifications } from "../services/backups/verifications.ts";
import { Loop } from "./loop.ts";

export class Scheduler {
  readonly #services: ServiceContext;
  readonly #loop: Loop;
  readonly #checks: Loop;
  #unsubscribe = () => {};

  constructor(services: ServiceContext) {
    this.#services = services;
    this.#loop = new Loop({
      name: "scheduler",
      ...services,
      pollMs: 30_000,
      work: async (beat) => {
        while (await fireDueTasks(services) > 0) beat();
        await replanSchedules(services);
        return await nextDueTime(services);
      },
    });
    this.#checks = new Loop({
      name: "verification-scheduler",
      ...services,
      pollMs: 60_000,
      work: async (beat) => {
        // Drills come first because they are rare. If verifications came first, a server with many backups to
        // verify would never get to its drills.
        await queueDueDrills(services);
        beat();
        await queueDueVerifications(services);
        return null;
      },
    });
  }

  start(): void {
    this.#unsubscribe = this.#services.bus.subscribe(({ topic }) => {
      if (topic === "schedule_changed" || topic === "reconnected") this.#loop.wake();
    });
    this.#loop.start();
    this.#checks.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#loop.stop(), this.#checks.stop()]);
  }
}
