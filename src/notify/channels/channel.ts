/** The interface of notification channels. Each channel sends messages to one type of address. */
import type { SendResult } from "../../domain/notifications/notification.ts";
import type { DigestRoom } from "../digest.ts";
import type { Outgoing } from "../outgoing.ts";
import type { Message } from "../notification_message.ts";

export interface Channel {
  /** The channel's name for people. */
  readonly label: string;
  /** Text for the API's documentation. The text says what the value of a stream of this channel is. */
  readonly valueHelp: string;
  /**
   * Returns what is wrong with a stream's value, as the end of a sentence that begins with the field's name.
   * Returns null if the value is valid.
   */
  valueProblem(value: string): string | null;
  /**
   * Returns the URL that a stream's value contains. Users choose this URL. Absent for a channel whose values
   * contain no URL.
   */
  urlOf?(value: string): URL | null;
  /** Whether messages are signed with the stream's signing secret. Default: no. */
  readonly isSigned?: boolean;
  /**
   * How much text a message about several events can have. Null for a channel that follows runs. Such a
   * channel gets only two events: the start and the end of each backup run. It gets each event at once, in a
   * separate message.
   */
  readonly digest: DigestRoom | null;
  /**
   * Sends a message. Resolves once the receiver has accepted the message. Resolves at once if there is
   * nothing to send. Rejects with a `DeliveryError`. Users are allowed to see the error's message.
   *
   * After a failure, the control plane might retry later with the same message and message id. Calls for one
   * stream never overlap.
   *
   * @param value The stream's value, valid by `valueProblem`. It is secret and must not appear in an error.
   */
  send(value: string, message: Message, means: ChannelMeans): Promise<SendResult | void>;
}

/** What channels need to send messages. */
export interface ChannelMeans {
  readonly outgoing: Outgoing;
  /** The operator's mail server; null if none is configured. */
  readonly smtp: SmtpSettings | null;
  /**
   * Base URLs that replace the URLs of services, by channel type, without a trailing slash. Contains only
   * types whose service has the same URL for all users.
   */
  readonly addresses: Readonly<Record<string, string>>;
  /** The signing secret of a stream whose channel signs its messages; null if the stream has none. */
  readonly signingSecret?: string | null;
  /** Aborts when the notifier stops. */
  readonly signal: AbortSignal;
}

export interface SmtpSettings {
  /**
   * URL of the server, `smtp://` or `smtps://`, with user and password if the server requires a login. This
   * URL is a secret.
   */
  readonly url: string;
  /** The sender: an address, or `Name <address>`. */
  readonly from: string;
}
