/** Sends due messages to their notification streams. */
import type { ServiceContext } from "../services/context.ts";
import { Loop } from "./loop.ts";

/** Sends messages to notification streams. Implemented in `src/notify`. */
export interface Deliverer {
  /**
   * Starts sending the messages that are due. Returns how many were started. Calls `ended` once for each
   * message, when its sending has ended.
   */
  startDue(ended: () => void): Promise<number>;
  nextDue(): Promise<Date | null>;
  /** Aborts the messages that are being sent. Resolves when none is left. */
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

  /**
   * Stops the loop and aborts messages in progress, so that an unresponsive receiver does not delay the stop.
   */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#deliverer.stop(), this.#loop.stop()]);
  }
}
