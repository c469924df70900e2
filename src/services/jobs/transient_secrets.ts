/**
 * Holds transient secrets. A caller sends such a secret for one run or request, and it is never stored. Every
 * replica holds it in memory, because any replica might have the agent's websocket. It is dropped after use
 * or at its deadline. Replicas exchange secrets encrypted.
 */
import type { Clock } from "../../domain/clock.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import type { Database, Sql } from "../../store/database/sql.ts";
import { type EventBus, type Notification, notify } from "../../store/database/event_bus.ts";
import { logger } from "../../telemetry/logging.ts";

/** How long other replicas have to publish a requested secret, in milliseconds. It then counts as gone. */
const REQUEST_INTERVAL_MS = 5_000;

export type SecretUse = `run ${number}` | `request ${number}`;

/**
 * The result of looking up a transient secret.
 * - `held`: this replica has it.
 * - `requested`: this replica asked the other replicas for it. Try again when one of them publishes it, or
 *   after a while.
 * - `gone`: no replica has it.
 */
export type TransientSecret = { state: "held"; secret: string } | { state: "requested" } | { state: "gone" };

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
  readonly #requestedAt = new Map<string, number>();
  /**
   * The runs and requests whose secrets were used recently. At the moment of use, another replica might
   * publish such a secret again. This replica ignores the publication. A timer removes each entry; the
   * entry's value aborts this timer.
   */
  readonly #used = new Map<string, AbortController>();
  readonly #unsubscribe: () => void;

  constructor(options: TransientSecretsOptions) {
    this.#options = options;
    this.#unsubscribe = options.bus.subscribe((notification) => this.#onNotification(notification));
  }

  /**
   * Publishes a secret to all replicas when the transaction commits. The encrypted secret must fit into a
   * database notification. This limits the secret to 5000 bytes.
   */
  async publish(sql: Sql, of: SecretUse, secret: string, until: Date): Promise<void> {
    await this.#announce(sql, of, secret, until.toISOString());
  }

  /**
   * Returns the secret of a run or request. Later calls return the secret again. If this replica does not
   * hold the secret, asks the other replicas.
   */
  async get(sql: Sql, of: SecretUse): Promise<TransientSecret> {
    const held = this.#held.get(of);
    if (held !== undefined) return { state: "held", secret: held.secret };
    const now = this.#options.clock.monotonic();
    const requestedAt = this.#requestedAt.get(of);
    if (requestedAt === undefined) {
      this.#requestedAt.set(of, now);
      await notify(sql, { topic: "secret_wanted", of });
      return { state: "requested" };
    }
    if (now - requestedAt < REQUEST_INTERVAL_MS) return { state: "requested" };
    this.#requestedAt.delete(of);
    return { state: "gone" };
  }

  close(): void {
    this.#unsubscribe();
    for (const of of [...this.#held.keys()]) this.#drop(of);
    for (const remembered of this.#used.values()) remembered.abort();
    this.#used.clear();
  }

  #onNotification(notification: Notification | { topic: "reconnected" }): void {
    switch (notification.topic) {
      case "secret_passed":
        return this.#hold(notification);
      case "secret_wanted":
        return this.#publishAgain(notification.of);
      case "agent_response":
        return this.#markUsed(`request ${notification.id}`);
      case "run_changed": {
        // Keep the secret while the run is queued or leased. A dispatch that the agent does not accept is
        // repeated, and needs the secret again.
        const { state, run_id } = notification;
        if (state !== undefined && state !== "queued" && state !== "leased") this.#markUsed(`run ${run_id}`);
      }
    }
  }

  #hold({ of, sealed, until }: Extract<Notification, { topic: "secret_passed" }>): void {
    const { clock, keyring } = this.#options;
    this.#requestedAt.delete(of);
    const left = Date.parse(until) - clock.now().getTime();
    if (left <= 0 || this.#held.has(of) || this.#used.has(of)) return;
    let secret: string;
    try {
      secret = keyring.decrypt(sealed);
    } catch (error) {
      log().error("Cannot store the secret for {of} that another control plane published: {error}", {
        of,
        ...logFieldsOf(of),
        error,
      });
      return;
    }
    const dropped = new AbortController();
    this.#held.set(of, { secret, until, dropped });
    clock.sleep(left, dropped.signal).then(() => this.#drop(of), () => {});
  }

  #publishAgain(of: string): void {
    const held = this.#held.get(of);
    if (held === undefined) return;
    this.#announce(this.#options.database, of, held.secret, held.until).catch((error) => {
      log().warn("Cannot publish the secret for {of} again: {error}", { of, ...logFieldsOf(of), error });
    });
  }

  #announce(sql: Sql, of: string, secret: string, until: string): Promise<void> {
    const sealed = this.#options.keyring.encrypt(secret);
    return notify(sql, { topic: "secret_passed", of, sealed, until });
  }

  #markUsed(of: string): void {
    if (this.#held.has(of) || this.#requestedAt.has(of)) {
      const remembered = new AbortController();
      this.#used.get(of)?.abort();
      this.#used.set(of, remembered);
      this.#options.clock.sleep(REQUEST_INTERVAL_MS, remembered.signal).then(
        () => this.#used.delete(of),
        () => {},
      );
    }
    this.#drop(of);
  }

  #drop(of: string): void {
    this.#held.get(of)?.dropped.abort();
    this.#held.delete(of);
    this.#requestedAt.delete(of);
  }
}

const log = () => logger("services");

function logFieldsOf(of: string): { run_id?: number } {
  const match = /^run (\d+)$/.exec(of);
  return match === null ? {} : { run_id: Number(match[1]) };
}
