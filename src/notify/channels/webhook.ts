/** Posts a JSON document to a user's own program, as docs/guide/notifications.md describes. */
import type { NotificationEvent } from "../../domain/notifications/notification.ts";
import { signatureHeaders } from "../signature.ts";
import { bodyText } from "../build_message.ts";
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

/**
 * The version of the JSON document. It is raised by every change that receivers must adapt to. A new field
 * does not raise it.
 */
const WEBHOOK_VERSION = 1;

export const webhook: Channel = {
  label: "Webhook",
  ...httpsValue,
  isSigned: true,
  digest: { characters: 100_000 },
  async send(value, message, { outgoing, signal, signingSecret = null }) {
    const { event, events, id, title } = message;
    const list = event.event === "digest" ? { events: events.map(withoutTimezone) } : {};
    await outgoing.post({
      url: value,
      signal,
      headers: { "Idempotency-Key": id },
      ...signingSecret === null
        ? {}
        : { sign: (body, sentAt) => signatureHeaders(signingSecret, { id, sentAt, body }) },
      body: {
        version: WEBHOOK_VERSION,
        id,
        ...withoutTimezone(event),
        ...list,
        title,
        text: bodyText(message),
      },
    });
  },
};

function withoutTimezone({ timezone: _, ...facts }: NotificationEvent) {
  return facts;
}
