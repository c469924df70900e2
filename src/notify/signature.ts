/** Signs messages to webhooks as Standard Webhooks says: https://www.standardwebhooks.com */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

/** A secret with this prefix is base64, as other senders write it. */
const PREFIX = "whsec_";

export interface SignedMessage {
  /** The same in every try. */
  readonly id: string;
  /** Of this try. */
  readonly sentAt: Date;
  /** As it is sent. */
  readonly body: string;
}

/** The headers by which a receiver knows who sent a message, and when. */
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
