/** Due tasks → runs. */
import type { Services } from "../services/context.ts";
import { fireDueTasks, nextDueTime } from "../services/schedules.ts";
import { Loop } from "./loop.ts";

export class Scheduler {
  readonly #services: Services;
  readonly #loop: Loop;
  #unsubscribe = () => {};

  constructor(services: Services) {
    this.#services = services;
    this.#loop = new Loop({
      name: "scheduler",
      clock: services.clock,
      pollMs: 30_000,
      work: async () => {
        while (await fireDueTasks(services) > 0);
        return await nextDueTime(services);
      },
    });
  }

  start(): void {
    this.#unsubscribe = this.#services.bus.subscribe(({ topic }) => {
      if (topic === "schedule_changed" || topic === "reconnected") this.#loop.wake();
    });
    this.#loop.start();
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    return this.#loop.stop();
  }
}
