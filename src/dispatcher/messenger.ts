/** Notifications that are due → told to their streams. */
import type { ServiceContext } from "../services/context.ts";
import { Loop } from "./loop.ts";

/** What delivers them; `src/notify` has it. */
export interface Deliverer {
  /**
   * Starts sending the messages that are due, and calls `ended` after each one. Returns how many were
   * started.
   */
  startDue(ended: () => void): Promise<number>;
  nextDue(): Promise<Date | null>;
  /** Aborts the messages being sent; resolves when none is left. */
  stop(): Promise<void>;
}

export class Messenger {
  readonly #bus: ServiceContext["bus"];
  readonly #deliverer: Deliverer;
  readonly #loop: Loop;
  #unsubscribe = () => {};

  constructor(services: Pick<ServiceContext, "bus" | "clock" | "health">, deliverer: Deliverer) {
    this.#bus = services.bus;
    this.#deliverer = deliverer;
    this.#loop = new Loop({
      name: "messenger",
      ...services,
      pollMs: 30_000,
      work: async (beat) => {
        while (await deliverer.startDue(() => this.#loop.wake()) > 0) beat();
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
  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#deliverer.stop(), this.#loop.stop()]);
  }
}
