/** Sends to Discord: https://docs.discord.com/developers/resources/webhook#execute-webhook */
import { cutLines } from "../text.ts";
import type { Message } from "../notification_message.ts";
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

/** Maximum number of characters of an embed's description. Titles are far below Discord's limit for them. */
const DESCRIPTION_LIMIT = 4096;

const COLOURS: Readonly<Record<Message["tone"], number>> = {
  good: 0x2e7d32,
  warning: 0xf9a825,
  bad: 0xc62828,
};

export const discord: Channel = {
  label: "Discord Webhook",
  ...httpsValue,
  digest: { characters: DESCRIPTION_LIMIT / 2 },
  async send(value, message, { outgoing, signal }) {
    const { title, facts, next, tone, event } = message;
    const lines = facts.map(({ name, value }) => `**${escape(name)}**: ${escape(value)}`);
    const description = [...lines, ...(next === null ? [] : ["", escape(next)])].join("\n");
    await outgoing.post({
      url: value,
      signal,
      body: {
        // Push notifications show the content; the embed has the rest of the message.
        content: escape(title),
        embeds: [{
          description: cutLines(description, DESCRIPTION_LIMIT),
          color: COLOURS[tone],
          timestamp: event.occurred_at,
        }],
        // Prevents mentions, because a label might contain @everyone.
        allowed_mentions: { parse: [] },
      },
    });
  },
};

/** Escapes every character that has a meaning in Discord's markdown, in mentions or in links. */
function escape(text: string): string {
  return text.replaceAll(/[\\*_~`|>#<[\]()@:-]/g, "\\$&");
}
