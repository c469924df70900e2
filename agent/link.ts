/**
 * The agent's only websocket to the control plane. Reconnects by itself. Then sends the list of runs in the
 * journal, and repeats the events and requests that were not answered. Runs continue while the connection is
 * lost.
 */
import { tlsReason } from "../src/domain/tls_fault.ts";
import { logger } from "../src/telemetry/logging.ts";
import type { Clock } from "../src/domain/clock.ts";
import { decodeServerMessage, encode, ProtocolError } from "../src/protocol/codec.ts";
import {
  type AgentDescription,
  type AgentMessage,
  instructionOf,
  type ServerMessage,
} from "../src/protocol/wire_messages.ts";
import { PROTOCOL_MIN, PROTOCOL_VERSION } from "../src/protocol/version.ts";
import { Backoff } from "./backoff.ts";
import { type StorageRequest, StorageRequests, type StorageResponse } from "./rpc/storage_requests.ts";
import { EventSender } from "./event_sender.ts";
import { httpProxyOf, ProxyTunnel } from "./proxy_tunnel.ts";
import type { Journal } from "./journal.ts";

/**
 * Limits of the wait before connecting again, in milliseconds. The first wait is at most `RETRY_FIRST`. This
 * maximum doubles with each further wait, up to `RETRY_LAST`.
 */
const RETRY_FIRST = 500;
const RETRY_LAST = 30_000;
/**
 * Additional wait in milliseconds after the control plane refused the agent. The wait is long, because an
 * operator must resolve a refusal.
 */
const REFUSED_WAIT = 30_000;
/**
 * The control plane's welcome must arrive within this time after the websocket was opened, in milliseconds.
 */
const WELCOME_TIMEOUT = 15_000;

export interface LinkHandlers {
  start(message: Extract<ServerMessage, { type: "run.start" }>): void;
  cancel(runId: number, attempt: number, reason: string): void;
  /**
   * Called when the control plane does not know a run or no longer needs the run. Stops the run and removes
   * its journal.
   */
  forget(runId: number, attempt: number): void;
  request(message: Extract<ServerMessage, { type: "request" }>): void;
}

export interface LinkOptions {
  /** The control plane's URL, `http(s)://…`. */
  url: string;
  key: string;
  clock: Clock;
  journal: Journal;
  describe(): AgentDescription;
  /** Identifies this agent process; see `hello` in the protocol. */
  seat?: string;
  handlers: LinkHandlers;
}

type Ended = { welcomed: boolean; refused: boolean };

export class Link {
  readonly #options: LinkOptions;
  readonly #calls: StorageRequests;
  readonly #events: EventSender;
  #socket: WebSocket | null = null;
  #welcomed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#calls = new StorageRequests((message) => this.send(message));
    this.#events = new EventSender(options.journal, (message) => this.send(message));
  }

  /** Connects, and reconnects after a loss, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const backoff = new Backoff(RETRY_FIRST, RETRY_LAST);
    while (!signal.aborted) {
      const ended = await this.#connect(signal);
      if (signal.aborted) return;
      if (ended.welcomed) backoff.reset();
      else if (!ended.refused) await this.#explain();
      const wait = backoff.next() + (ended.refused ? REFUSED_WAIT : 0);
      log().debug("Connecting again in {seconds} s", { seconds: (wait / 1000).toFixed(1) });
      await clock.sleep(wait, signal).catch(() => {});
    }
  }

  /**
   * Sends a message and returns true. Returns false if the control plane has not welcomed the websocket, or
   * if the websocket is not open. The caller must then send the message again after the next welcome.
   */
  send(message: AgentMessage): boolean {
    if (!this.#welcomed || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encode(message));
    return true;
  }

  /** Number of bytes that wait in the websocket's buffer. */
  get buffered(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Sends the journal's events, as many as the limits allow. */
  pump(): void {
    if (this.#welcomed) this.#events.pump(this.buffered);
  }

  /**
   * Sends a request and returns its response. After a reconnect, sends the request again. Rejects with the
   * signal's reason if the signal aborts.
   */
  request(message: StorageRequest, signal: AbortSignal): Promise<StorageResponse> {
    return this.#calls.request(message, signal);
  }

  /** Resolves once every event is acknowledged, or when the signal aborts. */
  drained(signal: AbortSignal): Promise<void> {
    return this.#events.drained(signal);
  }

  async #connect(signal: AbortSignal): Promise<Ended> {
    const { key } = this.#options;
    const url = new URL(this.#options.url);
    const proxy = httpProxyOf(url, (name) => Deno.env.get(name));
    using tunnel = proxy === null ? null : new ProxyTunnel(proxy, `${url.hostname}:${url.port || 80}`);
    const base = `${tunnel?.address ?? url.host}${url.pathname.replace(/\/+$/, "")}`;
    const address = `${url.protocol.replace("http", "ws")}//${base}/api/agent/connect`;
    const headers = { authorization: `Bearer ${key}`, ...tunnel === null ? {} : { host: url.host } };
    const ended = await this.#serve(new WebSocket(address, { headers }), signal);
    if (tunnel?.refusal) {
      log().warn("Cannot connect to the control plane: {reason}", { reason: tunnel.refusal });
    }
    return ended;
  }

  #serve(socket: WebSocket, signal: AbortSignal): Promise<Ended> {
    this.#socket = socket;
    const ended: Ended = { welcomed: false, refused: false };
    const over = new AbortController();
    let heardAt = this.#options.clock.monotonic();
    let limit = WELCOME_TIMEOUT;
    const watch = this.#watch(() => limit - (this.#options.clock.monotonic() - heardAt), over.signal, () => {
      log().warn("Closed the connection: it was silent for too long");
      closeQuietly(socket);
      // A dead peer does not answer the close frame. The close event would then never fire.
      over.signal.dispatchEvent(new Event("expired"));
    });
    const abort = () => closeQuietly(socket);
    signal.addEventListener("abort", abort, { once: true });
    return new Promise<Ended>((resolve) => {
      socket.onopen = () => this.#hello(socket);
      socket.onmessage = ({ data }) => {
        heardAt = this.#options.clock.monotonic();
        const message = this.#decode(socket, data);
        if (message === null) return;
        if (message.type === "welcome") {
          ended.welcomed = true;
          limit = 3 * message.heartbeat_ms;
        }
        if (message.type === "refused") ended.refused = true;
        if (message.type === "ping") return pong(socket);
        this.#handle(message);
      };
      const end = async () => {
        socket.onclose = socket.onerror = null;
        this.#welcomed = false;
        this.#socket = null;
        signal.removeEventListener("abort", abort);
        over.abort();
        await watch;
        if (ended.welcomed) log().info("The connection to the control plane ended");
        resolve(ended);
      };
      over.signal.addEventListener("expired", () => void end(), { once: true });
      socket.onclose = () => void end();
      socket.onerror = () => void end();
    });
  }

  /** Calls `expired` when no time is left. `left` returns the remaining time in milliseconds. */
  async #watch(left: () => number, signal: AbortSignal, expired: () => void): Promise<void> {
    while (!signal.aborted) {
      const wait = left();
      if (wait <= 0) return expired();
      await this.#options.clock.sleep(wait, signal).catch(() => {});
    }
  }

  #hello(socket: WebSocket): void {
    const { describe, journal, seat } = this.#options;
    const hello: AgentMessage = {
      type: "hello",
      protocol: { min: PROTOCOL_MIN, max: PROTOCOL_VERSION },
      agent: describe(),
      ...(seat === undefined ? {} : { seat }),
      runs: journal.all().map((run) => ({
        run_id: run.runId,
        attempt: run.attempt,
        finished: run.finished,
        last_sequence: run.lastSequence,
      })),
    };
    socket.send(encode(hello));
  }

  #decode(socket: WebSocket, data: unknown): ServerMessage | null {
    try {
      const decoded = decodeServerMessage(data);
      if (decoded.known) return decoded.message;
      log().debug("Ignored a message of unknown type {type}", { type: decoded.type });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log().error("Closed the connection: {reason}", { reason: error.message });
      closeQuietly(socket);
    }
    return null;
  }

  #handle(message: ServerMessage): void {
    const { handlers, journal } = this.#options;
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "refused":
        return log().error("The control plane refused the agent: {reason}", { reason: message.message });
      case "ack":
        journal.acknowledge(message.run_id, message.attempt, message.sequence);
        return this.#events.acknowledged(this.buffered);
      case "run.start":
        return handlers.start(message);
      case "run.cancel":
        return handlers.cancel(message.run_id, message.attempt, message.reason);
      case "request":
        return handlers.request(message);
      default:
        return this.#calls.answer(message);
    }
  }

  #welcome(message: Extract<ServerMessage, { type: "welcome" }>): void {
    const { handlers, journal } = this.#options;
    this.#welcomed = true;
    log().info("Connected to {url} as {label} (server {id})", {
      url: this.#options.url,
      label: message.remote_server.label,
      id: message.remote_server.id,
    });
    for (const run of message.runs) {
      const { run_id, attempt, acknowledged } = run;
      const instruction = instructionOf(run);
      journal.acknowledge(run_id, attempt, acknowledged);
      if (instruction === "forget") handlers.forget(run_id, attempt);
      if (instruction === "cancel") {
        handlers.cancel(run_id, attempt, "The control plane no longer waits for this run.");
      }
    }
    this.#events.restart(this.buffered);
    this.#calls.resend();
  }

  /**
   * Logs why a connection failed. WebSocket errors carry no cause, so a plain GET of the URL is made to find
   * the cause.
   */
  async #explain(): Promise<void> {
    const { key, url } = this.#options;
    try {
      const response = await fetch(`${url.replace(/\/+$/, "")}/api/agent/connect`, {
        headers: { authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
      if (response.status === 401) {
        log().error(
          "The control plane does not know this agent's key: it was revoked. Enrol it with a new token.",
        );
      } else {
        log().warn("Cannot connect to {url}: it responds with {status}", { url, status: response.status });
      }
    } catch (error) {
      log().warn("Cannot reach the control plane at {url}: {reason}", {
        url,
        reason: tlsReason(error) ?? (error as Error).message,
      });
    }
  }
}

/**
 * Answers a ping on the websocket that the ping came through, to prove to the control plane that this
 * websocket works.
 */
function pong(socket: WebSocket): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(encode({ type: "pong" }));
}

function closeQuietly(socket: WebSocket): void {
  if (socket.readyState <= WebSocket.OPEN) socket.close();
}

const log = () => logger("agent");
