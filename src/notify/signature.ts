/** Signs messages to webhooks as specified by Standard Webhooks: https://www.standardwebhooks.com */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

/** Prefix of a secret in base64, as other senders write it. */
const PREFIX = "whsec_";

export interface SignedMessage {
  /** The message's id, the same in every attempt. */
  readonly id: string;
  /** Time of this attempt. */
  readonly sentAt: Date;
  /** The body exactly as sent. */
  readonly body: string;
}

/** Returns the headers that prove to a receiver who sent a message, and when. */
export function signatureHeaders(
  secret: string,
  { body, id, sentAt }: SignedMessage,
): Record<string, string> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), "base64") : secret;
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
