/** Discord: https://docs.discord.com/developers/resources/webhook#execute-webhook */
import { cutLines } from "../text.ts";
import type { Message } from "../notification_message.ts";
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

/** Maximum characters of an embed's description. A message's title is far below its own limit. */
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
        // Shown in push notifications; the embed holds the rest.
        content: escape(title),
        embeds: [{
          description: cutLines(description, DESCRIPTION_LIMIT),
          color: COLOURS[tone],
          timestamp: event.occurred_at,
        }],
        // A label with @everyone mentions nobody.
        allowed_mentions: { parse: [] },
      },
    });
  },
};

/** Escapes every character with a meaning in Discord's markdown, mentions and links included. */
function escape(text: string): string {
  return text.replaceAll(/[\\*_~`|>#<[\]()@:-]/g, "\\$&");
}
