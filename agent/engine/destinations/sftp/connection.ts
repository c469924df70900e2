/** Connection to an SFTP server that is reopened when it breaks, as long as the limits allow. */
import type { Clock } from "../../../../src/domain/clock.ts";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { Backoff } from "../../../backoff.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import type { DestinationLimits } from "../limits.ts";
import { SftpSession } from "./session.ts";
import { describeServer, LoginFailedError } from "./ssh_login.ts";

const FIRST_BACKOFF = 500;
const LONGEST_BACKOFF = 15_000;
/** For clearing away on a new connection after the run is over. */
const RESCUE_TIMEOUT = 30_000;

export interface ConnectionPorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly output: Pick<Output, "line"> | null;
  readonly limits: DestinationLimits;
}

export class SftpConnection {
  #session: SftpSession | null = null;
  #connecting: Promise<SftpSession> | null = null;
  /** Since when nothing has gone through, on the monotonic clock; null while it does. */
  #troubledSince: number | null = null;
  #wasEverOpen = false;
  readonly #backoff = new Backoff(FIRST_BACKOFF, LONGEST_BACKOFF);

  constructor(private readonly spec: Spec, private readonly ports: ConnectionPorts) {}

  /** Returns the open session or a new one. Rejects at the limits, a refused log-in or the signal's abort. */
  session(): Promise<SftpSession> {
    if (this.#session !== null && !this.#session.isLost) return Promise.resolve(this.#session);
    this.#connecting ??= this.#connect().finally(() => this.#connecting = null);
    return this.#connecting;
  }

  /** Does work that may be done twice: again on a new session where its own is lost meanwhile. */
  async use<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    for (;;) {
      const session = await this.session();
      try {
        const result = await work(session);
        this.progressed();
        return result;
      } catch (error) {
        await this.recover(session, error);
      }
    }
  }

  /**
   * Resolves once work that failed with `error` may be retried on a new session. Otherwise rejects with that
   * error.
   */
  async recover(session: SftpSession, error: unknown): Promise<void> {
    this.ports.signal.throwIfAborted();
    if (!session.isLost) throw error;
    await this.#wait(error as Error);
  }

  /** Something went through: what fails from now on has the whole patience again. */
  progressed(): void {
    if (this.#troubledSince !== null) {
      this.ports.output?.line(`SFTP ${describeServer(this.spec)} answers again`);
    }
    this.#troubledSince = null;
    this.#backoff.reset();
  }

  /** Does work even after the run is over: on the open session, or once on a new one. */
  async clearAway<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    if (this.#session !== null && !this.#session.isLost) {
      const session = this.#session;
      try {
        return await work(session);
      } catch (error) {
        if (!session.isLost) throw error;
      }
    }
    const rescue = await this.#rescue();
    try {
      return await work(rescue);
    } finally {
      await rescue.close();
    }
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await this.#session?.close();
  }

  async #connect(): Promise<SftpSession> {
    const { clock, signal, limits } = this.ports;
    // Its channel may have ended without the connection.
    await this.#session?.close();
    for (;;) {
      try {
        const session = await SftpSession.open(this.spec, { clock, signal, idleMs: limits.idleMs });
        this.#wasEverOpen = true;
        this.#session = session;
        return session;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof LoginFailedError) || !this.#mayPass(error)) throw error;
        await this.#wait(error);
      }
    }
  }

  /** A host that was never there is most likely misspelt. */
  #mayPass({ isTransient, isUnknownHost }: LoginFailedError): boolean {
    return isTransient && (this.#wasEverOpen || !isUnknownHost);
  }

  /** Rejects with `error` where nothing has gone through for too long. */
  async #wait(error: Error): Promise<void> {
    const { clock, signal, output, limits } = this.ports;
    if (this.#troubledSince === null) {
      if (limits.patienceMs === 0) throw error;
      this.#troubledSince = clock.monotonic();
      // The advice that follows its first sentence is for a run that has failed.
      const [reason] = error.message.split(". ");
      output?.line(`${reason}. Trying again for up to ${Math.ceil(limits.patienceMs / 60_000)} min`);
    }
    if (clock.monotonic() - this.#troubledSince >= limits.patienceMs) throw error;
    await clock.sleep(this.#backoff.next(), signal);
  }

  /** Not by the run's signal, which may be what ended it. */
  async #rescue(): Promise<SftpSession> {
    const { clock, limits } = this.ports;
    const over = new AbortController();
    const reason = new RunFailedError(`Cannot connect to ${describeServer(this.spec)}: it does not answer`);
    const timeout = clock.sleep(RESCUE_TIMEOUT, over.signal).then(() => over.abort(reason), () => {});
    const { signal } = over;
    try {
      return await SftpSession.open(this.spec, {
        clock,
        signal: new AbortController().signal,
        idleMs: Math.min(limits.idleMs, RESCUE_TIMEOUT / 3),
        login: signal,
      });
    } finally {
      over.abort();
      await timeout;
    }
  }
}
