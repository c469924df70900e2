/** The control plane's side of one agent's websocket, from hello to close. */
import { logger } from "../telemetry/logging.ts";
import { decodeAgentMessage, encode, ProtocolError } from "../protocol/codec.ts";
import type { AgentMessage, RunEventMessage, ServerMessage, WelcomedRun } from "../protocol/wire_messages.ts";
import { negotiate, PROTOCOL_MIN, PROTOCOL_SCRIPTS, PROTOCOL_VERSION } from "../protocol/version.ts";
import { type AgentResponse, recordResponse } from "../services/agent_rpc/agent_requests.ts";
import type { Origin } from "../services/access/audit_log.ts";
import { noteDuplicateAgent } from "../services/servers/agent_incumbents.ts";
import { type Connection, noteRefusedAgent, type RunInstruction } from "../services/servers/connections.ts";
import type { ServiceContext } from "../services/context.ts";
import type { Admission } from "./admission.ts";
import { isTransientDatabaseError } from "./database_errors.ts";
import { handleStorageRequest, type StorageRequest } from "./storage_requests.ts";

/** Close codes of websockets, as listed in docs/develop/protocol.md. */
export const CLOSE = {
  going: 1001,
  protocol: 4400,
  refused: 4403,
  silent: 4408,
  replaced: 4409,
  flood: 4429,
} as const;

/**
 * Maximum number of events of one agent that are not stored yet. Agents stop sending long before this limit.
 */
const MAX_UNSTORED = 10_000;
/**
 * Maximum number of characters in the events of one agent that are not stored yet. The agent has a limit of
 * its own for the unacknowledged events of each run. If eight runs reach the agent's limit, their events
 * together are still below this maximum.
 */
const MAX_UNSTORED_CHARACTERS = 160 * 1024 * 1024;
/** Maximum number of responses that wait for the database. */
const MAX_RESPONSES = 256;
/**
 * Delay between two attempts to store a response, in milliseconds. It doubles from the first value up to the
 * second.
 */
const RETRY_FIRST = 100;
const RETRY_LAST = 5_000;
/** Maximum number of concurrent requests about uploads and downloads. */
const MAX_STORAGE_REQUESTS = 64;
/** Maximum number of unsent bytes to a slow agent. Beyond this limit, the websocket is closed. */
const MAX_BUFFERED = 8 * 1024 * 1024;

export interface SessionOwner {
  heartbeatMs: number;
  admission: Admission;
  /** Called when `welcome` is sent to the agent. */
  ready(session: Session): void;
  closed(session: Session): void;
  /**
   * Called with each event of a run.
   *
   * @param characters The length of the event's frame.
   */
  event(session: Session, message: RunEventMessage, characters: number): void;
  /**
   * Runs `work` outside the context of the request that opened the websocket, so that logs and spans do not
   * belong to that request.
   */
  outside(work: () => void): void;
}

export class Session {
  readonly connection: Connection;
  /** Time of the last message, in milliseconds of the monotonic clock. */
  heardAt: number;
  /** False until the control plane starts to record the connection in the database. */
  entered = false;
  readonly #services: ServiceContext;
  readonly #socket: WebSocket;
  readonly #owner: SessionOwner;
  readonly #label: string;
  readonly #origin: Origin;
  #state: "greeting" | "ready" | "closed" = "greeting";
  #protocol = PROTOCOL_MIN;
  readonly #over = new AbortController();
  #unstored = 0;
  #unstoredCharacters = 0;
  #responses = 0;
  #storageRequests = 0;
  #pings = 0;
  #pongs = 0;
  readonly #pongWaiters = new Set<() => void>();

  constructor(
    services: ServiceContext,
    socket: WebSocket,
    owner: SessionOwner,
    { connection, label, origin }: { connection: Connection; label: string; origin: Origin },
  ) {
    this.#services = services;
    this.#socket = socket;
    this.#owner = owner;
    this.#label = label;
    this.#origin = origin;
    this.connection = connection;
    this.heardAt = services.clock.monotonic();
    socket.onmessage = ({ data }) => owner.outside(() => this.#receive(data));
    socket.onclose = () => owner.outside(() => this.#end());
    socket.onerror = () => owner.outside(() => this.#end());
  }

  get remoteServerId(): number {
    return this.connection.remoteServerId;
  }

  /** Whether the agent's protocol has scripts in jobs. */
  get runsScripts(): boolean {
    return this.#protocol >= PROTOCOL_SCRIPTS;
  }

  /**
   * Sends a message. If the websocket is closing, the message is lost; its content is sent again after the
   * agent has reconnected.
   */
  send(message: ServerMessage): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED) {
      this.close(CLOSE.flood, "The agent does not read its messages");
      return;
    }
    this.#socket.send(encode(message));
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, closeReason(reason));
    this.#end();
  }

  ping(): void {
    this.#pings++;
    this.send({ type: "ping" });
  }

  /**
   * Pings the agent and returns whether it answers. Returns false if no pong arrives within `patience`
   * milliseconds or the websocket closes.
   */
  async answersPing(patience: number): Promise<boolean> {
    if (this.#state !== "ready") return false;
    this.ping();
    const awaited = this.#pings;
    const over = new AbortController();
    const limit = this.#services.clock.sleep(patience, AbortSignal.any([over.signal, this.#over.signal]));
    const hasAnswered = () => this.#pongs >= awaited;
    const answered = new Promise<void>((resolve) => {
      const check = () => {
        if (!hasAnswered()) return;
        this.#pongWaiters.delete(check);
        resolve();
      };
      this.#pongWaiters.add(check);
      over.signal.addEventListener("abort", () => this.#pongWaiters.delete(check));
    });
    await Promise.race([answered, limit.catch(() => {})]);
    over.abort();
    return hasAnswered() && this.#isOpen();
  }

  #isOpen(): boolean {
    return this.#state !== "closed";
  }

  /** Sends the reason to the agent and closes the websocket. Adds the refusal to the audit log. */
  refuse(code: "protocol" | "revoked" | "replaced", message: string): void {
    noteRefusedAgent(this.#services, this.connection, message, this.#origin).catch((error) => {
      this.#log.error("Cannot add a refused agent to the audit log: {error}", { error });
    });
    this.#refuse(code, message);
  }

  #refuse(code: "protocol" | "revoked" | "replaced" | "duplicate", message: string): void {
    this.send({ type: "refused", code, message });
    this.close(code === "protocol" || code === "revoked" ? CLOSE.refused : CLOSE.replaced, message);
  }

  /** Records that an event of this session is stored. `characters` is the length of the event. */
  stored(characters: number): void {
    this.#unstored--;
    this.#unstoredCharacters -= characters;
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#over.abort();
    this.#owner.closed(this);
  }

  #receive(data: unknown): void {
    if (this.#state === "closed") return;
    this.heardAt = this.#services.clock.monotonic();
    try {
      const decoded = decodeAgentMessage(data);
      // Only text frames can be decoded, so `data` is a string.
      if (decoded.known) this.#handle(decoded.message, (data as string).length);
      else this.#log.debug("Ignored a message of unknown type {type}", { type: decoded.type });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#log.warn("Closed the agent's socket: {reason}", { reason: error.message });
      this.close(CLOSE.protocol, error.message);
    }
  }

  #handle(message: AgentMessage, characters: number): void {
    if (message.type === "hello") return this.#greet(message);
    if (this.#state !== "ready") throw new ProtocolError(`Cannot handle ${message.type} before hello`);
    switch (message.type) {
      case "run.event":
        this.#unstored++;
        this.#unstoredCharacters += characters;
        if (this.#unstored > MAX_UNSTORED || this.#unstoredCharacters > MAX_UNSTORED_CHARACTERS) {
          return this.close(CLOSE.flood, "Too many unstored events");
        }
        return this.#owner.event(this, message, characters);
      case "response":
        return this.#handleResponse(message);
      case "pong":
        this.#pongs = Math.min(this.#pongs + 1, this.#pings);
        return [...this.#pongWaiters].forEach((check) => check());
      default:
        return void this.#handleStorageRequest(message);
    }
  }

  #greet(hello: Extract<AgentMessage, { type: "hello" }>): void {
    if (this.#state !== "greeting") throw new ProtocolError("Cannot handle a second hello");
    const protocol = negotiate(hello.protocol);
    if (protocol === null) {
      const { min, max } = hello.protocol;
      return this.refuse(
        "protocol",
        `The agent speaks protocol ${min} to ${max}, the control plane ${PROTOCOL_MIN} to ${PROTOCOL_VERSION}. ` +
          "Update the older of the two.",
      );
    }
    this.#connect(protocol, hello).catch((error) => {
      this.#log.error("Cannot record the agent's connection: {error}", { error });
      this.close(1013, "Try again later");
    });
  }

  async #connect(protocol: number, hello: Extract<AgentMessage, { type: "hello" }>): Promise<void> {
    const { agent: description, runs, seat = null } = hello;
    const admitted = await this.#owner.admission.admit({
      connection: this.connection,
      greeting: { protocol, description, runs, seat },
      origin: this.#origin,
      isOpen: () => this.#isOpen(),
      onEntering: () => this.entered = true,
    });
    if (!this.#isOpen() || admitted.is === "gone") return;
    if (admitted.is === "admitted") return this.#welcome(protocol, admitted.runs);
    const { is, message } = admitted;
    this.#log.warn("Refused an agent: {reason}", { reason: message });
    this.#refuse(is === "duplicate" && protocol >= 3 ? "duplicate" : "replaced", message);
    if (is !== "duplicate") return;
    const { hostname } = description;
    await noteDuplicateAgent(this.#services, this.connection, hostname, message, this.#origin);
  }

  #welcome(protocol: number, runs: readonly RunInstruction[]): void {
    this.#protocol = protocol;
    this.#state = "ready";
    this.send({
      type: "welcome",
      protocol,
      server_time: this.#services.clock.now().toISOString(),
      heartbeat_ms: this.#owner.heartbeatMs,
      remote_server: { id: this.remoteServerId, label: this.#label },
      runs: runs.map((run) => welcomedRun(protocol, run)),
    });
    this.#owner.ready(this);
  }

  #handleResponse(message: Extract<AgentMessage, { type: "response" }>): void {
    const response = message.ok ? { ok: true as const, result: message.result } : {
      ok: false as const,
      error: message.error ?? "The agent gave no reason.",
      ...(message.damage === undefined ? {} : { damage: message.damage }),
    };
    if (++this.#responses > MAX_RESPONSES) return this.close(CLOSE.flood, "Too many pending responses");
    this.#storeResponse(message.request_id, response).catch((error) => {
      // The response is lost. The caller that waits for it will time out.
      this.#log.error("Cannot store an agent's response: {error}", { error });
    }).finally(() => this.#responses--);
  }

  /**
   * Stores a response. Retries while the database is unavailable, because the agent does not repeat its
   * response. If the websocket closes before the response is stored, the control plane sends the request
   * again after the agent has reconnected.
   */
  async #storeResponse(requestId: string, response: AgentResponse): Promise<void> {
    for (let wait = RETRY_FIRST; !this.#over.signal.aborted; wait = Math.min(2 * wait, RETRY_LAST)) {
      try {
        return await recordResponse(this.#services, this.remoteServerId, requestId, response);
      } catch (error) {
        if (!isTransientDatabaseError(error)) throw error;
        await this.#services.clock.sleep(wait, this.#over.signal).catch(() => {});
      }
    }
  }

  async #handleStorageRequest(message: StorageRequest): Promise<void> {
    if (++this.#storageRequests > MAX_STORAGE_REQUESTS) {
      return this.close(CLOSE.flood, "Too many pending requests");
    }
    this.send(await handleStorageRequest(this.#services, this.remoteServerId, message));
    this.#storageRequests--;
  }

  get #log() {
    return logger("agents").with({ remote_server_id: this.remoteServerId });
  }
}

/** Returns the beginning of a close reason, of at most 123 bytes. A websocket throws for a longer reason. */
function closeReason(text: string): string {
  const bytes = new Uint8Array(123);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return new TextDecoder().decode(bytes.subarray(0, written));
}

/**
 * Converts the instruction about a run to the agent's protocol version. Before version 4, the field
 * `instruction` was called `verdict`.
 */
function welcomedRun(protocol: number, { instruction, ...run }: RunInstruction): WelcomedRun {
  return protocol < 4 ? { ...run, verdict: instruction } : { ...run, instruction };
}
