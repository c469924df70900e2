/**
 * Sends messages to Teams. A workflow with the trigger "When a Teams webhook request is received" receives
 * them. This trigger accepts an adaptive card.
 */
import type { Message } from "../notification_message.ts";
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

const COLOURS: Readonly<Record<Message["tone"], string>> = {
  good: "Good",
  warning: "Warning",
  bad: "Attention",
};

export const teams: Channel = {
  label: "Teams Webhook",
  ...httpsValue,
  // Teams refuses messages of more than 28 KB. A character can take three bytes, and each line takes about
  // 130 bytes in addition.
  digest: { characters: 5_500 },
  async send(value, { title, facts, next, tone }, { outgoing, signal }) {
    await outgoing.post({
      url: value,
      signal,
      body: {
        type: "message",
        attachments: [{
          contentType: "application/vnd.microsoft.card.adaptive",
          contentUrl: null,
          content: {
            $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
            type: "AdaptiveCard",
            version: "1.2",
            // Notifications that cannot show a card show this text.
            fallbackText: title,
            body: [
              paragraph({ text: title, weight: "Bolder", size: "Medium", color: COLOURS[tone] }),
              ...facts.map(({ name, value }) =>
                paragraph({ text: `${name}: `, weight: "Bolder" }, { text: value })
              ),
              ...(next === null ? [] : [paragraph({ text: next })]),
            ],
          },
        }],
      },
    });
  },
};

/** Builds a block of text runs. Unlike text blocks, text runs have no markdown, so they need no escaping. */
function paragraph(...runs: { text: string; weight?: string; size?: string; color?: string }[]) {
  return { type: "RichTextBlock", inlines: runs.map((run) => ({ type: "TextRun", ...run })) };
}
