/** Due tasks, and backups whose verification or drill is due → runs. */
import type { ServiceContext } from "../services/context.ts";
import { fireDueTasks, nextDueTime, replanSchedules } from "../services/tasks/schedules.ts";
import { queueDueDrills } from "../services/backups/drills.ts";
import { queueDueVerifications } from "../services/backups/verifications.ts";
import { Loop } from "./loop.ts";

/** A clock that is kept right step by step goes back by less between two rounds. Milliseconds. */
const SET_BACK = 1000;

export class Scheduler {
  readonly #services: ServiceContext;
  readonly #loop: Loop;
  readonly #checks: Loop;
  #unsubscribe = () => {};
  /** How far the wall clock was ahead of the monotonic one in the last round; null before the first. Milliseconds. */
  #ahead: number | null = null;

  constructor(services: ServiceContext) {
    this.#services = services;
    this.#loop = new Loop({
      name: "scheduler",
      ...services,
      pollMs: 30_000,
      work: async (beat) => {
        while (await fireDueTasks(services) > 0) beat();
        await this.#followClock();
        return await nextDueTime(services);
      },
    });
    this.#checks = new Loop({
      name: "scheduler of checks",
      ...services,
      pollMs: 60_000,
      work: async (beat) => {
        // Drills are rare: were they second, a server with many backups to verify would never come to them.
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

  /** After a start, and once the clock is found to be set back, what was planned on a clock that was ahead is planned anew. */
  async #followClock(): Promise<void> {
    const { clock } = this.#services;
    const ahead = clock.now().getTime() - clock.monotonic();
    if (this.#ahead === null || ahead < this.#ahead - SET_BACK) await replanSchedules(this.#services);
    this.#ahead = ahead;
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#loop.stop(), this.#checks.stop()]);
  }
}
