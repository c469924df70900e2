/**
 * Collects events of all agents and stores them in batches. Events that arrive while a batch is stored form
 * the next batch. So batches grow with the load, and a single event does not wait.
 */
import { runEvents, runOutput } from "../telemetry/process_metrics.ts";
import { logger } from "../telemetry/logging.ts";
import type { ServiceContext } from "../services/context.ts";
import { type Acknowledgement, recordEvents, type ReportedEvent } from "../services/runs/run_events.ts";
import { isTransientDatabaseError } from "./database_errors.ts";

/** Maximum number of events in one transaction. */
const BATCH = 2000;
const RETRY_FIRST = 100;
const RETRY_LAST = 5_000;

/**
 * An event with its callbacks. `stored` is called once the event no longer occupies memory here; `refused` is
 * called if the event can never be stored.
 */
export type IncomingEvent = ReportedEvent & { stored(): void; refused(): void };

export class EventIngest {
  readonly #services: ServiceContext;
  readonly #acknowledge: (acknowledgement: Acknowledgement) => void;
  readonly #closed = new AbortController();
  #waiting: IncomingEvent[] = [];
  #working: Promise<void> | null = null;

  /** @param acknowledge Called for each attempt once its events are committed. */
  constructor(services: ServiceContext, acknowledge: (acknowledgement: Acknowledgement) => void) {
    this.#services = services;
    this.#acknowledge = acknowledge;
  }

  push(event: IncomingEvent): void {
    this.#waiting.push(event);
    this.#working ??= this.#drain();
  }

  /**
   * Tries once more to store the waiting events. An event that is not stored stays with its agent. The agent
   * sends it to the next replica that it connects to.
   */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#working;
  }

  async #drain(): Promise<void> {
    // Wait for one turn of the event loop, so that frames that arrive together are stored together.
    await new Promise((resolve) => setTimeout(resolve, 0));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      if (!(await this.#store(batch))) break;
      for (const event of batch) event.stored();
    }
    this.#working = null;
  }

  /**
   * Stores a batch and acknowledges its events. Returns true if the events are stored; false if ingestion was
   * closed.
   *
   * Retries while the database is unavailable. Few events can wait in memory meanwhile: an agent sends only a
   * limited number of events before it gets their acknowledgements.
   */
  async #store(batch: IncomingEvent[]): Promise<boolean> {
    let wait = RETRY_FIRST;
    while (true) {
      try {
        for (const done of await recordEvents(this.#services, batch)) this.#acknowledge(done);
        count(batch);
        return true;
      } catch (error) {
        if (this.#closed.signal.aborted) return false;
        if (!isTransientDatabaseError(error)) return await this.#isolate(batch, error);
        log().error("Cannot store {count} events of runs: {error}. It will be retried.", {
          count: batch.length,
          run_ids: runIdsOf(batch),
          error,
        });
        await this.#services.clock.sleep(wait, this.#closed.signal).catch(() => {});
        wait = Math.min(wait * 2, RETRY_LAST);
      }
    }
  }

  /**
   * Stores the events of each agent separately. If an event can never be stored, this affects only its own
   * agent. Returns false if ingestion was closed.
   */
  async #isolate(batch: IncomingEvent[], error: unknown): Promise<boolean> {
    const byServer = Map.groupBy(batch, (event) => event.remoteServerId);
    if (byServer.size === 1) {
      log().error("Cannot store an agent's events: {error}. Its socket is closed.", {
        remote_server_id: batch[0]!.remoteServerId,
        run_ids: runIdsOf(batch),
        error,
      });
      batch[0]!.refused();
      return true;
    }
    for (const events of byServer.values()) {
      if (!(await this.#store(events))) return false;
    }
    return true;
  }
}

function count(batch: readonly IncomingEvent[]): void {
  runEvents.inc(batch.length);
  for (const { message: { event } } of batch) if (event.kind === "output") runOutput.inc(event.text.length);
}

function runIdsOf(batch: readonly IncomingEvent[]): number[] {
  return [...new Set(batch.map(({ message }) => message.run_id))];
}

const log = () => logger("agents");
