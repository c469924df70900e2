/**
 * Secrets that a caller gives for one run or question and that are kept nowhere: every replica holds them in
 * its memory, so that whichever has the agent's socket can hand them over, until they have served or their
 * time is up. Between replicas they go sealed.
 */
import type { Clock } from "../../domain/clock.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import type { Database, Sql } from "../../store/database/sql.ts";
import { type EventBus, type Notification, notify } from "../../store/database/event_bus.ts";
import { logger } from "../../telemetry/logging.ts";

/** How long other replicas are given to pass one again. Milliseconds. */
const REQUEST_INTERVAL_MS = 5_000;

export type SecretUse = `run ${number}` | `request ${number}`;

/**
 * `asked`: another replica may have it; look again when it was passed, or after a while. `gone`: none has.
 */
export type TransientSecret = { state: "held"; secret: string } | { state: "asked" } | { state: "gone" };

interface Held {
  readonly secret: string;
  readonly until: string;
  readonly dropped: AbortController;
}

export interface TransientSecretsOptions {
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly database: Database;
}

export class TransientSecrets {
  readonly #options: TransientSecretsOptions;
  readonly #held = new Map<string, Held>();
  readonly #askedAt = new Map<string, number>();
  /**
   * What has served lately: it may have been passed again at the same moment, and must not be held for it.
   */
  readonly #served = new Map<string, AbortController>();
  readonly #unsubscribe: () => void;

  constructor(options: TransientSecretsOptions) {
    this.#options = options;
    this.#unsubscribe = options.bus.subscribe((notification) => this.#hear(notification));
  }

  /**
   * Hands it to all replicas when the transaction commits. Sealed, it must fit into a notification: at most
   * 5000 bytes.
   */
  async publish(sql: Sql, of: SecretUse, secret: string, until: Date): Promise<void> {
    await this.#announce(sql, of, secret, until.toISOString());
  }

  /** What it was passed for may take it as often as needed, while it lasts. */
  async get(sql: Sql, of: SecretUse): Promise<TransientSecret> {
    const held = this.#held.get(of);
    if (held !== undefined) return { state: "held", secret: held.secret };
    const now = this.#options.clock.monotonic();
    const askedAt = this.#askedAt.get(of);
    if (askedAt === undefined) {
      this.#askedAt.set(of, now);
      await notify(sql, { topic: "secret_wanted", of });
      return { state: "asked" };
    }
    if (now - askedAt < REQUEST_INTERVAL_MS) return { state: "asked" };
    this.#askedAt.delete(of);
    return { state: "gone" };
  }

  close(): void {
    this.#unsubscribe();
    for (const of of [...this.#held.keys()]) this.#drop(of);
    for (const remembered of this.#served.values()) remembered.abort();
    this.#served.clear();
  }

  #hear(notification: Notification | { topic: "reconnected" }): void {
    switch (notification.topic) {
      case "secret_passed":
        return this.#hold(notification);
      case "secret_wanted":
        return this.#passAgain(notification.of);
      case "agent_response":
        return this.#hasServed(`request ${notification.id}`);
      case "run_changed": {
        // An offer that is not accepted is made again, and needs it again.
        const { state, run_id } = notification;
        if (state !== undefined && state !== "queued" && state !== "leased") this.#hasServed(`run ${run_id}`);
      }
    }
  }

  #hold({ of, sealed, until }: Extract<Notification, { topic: "secret_passed" }>): void {
    const { clock, keyring } = this.#options;
    this.#askedAt.delete(of);
    const left = Date.parse(until) - clock.now().getTime();
    if (left <= 0 || this.#held.has(of) || this.#served.has(of)) return;
    let secret: string;
    try {
      secret = keyring.decrypt(sealed);
    } catch (error) {
      log().error("Cannot take the secret for {of} that another control plane passed: {error}", {
        of,
        ...aboutOf(of),
        error,
      });
      return;
    }
    const dropped = new AbortController();
    this.#held.set(of, { secret, until, dropped });
    clock.sleep(left, dropped.signal).then(() => this.#drop(of), () => {});
  }

  #passAgain(of: string): void {
    const held = this.#held.get(of);
    if (held === undefined) return;
    this.#announce(this.#options.database, of, held.secret, held.until).catch((error) => {
      log().warn("Cannot pass the secret for {of} again: {error}", { of, ...aboutOf(of), error });
    });
  }

  #announce(sql: Sql, of: string, secret: string, until: string): Promise<void> {
    const sealed = this.#options.keyring.encrypt(secret);
    return notify(sql, { topic: "secret_passed", of, sealed, until });
  }

  #hasServed(of: string): void {
    if (this.#held.has(of) || this.#askedAt.has(of)) {
      const remembered = new AbortController();
      this.#served.get(of)?.abort();
      this.#served.set(of, remembered);
      this.#options.clock.sleep(REQUEST_INTERVAL_MS, remembered.signal).then(
        () => this.#served.delete(of),
        () => {},
      );
    }
    this.#drop(of);
  }

  #drop(of: string): void {
    this.#held.get(of)?.dropped.abort();
    this.#held.delete(of);
    this.#askedAt.delete(of);
  }
}

const log = () => logger("services");

function aboutOf(of: string): { run_id?: number } {
  const match = /^run (\d+)$/.exec(of);
  return match === null ? {} : { run_id: Number(match[1]) };
}
