/**
 * Sends the messages in the outbox. Any replica sends messages that are due. Streams are independent: each
 * has its own pace, its own retries and at most one message in flight. Failing streams do not use up the
 * capacity for working streams.
 */
import type { Clock } from "../domain/clock.ts";
import { UnavailableError } from "../domain/errors.ts";
import {
  DELIVERY_LEASE,
  type DeliveryOutcome,
  GIVE_UP_AFTER,
  MESSAGE_INTERVAL,
  type NotificationEvent,
  retryDelay,
} from "../domain/notifications/notification.ts";
import type { Network } from "../network/network.ts";
import { type Keyring, SecretError } from "../secrets/keyring.ts";
import { transaction } from "../store/database/database.ts";
import type { Database } from "../store/database/sql.ts";
import {
  claimDeliveries,
  type ClaimedDelivery,
  endDelivery,
  nextDelivery,
  postponeDelivery,
  releaseDelivery,
} from "../store/notifications/notification_deliveries.ts";
import {
  lockForDelivery,
  recordStreamFailure,
  recordStreamSuccess,
} from "../store/notifications/notification_streams.ts";
import { logger } from "../telemetry/logging.ts";
import type { ChannelMeans, SmtpSettings } from "./channels/channel.ts";
import { channelOf, followsRuns, NOTIFICATION_STREAM_TYPES } from "./channels/registry.ts";
import { DeliveryError } from "./delivery_error.ts";
import { buildMessage } from "./build_message.ts";
import { combineEvents, maxListed } from "./digest.ts";
import type { Message } from "./notification_message.ts";
import { Outgoing } from "./outgoing.ts";

export interface NotifierOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly network: Network;
  readonly smtp: SmtpSettings | null;
  readonly addresses?: ChannelMeans["addresses"];
  readonly outgoing?: Outgoing;
  /** Minimum interval between two messages to one stream, in milliseconds. Default: a minute. */
  readonly messageInterval?: number;
  /** Returns a random number from 0 to 1, for the delay of retries. */
  readonly random?: () => number;
}

/** The fields of a stream that are needed to send to it. */
interface SendingStream {
  readonly type: string;
  readonly value_encrypted: string;
  readonly signing_secret_encrypted?: string | null;
}

/**
 * Maximum numbers of messages in flight. `MAX_FAILING_IN_FLIGHT` applies to streams whose last attempt
 * failed.
 */
const MAX_IN_FLIGHT = 40;
const MAX_FAILING_IN_FLIGHT = 10;

const log = logger("notifier");

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #stopped = new AbortController();
  readonly #means: ChannelMeans;
  readonly #inFlight = new Map<Promise<void>, { streamId: number; isFailing: boolean }>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#means = {
      outgoing: options.outgoing ?? new Outgoing(options.clock, options.network),
      smtp: options.smtp,
      addresses: options.addresses ?? {},
      signal: this.#stopped.signal,
    };
  }

  /**
   * Starts sending due messages, at most one for each stream. Does not wait for the results. Returns how many
   * messages it started to send. The caller must repeat the call until it returns 0. `ended` is called when
   * the sending of a message has ended.
   */
  async startDue(ended: () => void = () => {}): Promise<number> {
    if (this.#stopped.signal.aborted) return 0;
    const { clock, database } = this.#options;
    const now = clock.now();
    const claimed = await this.#claim(database, now);
    for (const delivery of claimed) {
      const sending = this.#deliver(delivery).catch((error) => {
        // The message's lease will expire. Then the message is sent again.
        log.error("Cannot record what became of a message: {error}", { error });
      }).finally(() => {
        this.#inFlight.delete(sending);
        ended();
      });
      this.#inFlight.set(sending, {
        streamId: delivery.notification_stream_id,
        isFailing: delivery.failures > 0,
      });
    }
    return claimed.length;
  }

  /**
   * Starts sending messages that are due. Resolves when no message is in flight, with the number of messages
   * that it started to send.
   */
  async deliverDue(): Promise<number> {
    const count = await this.startDue();
    await this.settled();
    return count;
  }

  /** Resolves when no message is in flight. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight.keys());
  }

  /**
   * Returns when the next message is due. Returns null if there is no message. Also returns null if the next
   * message is already due, but has to wait for a message in flight.
   */
  async nextDue(): Promise<Date | null> {
    const next = await nextDelivery(this.#options.database, NOTIFICATION_STREAM_TYPES);
    return next !== null && next <= this.#options.clock.now() && this.#inFlight.size > 0 ? null : next;
  }

  /** Sends an event to one stream now, without the outbox. Resolves even if the receiver fails. */
  async sendNow(
    stream: SendingStream,
    event: NotificationEvent,
  ): Promise<DeliveryOutcome> {
    const outcome = await this.#send(stream, crypto.randomUUID(), [event]);
    return outcome ?? { ok: false, error: "The control plane is stopping; try again.", retryAfterMs: null };
  }

  /**
   * Aborts messages in flight. Another replica sends them again, or this replica does so after its next
   * start.
   */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  async #claim(database: Database, now: Date): Promise<ClaimedDelivery[]> {
    const leasedUntil = new Date(now.getTime() + DELIVERY_LEASE);
    const events = (type: string) => {
      const { digest } = channelOf(type);
      return digest === null ? null : maxListed(digest);
    };
    const except = this.#inFlight.values().map(({ streamId }) => streamId).toArray();
    // Take only messages to streams whose type this replica knows. Replicas of a newer version send messages
    // to streams of other types.
    const types = NOTIFICATION_STREAM_TYPES;
    const take = (streams: number, failing: boolean) =>
      streams <= 0
        ? []
        : claimDeliveries(database, now, leasedUntil, { streams, failing, types, except, events });
    const working = await take(MAX_IN_FLIGHT - this.#inFlight.size, false);
    const failing = this.#inFlight.values().filter(({ isFailing }) => isFailing).toArray().length;
    const room = Math.min(
      MAX_IN_FLIGHT - this.#inFlight.size - working.length,
      MAX_FAILING_IN_FLIGHT - failing,
    );
    return [...working, ...await take(room, true)];
  }

  async #deliver(delivery: ClaimedDelivery): Promise<void> {
    const { database, clock, messageInterval = MESSAGE_INTERVAL } = this.#options;
    const outcome = await this.#send(delivery, delivery.message_id, delivery.events);
    if (outcome === null) return await releaseDelivery(database, delivery);
    const streamId = delivery.notification_stream_id;
    const failure = await transaction(database, async (sql) => {
      const now = clock.now();
      await lockForDelivery(sql, streamId);
      if (outcome.ok) {
        if (!await endDelivery(sql, delivery, "sent", null, now) || outcome.isSkipped) return null;
        const interval = followsRuns(delivery.type) ? 0 : messageInterval;
        const nextAt = new Date(now.getTime() + interval);
        await recordStreamSuccess(sql, streamId, { now, nextAt, note: outcome.note ?? null });
        return null;
      }
      const isGivenUp = now.getTime() - delivery.first_attempt_at.getTime() >= GIVE_UP_AFTER;
      const error = isGivenUp ? `Given up after ${delivery.attempts} tries. ${outcome.error}` : outcome.error;
      const again = new Date(now.getTime() + this.#delay(delivery, outcome.retryAfterMs));
      const isOurs = isGivenUp
        ? await endDelivery(sql, delivery, "given_up", error, now)
        : await postponeDelivery(sql, delivery, error, again);
      if (isOurs) await recordStreamFailure(sql, streamId, error, now, again);
      return outcome.error;
    });
    if (failure !== null) this.#logFailure(delivery, failure);
  }

  /**
   * Returns the delay before the next attempt. The delay depends on the failures of the stream, not of the
   * message. So if a stream does not respond, the number of attempts does not grow with the number of waiting
   * messages.
   */
  #delay({ failures, type }: ClaimedDelivery, retryAfterMs: number | null): number {
    const random = (this.#options.random ?? Math.random)();
    return retryDelay(failures + 1, retryAfterMs, random, followsRuns(type));
  }

  /** Sends a message. Returns null if {@link stop} aborted it. */
  async #send(
    { signing_secret_encrypted = null, type, value_encrypted }: SendingStream,
    messageId: string,
    events: readonly NotificationEvent[],
  ): Promise<DeliveryOutcome | null> {
    try {
      const { keyring } = this.#options;
      const value = keyring.decrypt(value_encrypted);
      const signingSecret = keyring.decryptOptional(signing_secret_encrypted);
      const channel = channelOf(type);
      // A channel that follows runs cannot send several events in one message. But such a message might still
      // be queued from a time when the stream had another type. Then only its last event is sent.
      const message: Message = channel.digest === null
        ? buildMessage(messageId, events.at(-1)!)
        : combineEvents(messageId, events, channel.digest);
      const result = await channel.send(value, message, { ...this.#means, signingSecret });
      return { ok: true, ...result };
    } catch (error) {
      if (this.#stopped.signal.aborted) return null;
      if (error instanceof DeliveryError) return failed(error.message, error.retryAfterMs);
      if (error instanceof SecretError || error instanceof UnavailableError) {
        return failed(error.message, null);
      }
      // The error might contain the address, so only the error's name is logged.
      log.error("Cannot send to a {type}: {kind}", { type, kind: (error as Error).name });
      return failed("It failed for a reason that is not known", null);
    }
  }

  #logFailure({ notification_stream_id, type, attempts, events }: ClaimedDelivery, error: string): void {
    log.warn("Cannot tell notification stream {stream} ({type}) of {event}, try {attempts}: {error}", {
      stream: notification_stream_id,
      type,
      event: events.map(({ event }) => event).join(", "),
      attempts,
      error,
    });
  }
}

function failed(error: string, retryAfterMs: number | null): DeliveryOutcome {
  return { ok: false, error: /[.!?]$/.test(error) ? error : `${error}.`, retryAfterMs };
}
