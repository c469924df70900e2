/** What every channel is: one way to tell a message, to one address. */
import type { DigestRoom } from "../digest.ts";
import type { Outgoing } from "../outgoing.ts";
import type { Message } from "../message.ts";

export interface Channel {
  /** How much room a message about several events has. */
  readonly digest: DigestRoom;
  /**
   * Resolves once the other side has taken the message, with a line on whom it did not reach where it went to
   * several; rejects with a `DeliveryError` that can be shown and tried again later. It is called at most
   * once at a time for a stream, and again with the same message after a failure: the message's id is the
   * same then.
   * @param value The stream's, of the shape that `valueProblem` asks for. A secret: it is in no error.
   */
  send(value: string, message: Message, means: ChannelMeans): Promise<string | void>;
}

/** What channels send with. */
export interface ChannelMeans {
  readonly outgoing: Outgoing;
  /** Null where the operator has set none. */
  readonly smtp: SmtpSettings | null;
  /** Where the services are that have one address for everybody; without a trailing slash. */
  readonly addresses: { readonly pushover: string; readonly telegram: string };
  /** The stream's own, for a channel that signs what it sends; null where it has none. */
  readonly signingSecret?: string | null;
  /** Aborted when the notifier stops. */
  readonly signal: AbortSignal;
}

export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. A secret. */
  readonly url: string;
  /** An address, or `Name <address>`. */
  readonly from: string;
}
