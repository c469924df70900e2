/** Marked backups and leftovers → gone from their destinations. */
import type { Services } from "../services/context.ts";
import { nextRemoval, removeDue } from "../services/removals.ts";
import { Loop } from "./loop.ts";

export class Remover {
  readonly #services: Services;
  readonly #loop: Loop;
  #unsubscribe = () => {};

  constructor(services: Services) {
    this.#services = services;
    this.#loop = new Loop({
      name: "remover",
      clock: services.clock,
      pollMs: 60_000,
      work: async () => {
        while (await removeDue(services) > 0);
        return await nextRemoval(services);
      },
    });
  }

  start(): void {
    this.#unsubscribe = this.#services.bus.subscribe(({ topic }) => {
      if (topic === "removal_due" || topic === "reconnected") this.#loop.wake();
    });
    this.#loop.start();
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    return this.#loop.stop();
  }
}
