/** Queued runs, cancels and questions → the agents whose sockets this replica holds. */
import { claimDeliveries, type Delivery } from "../services/agent_requests.ts";
import { runsToCancel } from "../services/connections.ts";
import type { Services } from "../services/context.ts";
import { claimHandOvers, type HandOver } from "../services/hand_overs.ts";
import { Loop } from "./loop.ts";

/** The sockets of this replica. Sending to one that has just closed loses nothing: the row is looked at again. */
export interface AgentLink {
  connectedServers(): number[];
  /** Called when another agent is ready. */
  onConnected(handler: () => void): void;
  offer(handOver: HandOver): void;
  cancel(run: { remoteServerId: number; runId: number; attempt: number; reason: string }): void;
  ask(delivery: Delivery): void;
}

export class Dispatcher {
  readonly #services: Services;
  readonly #link: AgentLink;
  readonly #offers: Loop;
  readonly #cancels: Loop;
  readonly #requests: Loop;
  #unsubscribe = () => {};

  constructor(services: Services, link: AgentLink) {
    this.#services = services;
    this.#link = link;
    const loop = (name: string, round: (servers: number[]) => Promise<void>) =>
      new Loop({
        name,
        clock: services.clock,
        pollMs: 10_000,
        work: async () => {
          await round(link.connectedServers());
          return null;
        },
      });
    this.#offers = loop("dispatcher", async (servers) => {
      for (const handOver of await claimHandOvers(services, servers)) link.offer(handOver);
    });
    this.#cancels = loop("canceller", async (servers) => {
      for (const run of await runsToCancel(services, servers)) link.cancel(run);
    });
    this.#requests = loop("request sender", async (servers) => {
      for (const delivery of await claimDeliveries(services, servers)) link.ask(delivery);
    });
  }

  start(): void {
    const loops = [this.#offers, this.#cancels, this.#requests];
    this.#link.onConnected(() => loops.forEach((loop) => loop.wake()));
    this.#unsubscribe = this.#services.bus.subscribe(({ topic }) => {
      if (topic === "secret_passed") [this.#offers, this.#requests].forEach((loop) => loop.wake());
      if (topic === "run_queued") this.#offers.wake();
      if (topic === "run_cancelling") this.#cancels.wake();
      if (topic === "agent_request") this.#requests.wake();
      if (topic === "reconnected") loops.forEach((loop) => loop.wake());
    });
    loops.forEach((loop) => loop.start());
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#offers.stop(), this.#cancels.stop(), this.#requests.stop()]);
  }
}
