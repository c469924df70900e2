/** Defines what a notification contains, and when a failed delivery is retried. */
import type { Outcome, RunKind, RunTrigger, shownState } from "../run.ts";
import type { NotificationEventName } from "./event_classes.ts";
import type { Summary } from "./summary.ts";

/**
 * All that a channel can report about an event, with values from the time of the event. Times are ISO 8601 in
 * UTC, in whole seconds.
 */
export interface NotificationEvent {
  readonly event: NotificationEventName;
  readonly occurred_at: string;
  /** The user's time zone, for times that people read. */
  readonly timezone: string;
  /**
   * The task that the event is about. Null in a test message, in a digest, and for an event without a task.
   */
  readonly task: { readonly id: number; readonly label: string; readonly type: string } | null;
  readonly server: { readonly id: number; readonly label: string } | null;
  /**
   * The run that the event is about. Null in a test message, and for damage that was found by listing a
   * backup.
   */
  readonly run: NotifiedRun | null;
  readonly backup: NotifiedBackup | null;
  readonly reason: string | null;
  /**
   * The beginning of a lasting problem, and how often the problem has occurred. Only events about a lasting
   * problem or its end have this field.
   */
  readonly ongoing?: { readonly since: string; readonly count: number };
  /** Facts of a summary; absent in other messages. */
  readonly summary?: Summary;
}

export interface NotifiedRun {
  readonly id: number;
  readonly kind: RunKind;
  /** State of the run, as the API names it. `queued` and `running` occur in events about an active run. */
  readonly status: ReturnType<typeof shownState>;
  readonly trigger: RunTrigger;
  /** Whether the run had been reported as lost. */
  readonly was_lost: boolean;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly warnings_count: number;
  /**
   * Outcome of the run; null if the run has not ended, or if a person cancelled it. Absent from events of
   * older versions.
   */
  readonly outcome?: Outcome | null;
}

export interface NotifiedBackup {
  readonly id: number;
  readonly file_name: string;
  /** Stored size in bytes. */
  readonly size: number;
  readonly created_at: string;
}

/**
 * States of a delivery. `given_up` means that the control plane has stopped trying, because the stream did
 * not accept the message in time.
 */
export const DELIVERY_STATES = ["waiting", "sent", "given_up"] as const;
export type DeliveryState = typeof DELIVERY_STATES[number];

/** The report of a channel after the channel's service has accepted a message. */
export interface SendResult {
  /** Recipients that the message did not reach. */
  readonly note?: string;
  /**
   * Whether the channel sent nothing. It sends nothing if its service has no use for the event. Default: no.
   */
  readonly isSkipped?: boolean;
}

/**
 * Outcome of a delivery attempt. `retryAfterMs` is the wait that the receiver asked for; null if it asked for
 * no wait.
 */
export type DeliveryOutcome =
  | { readonly ok: true } & SendResult
  | { readonly ok: false; readonly error: string; readonly retryAfterMs: number | null };

/** Formats a time as the API does: `2026-01-05T12:00:00Z`. */
export function isoSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

const SECOND = 1000;
const HOUR = 3600 * SECOND;
/**
 * Time between the first attempt and the second, in milliseconds. It doubles with each attempt, up to
 * `RETRY_LAST`.
 */
const RETRY_FIRST = 30 * SECOND;
const RETRY_LAST = 2 * HOUR;
/** Time from a delivery's first attempt until the delivery is given up, in milliseconds. */
export const GIVE_UP_AFTER = 26 * HOUR;
/**
 * Like `RETRY_LAST`, but for streams that get each run's start and end: the maximum time between two
 * attempts, in milliseconds. It is shorter, because the services behind these streams raise a false alarm if
 * a run's message is late.
 */
const FOLLOWER_RETRY_LAST = 4 * 60 * SECOND;
/** Maximum wait before a retry, in milliseconds, even if the receiver asks for a longer one. */
export const RETRY_AFTER_LIMIT = 24 * HOUR;

/** Time limit for a replica to send a message, in milliseconds. It is far longer than any channel takes. */
export const DELIVERY_LEASE = 120 * SECOND;

/**
 * Minimum interval between two messages to one stream, in milliseconds. Events in between are combined into
 * one message.
 */
export const MESSAGE_INTERVAL = 60 * SECOND;

/**
 * Returns how long to wait after `attempts` failed attempts, in milliseconds. Half of the wait is random, so
 * that deliveries that failed together are not retried together.
 *
 * @param retryAfterMs The wait that the receiver asked for; null for none.
 * @param random A random number from 0 to 1.
 * @param followsRuns Whether the stream gets each run's start and end. The maximum wait is then shorter.
 */
export function retryDelay(
  attempts: number,
  retryAfterMs: number | null,
  random: number,
  followsRuns = false,
): number {
  const last = followsRuns ? FOLLOWER_RETRY_LAST : RETRY_LAST;
  const whole = Math.min(RETRY_FIRST * 2 ** Math.min(attempts - 1, 30), last);
  const own = Math.round(whole / 2 + random * whole / 2);
  return Math.max(own, Math.min(retryAfterMs ?? 0, RETRY_AFTER_LIMIT));
}
