/** Notifications that are due → told to their streams. */
import type { Services } from "../services/context.ts";
import { Loop } from "./loop.ts";

/** What delivers them; `src/notify` has it. */
export interface Deliverer {
  deliverDue(): Promise<number>;
  nextDue(): Promise<Date | null>;
  stop(): void;
}

export class Messenger {
  readonly #bus: Services["bus"];
  readonly #deliverer: Deliverer;
  readonly #loop: Loop;
  #unsubscribe = () => {};

  constructor(services: Pick<Services, "bus" | "clock" | "health">, deliverer: Deliverer) {
    this.#bus = services.bus;
    this.#deliverer = deliverer;
    this.#loop = new Loop({
      name: "messenger",
      ...services,
      pollMs: 30_000,
      patienceMs: 5 * 60_000,
      work: async (beat) => {
        while (await deliverer.deliverDue() > 0) beat();
        return await deliverer.nextDue();
      },
    });
  }

  start(): void {
    this.#unsubscribe = this.#bus.subscribe(({ topic }) => {
      if (topic === "notification_due" || topic === "reconnected") this.#loop.wake();
    });
    this.#loop.start();
  }

  /** What is being sent is broken off: a server that does not answer holds up no stop. */
  stop(): Promise<void> {
    this.#unsubscribe();
    this.#deliverer.stop();
    return this.#loop.stop();
  }
}
