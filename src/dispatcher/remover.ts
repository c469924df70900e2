/** Removes backups that are marked for removal, and leftovers, from their destinations. */
import type { ServiceContext } from "../services/context.ts";
import { nextRemoval, removeDue } from "../services/retention/removals.ts";
import { emptyTrash } from "../services/retention/trash_removal.ts";
import { Loop } from "./loop.ts";

export class Remover {
  readonly #services: ServiceContext;
  readonly #loop: Loop;
  #unsubscribe = () => {};

  constructor(services: ServiceContext) {
    this.#services = services;
    this.#loop = new Loop({
      name: "remover",
      ...services,
      pollMs: 60_000,
      // Removals from an unresponsive bucket may take this long.
      patienceMs: 15 * 60_000,
      work: async (beat) => {
        while (await removeDue(services) > 0) beat();
        const times = [await emptyTrash(services), await nextRemoval(services)].filter((time) =>
          time !== null
        );
        return times.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null;
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
