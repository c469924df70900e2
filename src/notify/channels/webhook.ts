/** A program of the user's own: a JSON document, of the shape that the README documents. */
import { bodyText } from "../message.ts";
import type { Channel } from "./channel.ts";

/** Grows where a receiver would have to change; new fields alone do not count. */
export const WEBHOOK_VERSION = 1;

export const webhook: Channel = {
  async send(value, message, { outgoing, signal }) {
    const { event, id, title } = message;
    const { timezone: _, ...facts } = event;
    await outgoing.post({
      url: value,
      signal,
      headers: { "Idempotency-Key": id },
      body: { version: WEBHOOK_VERSION, id, ...facts, title, text: bodyText(message) },
    });
  },
};
