/** Defines the types of notification streams, and the settings that each type requires. */

export const NOTIFICATION_STREAM_TYPES = [
  "email",
  "discord_webhook",
  "slack_webhook",
  "teams_webhook",
  "pushover",
  "telegram",
  "webhook",
] as const;
export type NotificationStreamType = typeof NOTIFICATION_STREAM_TYPES[number];

/** Display names. */
export const TYPE_NAMES: Readonly<Record<NotificationStreamType, string>> = {
  email: "Email",
  discord_webhook: "Discord Webhook",
  slack_webhook: "Slack Webhook",
  teams_webhook: "Teams Webhook",
  pushover: "Pushover",
  telegram: "Telegram",
  webhook: "Webhook",
};

/** Returns the URL that a stream of this type posts to; null if the type has a fixed URL, or uses none. */
export function streamUrl(type: NotificationStreamType, value: string): URL | null {
  return ["email", "pushover", "telegram"].includes(type) ? null : URL.parse(value);
}

/**
 * Returns what is wrong with a value for this type, as the end of a sentence that begins with the field's
 * name; null if nothing is.
 */
export function valueProblem(type: NotificationStreamType, value: string): string | null {
  switch (type) {
    case "email":
      return emailProblem(emailAddresses(value));
    case "pushover":
      return /^[A-Za-z0-9]{30}\/[A-Za-z0-9]{30}$/.test(value)
        ? null
        : "must be <application token>/<user key>, 30 letters and digits each";
    case "telegram":
      return /^\d{5,20}:[A-Za-z0-9_-]{30,64}\/(-?\d{1,20}|@[A-Za-z]\w{3,31})(\/[1-9]\d{0,9})?$/.test(value)
        ? null
        : "must be <bot token>/<chat id>, such as 123456:ABC…/-100123 or 123456:ABC…/@channel, with /<topic id> behind " +
          "it for a topic";
    default:
      return isHttps(value) ? null : "must be an https:// URL";
  }
}

/** The maximum number of addresses of one stream. */
const MAX_ADDRESSES = 20;

/** Splits a list of addresses at commas, semicolons and white space. */
export function emailAddresses(value: string): string[] {
  return value.split(/[\s,;]+/).filter((address) => address !== "");
}

function emailProblem(addresses: readonly string[]): string | null {
  const isAddress = (address: string) =>
    /^[^\s@"<>(),;:\\]+@[^\s@.]+(\.[^\s@.]+)+$/.test(address) && address.length <= 254;
  if (addresses.length === 0) return "must be an email address";
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong !== undefined) {
    return addresses.length === 1
      ? "must be an email address"
      : "must be email addresses, separated by commas";
  }
  if (addresses.length > MAX_ADDRESSES) return `must be at most ${MAX_ADDRESSES} email addresses`;
  return new Set(addresses.map((address) => address.toLowerCase())).size < addresses.length
    ? "must be email addresses that differ"
    : null;
}

/**
 * Returns what is wrong with a signing secret, as the end of a sentence that begins with the field's name.
 */
export function signingSecretProblem(type: NotificationStreamType, secret: string | null): string | null {
  if (secret === null) return null;
  if (type !== "webhook") return "is for streams of the type webhook only";
  const key = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : null;
  if (key !== null && !/^[A-Za-z0-9+/]{32,}={0,2}$/.test(key)) {
    return "must be base64 behind whsec_, of 24 bytes at least";
  }
  return secret.length < 16 ? "must have at least 16 characters" : null;
}

function isHttps(value: string): boolean {
  return /^https:\/\/[^\s/]/i.test(value) && URL.parse(value)?.protocol === "https:";
}
