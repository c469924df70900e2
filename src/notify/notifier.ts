/** The outbox, delivered: any replica takes what is due, one message at a time for each stream. */
import type { Clock } from "../domain/clock.ts";
import {
  type DeliveryOutcome,
  GIVE_UP_AFTER,
  type NotificationEvent,
  retryDelay,
} from "../domain/notification.ts";
import type { NotificationStreamType } from "../domain/notification_stream.ts";
import type { Network } from "../network/network.ts";
import { type Keyring, SecretError } from "../secrets/keyring.ts";
import { type Database, transaction } from "../store/database.ts";
import {
  claimDeliveries,
  type ClaimedDelivery,
  endDelivery,
  nextDelivery,
  postponeDelivery,
  postponeStream,
  releaseDelivery,
} from "../store/notification_deliveries.ts";
import { lockForDelivery, recordLastDelivery } from "../store/notification_streams.ts";
import { logger } from "../telemetry/logging.ts";
import type { ChannelMeans, SmtpSettings } from "./channels/channel.ts";
import { CHANNELS } from "./channels/registry.ts";
import { DeliveryError } from "./delivery_error.ts";
import { messageOf } from "./message.ts";
import { Outgoing } from "./outgoing.ts";

export interface NotifierOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly network: Network;
  readonly smtp: SmtpSettings | null;
  readonly addresses?: ChannelMeans["addresses"];
  readonly outgoing?: Outgoing;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** How long a replica has for a message; far longer than any channel takes. Milliseconds. */
const LEASE = 120_000;
/** Streams at once. */
const BATCH = 20;

const ADDRESSES = { pushover: "https://api.pushover.net", telegram: "https://api.telegram.org" };
const log = logger("notifier");

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #stopped = new AbortController();
  readonly #means: ChannelMeans;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#means = {
      outgoing: options.outgoing ?? new Outgoing(options.clock, options.network),
      smtp: options.smtp,
      addresses: options.addresses ?? ADDRESSES,
      signal: this.#stopped.signal,
    };
  }

  /** Tries one due message of each stream. Returns how many were tried; call again until it is 0. */
  async deliverDue(): Promise<number> {
    if (this.#stopped.signal.aborted) return 0;
    const { database, clock } = this.#options;
    const now = clock.now();
    const claimed = await claimDeliveries(database, now, new Date(now.getTime() + LEASE), BATCH);
    const ends = await Promise.allSettled(claimed.map((delivery) => this.#deliver(delivery)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return claimed.length;
  }

  /** When the next message is due; null where none waits. */
  nextDue(): Promise<Date | null> {
    return nextDelivery(this.#options.database);
  }

  /** Tells one stream now, past the outbox. It does not reject for what the other side does. */
  async sendNow(
    stream: { type: NotificationStreamType; value_encrypted: string },
    event: NotificationEvent,
  ): Promise<DeliveryOutcome> {
    const outcome = await this.#send(stream, crypto.randomUUID(), event);
    return outcome ?? { ok: false, error: "The control plane is stopping; try again.", retryAfterMs: null };
  }

  /** Breaks off what is being sent: another replica, or the next start, sends it again. */
  stop(): void {
    this.#stopped.abort();
  }

  async #deliver(delivery: ClaimedDelivery): Promise<void> {
    const outcome = await this.#send(delivery, delivery.message_id, delivery.event);
    if (outcome === null) return await releaseDelivery(this.#options.database, delivery);
    await transaction(this.#options.database, async (sql) => {
      const now = this.#options.clock.now();
      const streamId = delivery.notification_stream_id;
      await lockForDelivery(sql, streamId);
      if (outcome.ok) {
        if (await endDelivery(sql, delivery, "sent", null, now)) {
          await recordLastDelivery(sql, streamId, null, now);
        }
        return;
      }
      const isGivenUp = now.getTime() - delivery.first_attempt_at.getTime() >= GIVE_UP_AFTER;
      const error = isGivenUp ? `Given up after ${delivery.attempts} tries. ${outcome.error}` : outcome.error;
      const dueAt = new Date(now.getTime() + this.#delay(delivery, outcome.retryAfterMs));
      const isOurs = isGivenUp
        ? await endDelivery(sql, delivery, "given_up", error, now)
        : await postponeDelivery(sql, delivery, error, dueAt);
      if (!isOurs) return;
      if (outcome.retryAfterMs !== null) await postponeStream(sql, streamId, dueAt);
      await recordLastDelivery(sql, streamId, error, now);
    });
    if (!outcome.ok) this.#logFailure(delivery, outcome.error);
  }

  #delay({ attempts }: ClaimedDelivery, retryAfterMs: number | null): number {
    return retryDelay(attempts, retryAfterMs, (this.#options.random ?? Math.random)());
  }

  /** Null where it was broken off by {@link stop}. */
  async #send(
    { type, value_encrypted }: { type: NotificationStreamType; value_encrypted: string },
    messageId: string,
    event: NotificationEvent,
  ): Promise<DeliveryOutcome | null> {
    try {
      const value = this.#options.keyring.decrypt(value_encrypted);
      await CHANNELS[type].send(value, messageOf(messageId, event), this.#means);
      return { ok: true };
    } catch (error) {
      if (this.#stopped.signal.aborted) return null;
      if (error instanceof DeliveryError) return failed(error.message, error.retryAfterMs);
      if (error instanceof SecretError) return failed(error.message, null);
      // Its message could hold the address, so neither it nor its stack is told.
      log.error("Cannot send to a {type}: {kind}", { type, kind: (error as Error).name });
      return failed("It failed for a reason that is not known", null);
    }
  }

  #logFailure({ notification_stream_id, type, attempts, event }: ClaimedDelivery, error: string): void {
    log.warn("Cannot tell notification stream {stream} ({type}) of {event}, try {attempts}: {error}", {
      stream: notification_stream_id,
      type,
      event: event.event,
      attempts,
      error,
    });
  }
}

function failed(error: string, retryAfterMs: number | null): DeliveryOutcome {
  return { ok: false, error: /[.!?]$/.test(error) ? error : `${error}.`, retryAfterMs };
}
