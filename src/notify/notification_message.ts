import type { NotificationEvent } from "../domain/notifications/notification.ts";

/** A notification in words: plain text, which each channel escapes and lays out in its own way. */
export interface Message {
  /** The same in every attempt, so that receivers recognize repetitions. */
  readonly id: string;
  /** The event; for several events, a `digest`. */
  readonly event: NotificationEvent;
  /** All events of the message, in the order in which they happened. */
  readonly events: readonly NotificationEvent[];
  readonly tone: "good" | "warning" | "bad";
  /** One line. */
  readonly title: string;
  /** The facts, in order of importance. Values have no line breaks. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** The next step for the reader; null if there is none. */
  readonly next: string | null;
}
