/** Sends to Telegram: https://core.telegram.org/bots/api#sendmessage */
import { bodyText } from "../build_message.ts";
import type { Channel } from "./channel.ts";

/** Maximum number of characters after entities are decoded: Telegram refuses longer texts. */
const TEXT_LIMIT = 4096;

const BASE_URL = "https://api.telegram.org";

export const telegram: Channel = {
  label: "Telegram",
  valueHelp: "`<bot token>/<chat id>`, with `/<topic id>` behind it for a topic",
  valueProblem: (value) =>
    /^\d{5,20}:[A-Za-z0-9_-]{30,64}\/(-?\d{1,20}|@[A-Za-z]\w{3,31})(\/[1-9]\d{0,9})?$/.test(value)
      ? null
      : "must be <bot token>/<chat id>, such as 123456:ABC…/-100123 or 123456:ABC…/@channel, with /<topic id> behind " +
        "it for a topic",
  digest: { characters: TEXT_LIMIT - 400 },
  async send(value, message, { outgoing, addresses, signal }) {
    const [token, chat, topic] = value.split("/") as [string, string, string?];
    const { title } = message;
    const rest = bodyText(message, TEXT_LIMIT - title.length - 2);
    await outgoing.post({
      url: `${addresses.telegram ?? BASE_URL}/bot${token}/sendMessage`,
      signal,
      body: {
        chat_id: chat,
        ...topic === undefined ? {} : { message_thread_id: Number(topic) },
        text: `<b>${escape(title)}</b>\n\n${escape(rest)}`,
        parse_mode: "HTML",
        link_preview_options: { is_disabled: true },
      },
      explain: (answer) => descriptionOf(answer, token),
    });
  },
};

/** Escapes text as in https://core.telegram.org/bots/api#html-style */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * Returns the description in a response like `{"ok": false, "description": "Bad Request: chat not found"}`.
 * Returns null if the response has no description, or if the description contains the token.
 */
function descriptionOf(answer: string, token: string): string | null {
  try {
    const { description } = JSON.parse(answer) as { description?: unknown };
    if (typeof description !== "string" || description.includes(token)) return null;
    return description.slice(0, 200);
  } catch {
    return null; // not JSON: no explanation
  }
}
