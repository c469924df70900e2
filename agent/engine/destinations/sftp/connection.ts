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
/** Time limit for cleaning up on a new connection after the run has ended. Milliseconds. */
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
  /** Time of the monotonic clock since when every attempt has failed; null if the last one succeeded. */
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

  /** Runs work that may be repeated, and repeats it on a new session if its session is lost. */
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

  /** Records a success: a later failure gets the full time for retries. */
  progressed(): void {
    if (this.#troubledSince !== null) {
      this.ports.output?.line(`SFTP ${describeServer(this.spec)} answers again`);
    }
    this.#troubledSince = null;
    this.#backoff.reset();
  }

  /** Runs cleanup work, even after the run has ended: on the open session, or once on a new one. */
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
    // The channel may have ended while its connection is still open.
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

  /** Returns whether a log-in may succeed later. A host name that was never found is most likely misspelt. */
  #mayPass({ isTransient, isUnknownHost }: LoginFailedError): boolean {
    return isTransient && (this.#wasEverOpen || !isUnknownHost);
  }

  /** Waits before another attempt. Rejects with `error` after too long without a success. */
  async #wait(error: Error): Promise<void> {
    const { clock, signal, output, limits } = this.ports;
    if (this.#troubledSince === null) {
      if (limits.patienceMs === 0) throw error;
      this.#troubledSince = clock.monotonic();
      // The second sentence is advice for a run that has failed.
      const [reason] = error.message.split(". ");
      output?.line(`${reason}. Trying again for up to ${Math.ceil(limits.patienceMs / 60_000)} min`);
    }
    if (clock.monotonic() - this.#troubledSince >= limits.patienceMs) throw error;
    await clock.sleep(this.#backoff.next(), signal);
  }

  /** Opens a session for cleanup. It ignores the run's signal, which may have been aborted. */
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
