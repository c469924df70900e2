/** What the control plane asks of the agent beside runs, answered once each. */
import { logger } from "../src/telemetry/logging.ts";
import type { Clock } from "../src/domain/clock.ts";
import type { AgentMessage, AgentRequest, ServerMessage } from "../src/protocol/messages.ts";
import { browseBackup } from "./engine/browse.ts";
import { checkDestination, removeFromDestination } from "./engine/destinations/registry.ts";
import { RunFailedError } from "./engine/ports.ts";

/** At the same time; the control plane asks the rest again when these are answered or late. */
const MAX_REQUESTS = 16;

export class Requests {
  #count = 0;

  constructor(private readonly clock: Clock, private readonly send: (message: AgentMessage) => boolean) {}

  async take(
    { request, request_id, timeout_ms }: Extract<ServerMessage, { type: "request" }>,
  ): Promise<void> {
    if (this.#count >= MAX_REQUESTS) {
      this.send({
        type: "response",
        request_id,
        ok: false,
        error: "The agent has too many requests at work.",
      });
      return;
    }
    this.#count++;
    const over = new AbortController();
    const timeout = new RunFailedError(`It took longer than ${timeout_ms / 1000} s`);
    this.clock.sleep(timeout_ms, over.signal).then(() => over.abort(timeout), () => {});
    try {
      const result = await this.#carryOut(request, over.signal);
      this.send({ type: "response", request_id, ok: true, result });
    } catch (error) {
      if (!(error instanceof RunFailedError)) log().error("Cannot answer a request: {error}", { error });
      this.send({ type: "response", request_id, ok: false, error: (error as Error).message.slice(0, 4096) });
    } finally {
      over.abort();
      this.#count--;
    }
  }

  async #carryOut(request: AgentRequest, signal: AbortSignal): Promise<unknown> {
    switch (request.kind) {
      case "destination.check": {
        const steps = await checkDestination(request.destination, this.clock, signal);
        return { ok: steps.every((step) => step.ok), steps };
      }
      case "destination.delete":
        return await removeFromDestination(request.destination, request.names, this.clock, signal);
      case "backup.browse":
        return await browseBackup(request, this.clock, signal);
    }
  }
}

const log = () => logger("agent");
