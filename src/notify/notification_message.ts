import type { NotificationEvent } from "../domain/notifications/notification.ts";

/**
 * One or several notification events in words. The words are plain text. Each channel escapes and lays out
 * the text in its own way.
 */
export interface Message {
  /** The message's id. It is the same in every attempt, so that receivers recognize a repeated message. */
  readonly id: string;
  /** The event of the message. If the message has several, this is an event named `digest`. */
  readonly event: NotificationEvent;
  /** All events of the message, in the order in which they happened. */
  readonly events: readonly NotificationEvent[];
  readonly tone: "good" | "warning" | "bad";
  /** The title, in one line. */
  readonly title: string;
  /** The facts, in order of importance. Values have no line breaks. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** The next step for the reader; null if there is nothing to do. */
  readonly next: string | null;
}
