/** The interface of notification channels: each sends messages to one address in its own way. */
import type { SendResult } from "../../domain/notifications/notification.ts";
import type { DigestRoom } from "../digest.ts";
import type { Outgoing } from "../outgoing.ts";
import type { Message } from "../notification_message.ts";

export interface Channel {
  /** The display name. */
  readonly label: string;
  /** Describes the value of a stream, for the API document. */
  readonly valueHelp: string;
  /**
   * Returns what is wrong with a value, as the end of a sentence that begins with the field's name; null if
   * nothing is.
   */
  valueProblem(value: string): string | null;
  /** Returns the URL in a value that users choose; absent for a channel without one. */
  urlOf?(value: string): URL | null;
  /** Whether messages are signed with the stream's signing secret. Default: no. */
  readonly isSigned?: boolean;
  /**
   * Space for a message about several events. Null for a channel that follows runs: it gets the start and the
   * end of each backup run, each as its own message and at once, and nothing else.
   */
  readonly digest: DigestRoom | null;
  /**
   * Resolves once the receiver has accepted the message, or if there is nothing to send. Rejects with a
   * `DeliveryError`, which can be shown and retried later. Calls for one stream never overlap. After a
   * failure it is called again with the same message and message id.
   *
   * @param value The stream's value, valid by `valueProblem`. It is secret and must not appear in an error.
   */
  send(value: string, message: Message, means: ChannelMeans): Promise<SendResult | void>;
}

/** The means by which channels send. */
export interface ChannelMeans {
  readonly outgoing: Outgoing;
  /** Null if the operator has configured none. */
  readonly smtp: SmtpSettings | null;
  /** Replaces base URLs of services that have one for all users, by type; without a trailing slash. */
  readonly addresses: Readonly<Record<string, string>>;
  /** The stream's signing secret, for a channel that signs its messages; null if it has none. */
  readonly signingSecret?: string | null;
  /** Aborted when the notifier stops. */
  readonly signal: AbortSignal;
}

export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user and password if the server requires them. A secret. */
  readonly url: string;
  /** An address, or `Name <address>`. */
  readonly from: string;
}
