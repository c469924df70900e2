/**
 * Decides whether an agent that sends `hello` may connect. A server has at most one connected agent. If a
 * second agent with the same key arrives, the connected agent gets a ping. If the connected agent answers,
 * the second agent is refused. If not, the second agent replaces it.
 */
import type { AgentDescription } from "../protocol/wire_messages.ts";
import {
  confirmAlive,
  type Incumbent,
  incumbentOf,
  pingOnOtherReplica,
} from "../services/servers/agent_incumbents.ts";
import type { Origin } from "../services/access/audit_log.ts";
import {
  connectAgent,
  type Connection,
  ForeignSeatError,
  OccupiedError,
} from "../services/servers/connections.ts";
import type { Greeting } from "../services/servers/connections.ts";
import type { ServiceContext } from "../services/context.ts";
import { logger } from "../telemetry/logging.ts";
import { HandshakeLimiter } from "./handshake_limiter.ts";

/** How long to wait for the connected agent to answer a ping, in milliseconds. */
const PING_TIMEOUT = 5_000;
/**
 * How long to wait for the connected agent to answer a ping, in milliseconds, if the agent that wants to
 * connect has the same seat. This time is short, because normally both are the same agent, which is
 * reconnecting. But the agent that wants to connect might run on a copy of the machine, cloned while the
 * machine was running.
 */
const PING_TIMEOUT_SAME_SEAT = 1_000;
/** Maximum number of tries to admit an agent while other agents with the same key connect. */
const ROUNDS = 5;

type RunAnswers = Awaited<ReturnType<typeof connectAgent>>;

export type Admitted =
  | { is: "admitted"; runs: RunAnswers }
  /** The agent closed its connection before it was admitted. */
  | { is: "gone" }
  /** Another agent with the same key is connected. */
  | { is: "duplicate"; message: string }
  | { is: "early"; message: string };

/** An agent session of this replica. Declares only what admission needs. */
interface Candidate {
  readonly connection: Connection;
  answersPing(patience: number): Promise<boolean>;
}

export interface Newcomer {
  connection: Connection;
  greeting: Pick<Greeting, "protocol" | "runs"> & { description: AgentDescription; seat: string | null };
  origin: Origin;
  isOpen(): boolean;
  /** Called before the connection is recorded in the database. */
  onEntering(): void;
}

export class Admission {
  readonly #services: ServiceContext;
  readonly #replicaId: string;
  readonly #since: Date;
  readonly #sessions: (connectionId: string) => Candidate | undefined;
  readonly #greetings = new HandshakeLimiter();

  /**
   * @param sessions Returns the session of a connection; undefined if the connection has not completed its
   *   handshake on this replica.
   */
  constructor(
    services: ServiceContext,
    replicaId: string,
    sessions: (connectionId: string) => Candidate | undefined,
  ) {
    this.#services = services;
    this.#replicaId = replicaId;
    this.#sessions = sessions;
    this.#since = services.clock.now();
  }

  async admit(newcomer: Newcomer): Promise<Admitted> {
    const { connection, greeting, isOpen, origin } = newcomer;
    let replaces: string | null = null;
    for (let round = 0; round < ROUNDS; round++) {
      try {
        const runs = await this.#greetings.enter(isOpen, () => {
          newcomer.onEntering();
          return connectAgent(
            this.#services,
            connection,
            { ...greeting, replaces, since: this.#since },
            origin,
          );
        });
        return runs === null ? { is: "gone" } : { is: "admitted", runs };
      } catch (error) {
        if (error instanceof ForeignSeatError) return { is: "early", message: error.message };
        if (!(error instanceof OccupiedError)) throw error;
      }
      const incumbent = await incumbentOf(this.#services, connection.remoteServerId);
      if (incumbent !== undefined && await this.#isAlive(incumbent, greeting.seat)) {
        return { is: "duplicate", message: duplicateMessage(incumbent) };
      }
      replaces = incumbent?.connectionId ?? null;
    }
    return { is: "early", message: "Cannot connect: several agents with the same key connect at once." };
  }

  /**
   * Pings an agent of this replica on behalf of another replica. If the agent answers, notifies the other
   * replica.
   */
  async probe(connectionId: string, probe: string, patience: number): Promise<void> {
    const session = this.#sessions(connectionId);
    if (session === undefined || !await session.answersPing(patience)) return;
    await confirmAlive(this.#services, probe).catch((error) => {
      logger("agents").warn("Cannot notify another control plane that an agent answers:  {error}", { error });
    });
  }

  #isAlive(incumbent: Incumbent, seat: string | null): Promise<boolean> {
    const patience = seat !== null && seat === incumbent.seat ? PING_TIMEOUT_SAME_SEAT : PING_TIMEOUT;
    if (incumbent.replicaId !== this.#replicaId) {
      return pingOnOtherReplica(this.#services, incumbent, patience);
    }
    return this.#sessions(incumbent.connectionId)?.answersPing(patience) ?? Promise.resolve(false);
  }
}

function duplicateMessage({ hostname }: Incumbent): string {
  const where = hostname === null ? "" : ` from host ${hostname}`;
  return `Cannot connect this agent: another one with the same key is connected${where}. If this machine is a ` +
    "copy of that one, stop this agent, remove its state directory and enrol it with a token of its own server.";
}
