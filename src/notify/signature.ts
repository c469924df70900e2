/** Signs messages to webhooks as specified by Standard Webhooks: https://www.standardwebhooks.com */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

/**
 * Prefix of a secret in base64, as in other programs that follow Standard Webhooks. A secret without the
 * prefix is used as it is.
 */
const PREFIX = "whsec_";

export interface SignedMessage {
  /** The message's id, the same in every attempt. */
  readonly id: string;
  /** The time of this attempt to send the message. */
  readonly sentAt: Date;
  /** The body exactly as sent. */
  readonly body: string;
}

/** Returns the headers that prove to a receiver who sent a message, and at what time. */
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

/**
 * Returns what is wrong with a signing secret, as the end of a sentence that begins with the field's name.
 * Returns null if the secret is valid.
 */
export function signingSecretProblem(secret: string): string | null {
  const key = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : null;
  if (key !== null && !/^[A-Za-z0-9+/]{32,}={0,2}$/.test(key)) {
    return "must be base64 behind whsec_, of 24 bytes at least";
  }
  return secret.length < 16 ? "must have at least 16 characters" : null;
}
