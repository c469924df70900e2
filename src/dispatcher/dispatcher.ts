/** Queued runs, cancels and questions → the agents whose sockets this replica holds. */
import { claimDeliveries, type Delivery } from "../services/agent_requests.ts";
import { runsToCancel } from "../services/connections.ts";
import type { Services } from "../services/context.ts";
import { claimHandOvers, type HandOver } from "../services/hand_overs.ts";
import { startSpan, traceparentOf } from "../telemetry/tracing.ts";
import { Loop } from "./loop.ts";
import { RunTraces } from "./run_traces.ts";

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
  readonly #traces = new RunTraces();
  #unsubscribe = () => {};

  constructor(services: Services, link: AgentLink) {
    this.#services = services;
    this.#link = link;
    const loop = (name: string, round: (servers: number[]) => Promise<void>) =>
      new Loop({
        name,
        ...services,
        pollMs: 10_000,
        work: async () => {
          await round(link.connectedServers());
          return null;
        },
      });
    this.#offers = loop("dispatcher", async (servers) => {
      const since = services.clock.now();
      for (const handOver of await claimHandOvers(services, servers)) this.#offer(handOver, since);
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
    this.#unsubscribe = this.#services.bus.subscribe((notification) => {
      const { topic } = notification;
      if (topic === "run_queued" && notification.traceparent !== undefined) {
        this.#traces.note(notification.run_id, notification.traceparent);
      }
      if (topic === "secret_passed") [this.#offers, this.#requests].forEach((loop) => loop.wake());
      if (topic === "run_queued") this.#offers.wake();
      if (topic === "run_cancelling") this.#cancels.wake();
      if (topic === "agent_request") this.#requests.wake();
      if (topic === "reconnected") loops.forEach((loop) => loop.wake());
    });
    loops.forEach((loop) => loop.start());
  }

  #offer(handOver: HandOver, since: Date): void {
    const { attempt, remoteServerId, runId } = handOver;
    const span = startSpan(
      "dispatch run",
      {
        "rearguard.run.id": runId,
        "rearguard.run.attempt": attempt,
        "rearguard.server.id": remoteServerId,
      },
      this.#traces.of(runId),
      since,
    );
    this.#link.offer({ ...handOver, traceparent: traceparentOf(span) });
    span.end();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#offers.stop(), this.#cancels.stop(), this.#requests.stop()]);
  }
}
