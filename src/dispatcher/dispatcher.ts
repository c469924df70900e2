/** Sends queued runs, cancellations and requests to the agents whose websockets this replica holds. */
import { claimPendingRequests, type OutgoingRequest } from "../services/agent_rpc/agent_requests.ts";
import { runsToCancel } from "../services/servers/connections.ts";
import type { ServiceContext } from "../services/context.ts";
import { type Assignment, claimAssignments } from "../services/runs/dispatch.ts";
import { startSpan, traceparentOf } from "../telemetry/tracing.ts";
import type { Beat } from "../services/installation/health.ts";
import { Loop } from "./loop.ts";
import { RunTraces } from "./run_traces.ts";

/**
 * The websockets of this replica. If a websocket has just closed, its messages are not lost: they are sent
 * again from the database.
 */
export interface AgentLink {
  connectedServers(): number[];
  /** Registers a handler that is called each time an agent has connected. */
  onConnected(handler: (serverId: number) => void): void;
  offer(assignment: Assignment): void;
  cancel(run: { remoteServerId: number; runId: number; attempt: number; reason: string }): void;
  sendRequest(request: OutgoingRequest): void;
}

export class Dispatcher {
  readonly #services: ServiceContext;
  readonly #link: AgentLink;
  readonly #offers: Loop;
  readonly #cancels: Loop;
  readonly #requests: Loop;
  /**
   * Sends what is queued for agents that have just connected. Reads only the rows of these agents, because
   * thousands may connect at once.
   */
  readonly #arrivals: Loop;
  #arrived = new Set<number>();
  readonly #traces = new RunTraces();
  #unsubscribe = () => {};

  constructor(services: ServiceContext, link: AgentLink) {
    this.#services = services;
    this.#link = link;
    const loop = (name: string, work: (beat: Beat) => Promise<void>) =>
      new Loop({
        name,
        ...services,
        pollMs: 10_000,
        work: async (beat) => {
          await work(beat);
          return null;
        },
      });
    const offer = async (servers: number[], beat: Beat) => {
      const since = services.clock.now();
      await claimAssignments(services, servers, (assignment) => {
        this.#offer(assignment, since);
        beat();
      });
    };
    const cancel = async (servers: number[]) => {
      for (const run of await runsToCancel(services, servers)) link.cancel(run);
    };
    const ask = async (servers: number[]) => {
      for (const request of await claimPendingRequests(services, servers)) link.sendRequest(request);
    };
    this.#offers = loop("dispatcher", (beat) => offer(link.connectedServers(), beat));
    this.#cancels = loop("canceller", () => cancel(link.connectedServers()));
    this.#requests = loop("request sender", () => ask(link.connectedServers()));
    this.#arrivals = loop("connect-dispatcher", async (beat) => {
      const servers = [...this.#arrived];
      if (servers.length === 0) return;
      this.#arrived = new Set();
      const ends = await Promise.allSettled([offer, cancel, ask].map((each) => each(servers, beat)));
      for (const end of ends) {
        if (end.status === "fulfilled") continue;
        for (const server of servers) this.#arrived.add(server);
        throw end.reason;
      }
    });
  }

  start(): void {
    const loops = [this.#offers, this.#cancels, this.#requests];
    this.#link.onConnected((serverId) => {
      this.#arrived.add(serverId);
      this.#arrivals.wake();
    });
    this.#unsubscribe = this.#services.bus.subscribe((notification) => {
      const { topic } = notification;
      if (topic === "run_queued" && notification.traceparent !== undefined) {
        this.#traces.remember(notification.run_id, notification.traceparent);
      }
      if (topic === "secret_passed") [this.#offers, this.#requests].forEach((loop) => loop.wake());
      if (topic === "run_queued") this.#offers.wake();
      if (topic === "run_cancelling") this.#cancels.wake();
      if (topic === "agent_request") this.#requests.wake();
      if (topic === "reconnected") loops.forEach((loop) => loop.wake());
    });
    [...loops, this.#arrivals].forEach((loop) => loop.start());
  }

  #offer(assignment: Assignment, since: Date): void {
    const { attempt, remoteServerId, runId } = assignment;
    const span = startSpan(
      "dispatch run",
      {
        "rearguard.run.id": runId,
        "rearguard.run.attempt": attempt,
        "rearguard.server.id": remoteServerId,
      },
      this.#traces.parentOf(runId),
      since,
    );
    this.#link.offer({ ...assignment, traceparent: traceparentOf(span) });
    span.end();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    const loops = [this.#offers, this.#cancels, this.#requests, this.#arrivals];
    await Promise.all(loops.map((loop) => loop.stop()));
  }
}
