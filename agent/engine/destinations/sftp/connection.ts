/** A connection to an SFTP server. Reopens a lost connection, until the time for retries is over. */
import type { Clock } from "../../../../src/domain/clock.ts";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { Backoff } from "../../../backoff.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import type { DestinationLimits } from "../limits.ts";
import { SftpSession } from "./session.ts";
import { describeServer, LoginFailedError } from "./ssh_login.ts";

const FIRST_BACKOFF = 500;
const LONGEST_BACKOFF = 15_000;
/** Time limit for opening a session for cleanup after the run has ended, in milliseconds. */
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
  /**
   * Time of the monotonic clock at the first failed attempt since the last success; null if the last attempt
   * succeeded.
   */
  #troubledSince: number | null = null;
  #wasEverOpen = false;
  readonly #backoff = new Backoff(FIRST_BACKOFF, LONGEST_BACKOFF);

  constructor(private readonly spec: Spec, private readonly ports: ConnectionPorts) {}

  /**
   * Returns the open session, or opens a new one. Rejects when the time for retries is over, when the log-in
   * is refused, or when the signal aborts.
   */
  session(): Promise<SftpSession> {
    if (this.#session !== null && !this.#session.isLost) return Promise.resolve(this.#session);
    this.#connecting ??= this.#connect().finally(() => this.#connecting = null);
    return this.#connecting;
  }

  /**
   * Runs `work` and returns its result. If the session is lost, runs `work` again on a new session, so `work`
   * must be repeatable.
   */
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
   * Waits after work failed with `error`. Resolves when it is time to retry the work on a new session.
   * Rejects with `error` if a retry makes no sense: the session was not lost, or the time for retries is
   * over.
   */
  async recover(session: SftpSession, error: unknown): Promise<void> {
    this.ports.signal.throwIfAborted();
    if (!session.isLost) throw error;
    await this.#wait(error as Error);
  }

  /** Records a success. So after a later failure, retries have the full time again. */
  progressed(): void {
    if (this.#troubledSince !== null) {
      this.ports.output?.line(`SFTP ${describeServer(this.spec)} answers again`);
    }
    this.#troubledSince = null;
    this.#backoff.reset();
  }

  /**
   * Runs cleanup work and returns its result, even after the run has ended. Uses the open session. If no
   * session is open, tries once to open a new session.
   */
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

  /** Closes the session, if one is open. Never rejects. */
  async close(): Promise<void> {
    await this.#session?.close();
  }

  async #connect(): Promise<SftpSession> {
    const { clock, signal, limits } = this.ports;
    // Close the old session: its SFTP channel might have ended while its SSH connection is still open.
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

  /**
   * Returns whether a log-in might succeed later. Returns false if the host name was never found, because the
   * name is then most likely misspelt.
   */
  #mayPass({ isTransient, isUnknownHost }: LoginFailedError): boolean {
    return isTransient && (this.#wasEverOpen || !isUnknownHost);
  }

  /**
   * Waits before the next attempt. If every attempt during the last `patienceMs` has failed, rejects with
   * `error` instead.
   */
  async #wait(error: Error): Promise<void> {
    const { clock, signal, output, limits } = this.ports;
    if (this.#troubledSince === null) {
      if (limits.patienceMs === 0) throw error;
      this.#troubledSince = clock.monotonic();
      // Print only the first sentence. The second sentence is advice for a run that has failed.
      const [reason] = error.message.split(". ");
      output?.line(`${reason}. Trying again for up to ${Math.ceil(limits.patienceMs / 60_000)} min`);
    }
    if (clock.monotonic() - this.#troubledSince >= limits.patienceMs) throw error;
    await clock.sleep(this.#backoff.next(), signal);
  }

  /** Opens and returns a session for cleanup. Ignores the run's signal, which might already be aborted. */
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
