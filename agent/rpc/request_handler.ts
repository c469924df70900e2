/** Executes the control plane's requests that belong to no run, and responds to each once. */
import { logger } from "../../src/telemetry/logging.ts";
import type { BackupSend } from "../../src/protocol/browsing.ts";
import type { AgentMessage, AgentRequest, ServerMessage } from "../../src/protocol/wire_messages.ts";
import { browseBackup } from "../engine/jobs/browse.ts";
import { previewRestore } from "../engine/jobs/preview_restore.ts";
import { findFiles } from "../engine/jobs/find_files.ts";
import { browseServer } from "../engine/explore/browse_server.ts";
import { takeInventory } from "../engine/explore/inventory.ts";
import { listDatabases } from "../engine/explore/list_databases.ts";
import type { RequestEnvironment } from "../engine/request_ports.ts";
import { checkDestination, removeFromDestination } from "../engine/destinations/destinations.ts";
import type { GarbageCollection } from "../engine/garbage.ts";
import type { ListingCache } from "../engine/archive/listing_cache.ts";
import { BackupDamagedError, RunFailedError } from "../engine/ports.ts";
import { sendFromBackup, type Transmit } from "../engine/jobs/send.ts";
import { sendStream, type StreamOptions } from "./streams.ts";

/**
 * Maximum number of requests at the same time. The agent refuses further requests, and the control plane
 * retries these.
 */
const MAX_REQUESTS = 16;
/** Maximum number of downloads at the same time. They also count for `MAX_REQUESTS`. */
const MAX_SENDING = 8;

/** The parts of the agent that some requests use. */
export interface RequestWork {
  /** Keeps the listings of large backups between requests. */
  readonly listings?: ListingCache;
  readonly garbage?: GarbageCollection;
  /** Creates an empty directory with mode 0700 for one request. Returns its path. */
  makeWorkDirectory?(): Promise<string>;
}

export class RequestHandler {
  #count = 0;
  #sending = 0;

  constructor(
    private readonly stream: StreamOptions,
    private readonly send: (message: AgentMessage) => boolean,
    private readonly work: RequestWork = {},
  ) {}

  async take(
    { request, request_id, timeout_ms }: Extract<ServerMessage, { type: "request" }>,
  ): Promise<void> {
    if (this.#count >= MAX_REQUESTS) {
      this.send({
        type: "response",
        request_id,
        ok: false,
        error: "The agent is handling too many requests.",
      });
      return;
    }
    this.#count++;
    const over = new AbortController();
    const timeout = new RunFailedError(`It took longer than ${timeout_ms / 1000} s`);
    const late = Promise.withResolvers<never>();
    this.stream.clock.sleep(timeout_ms, over.signal).then(() => {
      over.abort(timeout);
      late.reject(timeout);
    }, () => {});
    try {
      // Respond at the deadline, even if the work goes on, for example because a disk does not answer. After
      // the deadline, the work no longer counts towards `MAX_REQUESTS`.
      const result = await Promise.race([this.#execute(request, over.signal), late.promise]);
      this.send({ type: "response", request_id, ok: true, result });
    } catch (error) {
      if (!(error instanceof RunFailedError)) log().error("Cannot respond to a request: {error}", { error });
      this.send({
        type: "response",
        request_id,
        ok: false,
        error: (error as Error).message.slice(0, 4096),
        ...(error instanceof BackupDamagedError ? { damage: error.damage.slice(0, 4096) } : {}),
      });
    } finally {
      over.abort();
      this.#count--;
      this.work.garbage?.soon();
    }
  }

  async #execute(request: AgentRequest, signal: AbortSignal): Promise<unknown> {
    const { clock } = this.stream;
    switch (request.kind) {
      case "destination.check":
        return await checkDestination(request.destination, clock, signal);
      case "destination.delete":
        return await removeFromDestination(request.destination, request, clock, signal);
      case "backup.browse":
        return await browseBackup(request, clock, signal, this.work.listings);
      case "backup.find":
        return await findFiles(request, clock, signal);
      case "server.browse":
        return await browseServer(request, clock, signal);
      case "server.databases":
        return await this.#withDirectory(signal, (environment) => listDatabases(request, environment));
      case "server.inventory":
        return await this.#withDirectory(signal, (environment) => takeInventory(request, environment));
      case "restore.preview":
        return await this.#withDirectory(signal, (environment) => previewRestore(request, environment));
      case "backup.send":
        return await this.#sendBytes(request, signal);
    }
  }

  /** Does work that needs a private directory, and then removes the directory. */
  async #withDirectory<T>(
    signal: AbortSignal,
    work: (environment: RequestEnvironment) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.stream;
    const workDirectory = await this.work.makeWorkDirectory?.() ??
      await Deno.makeTempDir({ prefix: "rearguard-request-" });
    try {
      return await work({ clock, signal, workDirectory });
    } finally {
      await Deno.remove(workDirectory, { recursive: true });
    }
  }

  /**
   * Sends bytes to a download and returns the outcome. Refuses the download if `MAX_SENDING` downloads are
   * already being sent. A download takes long, so the limit leaves capacity for short requests.
   */
  async #sendBytes(request: BackupSend, signal: AbortSignal): Promise<unknown> {
    if (this.#sending >= MAX_SENDING) {
      throw new RunFailedError(
        `The agent sends ${MAX_SENDING} downloads now. Try again when one has ended.`,
      );
    }
    this.#sending++;
    const release = () => void this.#sending--;
    signal.addEventListener("abort", release, { once: true });
    try {
      const carry: Transmit = (bytes) => sendStream(this.stream, request.stream, bytes, signal);
      return await sendFromBackup(request, carry, this.stream.clock, signal);
    } finally {
      signal.removeEventListener("abort", release);
      if (!signal.aborted) release();
    }
  }
}

const log = () => logger("agent");
