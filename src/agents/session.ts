/** One agent's socket: from its hello to its end. */
import { logger } from "../telemetry/logging.ts";
import { decodeAgentMessage, encode, ProtocolError } from "../protocol/codec.ts";
import type { AgentMessage, RunEventMessage, ServerMessage } from "../protocol/messages.ts";
import { negotiate, PROTOCOL_MIN, PROTOCOL_VERSION } from "../protocol/version.ts";
import { type AgentAnswer, answerRequest } from "../services/agent_requests.ts";
import type { Origin } from "../services/audit_log.ts";
import { connectAgent, type Connection, noteRefusedAgent } from "../services/connections.ts";
import type { Services } from "../services/context.ts";
import type { Greetings } from "./greetings.ts";
import { isPassing } from "./outage.ts";
import { answerStorageQuestion, type StorageQuestion } from "./storage_answers.ts";

/** Close codes, also in docs/protocol.md. */
export const CLOSE = {
  going: 1001,
  protocol: 4400,
  refused: 4403,
  silent: 4408,
  replaced: 4409,
  flood: 4429,
} as const;

/** Events that one agent may have under way: far above the window that agents keep to. */
const MAX_UNSTORED = 10_000;
/** Characters of events that wait for the database: more than eight runs have in their windows at the very most. */
const MAX_UNSTORED_CHARACTERS = 160 * 1024 * 1024;
/** Answers that wait for the database. */
const MAX_ANSWERS = 256;
/** Between two tries to store one while the database is away: at first, and at most. Milliseconds. */
const RETRY_FIRST = 100;
const RETRY_LAST = 5_000;
/** Questions about uploads and downloads under way at once. */
const MAX_QUESTIONS = 64;
/** Bytes that a slow agent lets pile up here before its socket ends. */
const MAX_BUFFERED = 8 * 1024 * 1024;

export interface SessionOwner {
  heartbeatMs: number;
  greetings: Greetings;
  /** The session has been welcomed. */
  ready(session: Session): void;
  closed(session: Session): void;
  /** @param characters Of its frame. */
  event(session: Session, message: RunEventMessage, characters: number): void;
  /** Runs `work` apart from the request that opened the socket: what is said over it is not of that request. */
  outside(work: () => void): void;
}

export class Session {
  readonly connection: Connection;
  /** When it was last heard of, on the monotonic clock. */
  heardAt: number;
  /** It may stand in the database. */
  entered = false;
  readonly #services: Services;
  readonly #socket: WebSocket;
  readonly #owner: SessionOwner;
  readonly #label: string;
  readonly #origin: Origin;
  #state: "greeting" | "ready" | "closed" = "greeting";
  readonly #over = new AbortController();
  #unstored = 0;
  #unstoredCharacters = 0;
  #answers = 0;
  #questions = 0;

  constructor(
    services: Services,
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

  /** Lost when the socket is closing: what it carries is told again to the next one. */
  send(message: ServerMessage): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED) {
      this.close(CLOSE.flood, "The agent does not read what it is sent");
      return;
    }
    this.#socket.send(encode(message));
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, closeReason(reason));
    this.#end();
  }

  /** Tells why, then closes. */
  refuse(code: "protocol" | "revoked" | "replaced", message: string): void {
    this.send({ type: "refused", code, message });
    noteRefusedAgent(this.#services, this.connection, message, this.#origin).catch((error) => {
      this.#log.error("Cannot enter a refused agent into the audit log: {error}", { error });
    });
    this.close(code === "replaced" ? CLOSE.replaced : CLOSE.refused, message);
  }

  /** An event of it, of so many characters, was stored. */
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
      // What was decoded is text.
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
    if (this.#state !== "ready") throw new ProtocolError(`Cannot take ${message.type} before hello`);
    switch (message.type) {
      case "run.event":
        this.#unstored++;
        this.#unstoredCharacters += characters;
        if (this.#unstored > MAX_UNSTORED || this.#unstoredCharacters > MAX_UNSTORED_CHARACTERS) {
          return this.close(CLOSE.flood, "Too many events under way");
        }
        return this.#owner.event(this, message, characters);
      case "response":
        return this.#answered(message);
      case "pong":
        return;
      default:
        return void this.#answer(message);
    }
  }

  #greet(hello: Extract<AgentMessage, { type: "hello" }>): void {
    if (this.#state !== "greeting") throw new ProtocolError("Cannot take a second hello");
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
      this.#log.error("Cannot enter the agent's connection: {error}", { error });
      this.close(1013, "Try again later");
    });
  }

  async #connect(protocol: number, hello: Extract<AgentMessage, { type: "hello" }>): Promise<void> {
    const isHere = () => this.#state !== "closed";
    const greeting = { protocol, description: hello.agent, runs: hello.runs };
    const runs = await this.#owner.greetings.enter(isHere, () => {
      this.entered = true;
      return connectAgent(this.#services, this.connection, greeting, this.#origin);
    });
    if (runs === null || !isHere()) return;
    this.#state = "ready";
    this.send({
      type: "welcome",
      protocol,
      server_time: this.#services.clock.now().toISOString(),
      heartbeat_ms: this.#owner.heartbeatMs,
      remote_server: { id: this.remoteServerId, label: this.#label },
      runs,
    });
    this.#owner.ready(this);
  }

  #answered(message: Extract<AgentMessage, { type: "response" }>): void {
    const answer = message.ok ? { ok: true as const, result: message.result } : {
      ok: false as const,
      error: message.error ?? "The agent gave no reason.",
      ...(message.damage === undefined ? {} : { damage: message.damage }),
    };
    if (++this.#answers > MAX_ANSWERS) return this.close(CLOSE.flood, "Too many answers under way");
    this.#store(message.request_id, answer).catch((error) => {
      // The asker's deadline ends its wait.
      this.#log.error("Cannot store an agent's answer: {error}", { error });
    }).finally(() => this.#answers--);
  }

  /** Tries until the database is back: an agent answers once. A socket that ends has its questions asked again. */
  async #store(requestId: string, answer: AgentAnswer): Promise<void> {
    for (let wait = RETRY_FIRST; !this.#over.signal.aborted; wait = Math.min(2 * wait, RETRY_LAST)) {
      try {
        return await answerRequest(this.#services, this.remoteServerId, requestId, answer);
      } catch (error) {
        if (!isPassing(error)) throw error;
        await this.#services.clock.sleep(wait, this.#over.signal).catch(() => {});
      }
    }
  }

  async #answer(message: StorageQuestion): Promise<void> {
    if (++this.#questions > MAX_QUESTIONS) return this.close(CLOSE.flood, "Too many questions under way");
    this.send(await answerStorageQuestion(this.#services, this.remoteServerId, message));
    this.#questions--;
  }

  get #log() {
    return logger("agents").with({ remote_server_id: this.remoteServerId });
  }
}

/** A websocket takes 123 bytes of reason, and throws where there are more. */
function closeReason(text: string): string {
  const bytes = new Uint8Array(123);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return new TextDecoder().decode(bytes.subarray(0, written));
}
