/** Where news of runs can go, and what a stream of each type has to be told to get there. */

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

/** For people. */
export const TYPE_NAMES: Readonly<Record<NotificationStreamType, string>> = {
  email: "Email",
  discord_webhook: "Discord Webhook",
  slack_webhook: "Slack Webhook",
  teams_webhook: "Teams Webhook",
  pushover: "Pushover",
  telegram: "Telegram",
  webhook: "Webhook",
};

/** The address that a stream of this type is told at; null where the type has one of its own, or is no web address. */
export function addressOf(type: NotificationStreamType, value: string): URL | null {
  return ["email", "pushover", "telegram"].includes(type) ? null : URL.parse(value);
}

/** What is wrong with a value for this type, as the end of a sentence that begins with the field; null when nothing is. */
export function valueProblem(type: NotificationStreamType, value: string): string | null {
  switch (type) {
    case "email":
      return /^[^\s@"<>(),;:\\]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value) && value.length <= 254
        ? null
        : "must be an email address";
    case "pushover":
      return /^[A-Za-z0-9]{30}\/[A-Za-z0-9]{30}$/.test(value)
        ? null
        : "must be <application token>/<user key>, 30 letters and digits each";
    case "telegram":
      return /^\d{5,20}:[A-Za-z0-9_-]{30,64}\/(-?\d{1,20}|@[A-Za-z]\w{3,31})$/.test(value)
        ? null
        : "must be <bot token>/<chat id>, such as 123456:ABC…/-100123 or 123456:ABC…/@channel";
    default:
      return isHttps(value) ? null : "must be an https:// URL";
  }
}

function isHttps(value: string): boolean {
  return /^https:\/\/[^\s/]/i.test(value) && URL.parse(value)?.protocol === "https:";
}
