/** Sends to Pushover: https://pushover.net/api */
import { bodyText } from "../build_message.ts";
import type { Channel } from "./channel.ts";

/** Maximum number of characters of a message: Pushover refuses longer ones. */
const MESSAGE_LIMIT = 1024;

const BASE_URL = "https://api.pushover.net";

export const pushover: Channel = {
  label: "Pushover",
  valueHelp: "`<application token>/<user key>`",
  valueProblem: (value) =>
    /^[A-Za-z0-9]{30}\/[A-Za-z0-9]{30}$/.test(value)
      ? null
      : "must be <application token>/<user key>, 30 letters and digits each",
  digest: { characters: MESSAGE_LIMIT - 70 },
  async send(value, message, { outgoing, addresses, signal }) {
    const [token, user] = value.split("/");
    await outgoing.post({
      url: `${addresses.pushover ?? BASE_URL}/1/messages.json`,
      signal,
      body: {
        token,
        user,
        title: message.title,
        // Without the parameter `html`, Pushover shows the message as plain text.
        message: bodyText(message, MESSAGE_LIMIT),
        timestamp: Math.floor(Date.parse(message.event.occurred_at) / 1000),
      },
      explain: (answer) => errorsOf(answer, [token!, user!]),
    });
  },
};

/**
 * Returns the errors in a response like `{"errors": ["user identifier is invalid"]}`. Returns null if there
 * are none, or if they contain a secret.
 */
function errorsOf(answer: string, secrets: readonly string[]): string | null {
  try {
    const { errors } = JSON.parse(answer) as { errors?: unknown };
    if (!Array.isArray(errors)) return null;
    const text = errors.filter((each) => typeof each === "string").join("; ").slice(0, 200);
    return text === "" || secrets.some((secret) => text.includes(secret)) ? null : text;
  } catch {
    return null; // not JSON: no explanation
  }
}
