/** Holds the websockets of all agents that are connected to this replica. */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { logger } from "../telemetry/logging.ts";
import type { RunEventMessage } from "../protocol/wire_messages.ts";
import type { OutgoingRequest } from "../services/agent_rpc/agent_requests.ts";
import { NO_ORIGIN, type Origin } from "../services/access/audit_log.ts";
import { disconnectAgent, disconnectReplica, renewAgentLeases } from "../services/servers/connections.ts";
import type { ServiceContext } from "../services/context.ts";
import { authenticateAgent } from "../services/servers/enrolment.ts";
import type { Assignment } from "../services/runs/dispatch.ts";
import { Admission } from "./admission.ts";
import { EventIngest } from "./event_ingest.ts";
import { CLOSE, Session, type SessionOwner } from "./session.ts";

export interface HubOptions {
  replicaId: string;
  /** Interval of pings, in milliseconds. A websocket that is silent for three times as long is closed. */
  heartbeatMs?: number;
}

/**
 * Maximum number of websockets of one server that have not sent `hello`. A correct agent opens only one at a
 * time.
 */
const MAX_GREETING = 8;

/** Refusal code and message for closing a connection whose agent has connected again. */
const REPLACED = ["replaced", "The agent has connected again."] as const;

export class Hub implements SessionOwner {
  readonly heartbeatMs: number;
  readonly admission: Admission;
  readonly outside: (work: () => void) => void = AsyncLocalStorage.snapshot();
  readonly #services: ServiceContext;
  readonly #replicaId: string;
  readonly #ingest: EventIngest;
  readonly #open = new Set<Session>();
  /** Sessions to which `welcome` was not sent yet, by the id of the server. */
  readonly #greeting = new Map<number, Set<Session>>();
  /** For each server, the newest of its sessions to which `welcome` was sent. The key is the server's id. */
  readonly #ready = new Map<number, Session>();
  readonly #keys = new WeakMap<Session, string>();
  readonly #handlers: ((serverId: number) => void)[] = [];
  readonly #closing = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  readonly #beating: Promise<void>;
  readonly #unsubscribe: () => void;

  constructor(services: ServiceContext, options: HubOptions) {
    this.#services = services;
    this.#replicaId = options.replicaId;
    this.heartbeatMs = options.heartbeatMs ?? 20_000;
    this.#ingest = new EventIngest(services, ({ remoteServerId, runId, attempt, sequence }) => {
      this.#ready.get(remoteServerId)?.send({ type: "ack", run_id: runId, attempt, sequence });
    });
    this.admission = new Admission(services, this.#replicaId, (id) => this.#sessionOf(id));
    this.#beating = this.#beat();
    this.#unsubscribe = services.bus.subscribe((notification) => {
      if (notification.topic === "agent_revoked") void this.#checkKeys(notification.remote_server_id);
      if (notification.topic === "reconnected") void this.#checkKeys(null);
      if (notification.topic === "agent_probe") {
        const { connection_id, patience_ms, probe } = notification;
        void this.admission.probe(connection_id, probe, patience_ms);
      }
      if (notification.topic === "agent_replaced") {
        this.#sessionOf(notification.connection_id)?.refuse(...REPLACED);
      }
    });
  }

  /**
   * Handles `GET /api/agent/connect`: upgrades the request to a websocket. Responds with status 401 if the
   * agent key is missing or not valid.
   */
  async connect(request: Request, origin: Origin = NO_ORIGIN): Promise<Response> {
    const key = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    const server = key === undefined ? null : await authenticateAgent(this.#services, key);
    if (key === undefined || server === null) {
      return Response.json({ message: "Unauthenticated." }, {
        status: 401,
        headers: { "www-authenticate": "Bearer" },
      });
    }
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return Response.json({ error: "Upgrade Required", message: "This address accepts only websockets." }, {
        status: 426,
        headers: { upgrade: "websocket" },
      });
    }
    if (this.#stopped.signal.aborted) return new Response(null, { status: 503 });
    if ((this.#greeting.get(server.id)?.size ?? 0) >= MAX_GREETING) {
      const message = "Too many connections of this agent have not sent a hello.";
      return Response.json({ error: "Too Many Requests", message }, {
        status: 429,
        headers: { "retry-after": "60" },
      });
    }
    const upgraded = upgrade(request);
    if (upgraded === null) {
      const message = "The websocket handshake is incomplete.";
      return Response.json({ error: "Bad Request", message }, { status: 400 });
    }
    const { socket, response } = upgraded;
    const connection = { id: randomUUID(), replicaId: this.#replicaId, remoteServerId: server.id };
    const session = new Session(this.#services, socket, this, { connection, label: server.label, origin });
    this.#open.add(session);
    this.#greeting.set(server.id, (this.#greeting.get(server.id) ?? new Set()).add(session));
    this.#keys.set(session, key);
    return response;
  }

  // The dispatcher calls these methods.

  connectedServers(): number[] {
    return [...this.#ready.keys()];
  }

  onConnected(handler: (serverId: number) => void): void {
    this.#handlers.push(handler);
  }

  offer({ remoteServerId, runId: run_id, attempt, job, traceparent }: Assignment): void {
    const session = this.#ready.get(remoteServerId);
    // Don't send the run if an agent without support for scripts has connected meanwhile, because that agent
    // would ignore the scripts. The run fails at its next dispatch.
    if (job.kind === "backup" && job.scripts !== undefined && !session?.runsScripts) return;
    session?.send({ type: "run.start", run_id, attempt, job, traceparent });
  }

  cancel(run: { remoteServerId: number; runId: number; attempt: number; reason: string }): void {
    const { runId: run_id, attempt, reason } = run;
    this.#ready.get(run.remoteServerId)?.send({ type: "run.cancel", run_id, attempt, reason });
  }

  sendRequest(
    { remoteServerId, requestId: request_id, timeoutMs: timeout_ms, request }: OutgoingRequest,
  ): void {
    this.#ready.get(remoteServerId)?.send({ type: "request", request_id, timeout_ms, request });
  }

  // Sessions call these methods.

  ready(session: Session): void {
    this.#greeted(session);
    const older = this.#ready.get(session.remoteServerId);
    this.#ready.set(session.remoteServerId, session);
    older?.refuse(...REPLACED);
    for (const handler of this.#handlers) handler(session.remoteServerId);
  }

  closed(session: Session): void {
    this.#open.delete(session);
    this.#greeted(session);
    if (this.#isReady(session)) this.#ready.delete(session.remoteServerId);
    // While the hub stops, `close` records all closed connections together.
    if (!session.entered || this.#stopped.signal.aborted) return;
    const leaving = disconnectAgent(this.#services, session.connection).catch((error) => {
      // Only log the error. The record is corrected later: at the replica's next heartbeat, or when the
      // replica stops.
      logger("agents").warn("Cannot record a closed socket: {error}", { error });
    }).finally(() => this.#closing.delete(leaving));
    this.#closing.add(leaving);
  }

  event(session: Session, message: RunEventMessage, characters: number): void {
    this.#ingest.push({
      remoteServerId: session.remoteServerId,
      message,
      stored: () => session.stored(characters),
      refused: () => session.close(CLOSE.protocol, "An event can't be stored"),
    });
  }

  /** Closes all websockets. Agents continue their runs and connect to another replica. */
  async close(): Promise<void> {
    this.#stopped.abort();
    this.#unsubscribe();
    for (const session of [...this.#open]) session.close(CLOSE.going, "The control plane is stopping");
    await this.#ingest.close();
    await this.#beating;
    await Promise.all(this.#closing);
    await disconnectReplica(this.#services, this.#replicaId).catch((error) => {
      logger("agents").warn("Cannot record the closed sockets: {error}", { error });
    });
  }

  async #beat(): Promise<void> {
    const { clock } = this.#services;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const since = clock.monotonic();
      await clock.sleep(this.heartbeatMs, signal).catch(() => {});
      if (signal.aborted) return;
      const heard: Session[] = [];
      for (const session of [...this.#open]) {
        const silence = clock.monotonic() - session.heardAt;
        if (silence > 3 * this.heartbeatMs) {
          session.close(CLOSE.silent, "The connection was silent for too long");
        } else session.ping();
        if (session.heardAt >= since && this.#isReady(session)) heard.push(session);
      }
      try {
        await renewAgentLeases(this.#services, heard.map(({ connection }) => connection));
        // `renewAgentLeases` might have recorded a session as connected after it closed. Record such a
        // session as disconnected.
        for (const session of heard) {
          if (!this.#isReady(session)) await disconnectAgent(this.#services, session.connection);
        }
      } catch (error) {
        // This failure does no harm: a lease lasts longer than three heartbeats, and the next heartbeat
        // renews the leases.
        logger("agents").warn("Cannot renew leases: {error}", { error });
      }
    }
  }

  #sessionOf(connectionId: string): Session | undefined {
    return this.#ready.values().find(({ connection }) => connection.id === connectionId);
  }

  #greeted(session: Session): void {
    const waiting = this.#greeting.get(session.remoteServerId);
    waiting?.delete(session);
    if (waiting?.size === 0) this.#greeting.delete(session.remoteServerId);
  }

  #isReady(session: Session): boolean {
    return this.#ready.get(session.remoteServerId) === session;
  }

  /**
   * Closes websockets whose agent key is no longer valid.
   *
   * @param serverId Checks only the agents of this server. Null checks the agents of all servers; pass null
   *   if database notifications might have been lost.
   */
  async #checkKeys(serverId: number | null): Promise<void> {
    for (const session of [...this.#open]) {
      if (serverId !== null && session.remoteServerId !== serverId) continue;
      try {
        const server = await authenticateAgent(this.#services, this.#keys.get(session)!);
        if (server?.id === session.remoteServerId) continue;
        session.refuse("revoked", "The agent's key was revoked. Enrol it again with a new token.");
      } catch (error) {
        logger("agents").warn("Cannot check an agent's key: {error}", { error });
      }
    }
  }
}

/** Upgrades the request to a websocket. Returns null if the headers violate RFC 6455. */
function upgrade(request: Request): Deno.WebSocketUpgrade | null {
  try {
    // Turn off the runtime's own pings, because the hub sends pings.
    return Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
