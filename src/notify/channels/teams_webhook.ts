/**
 * Teams: a workflow with the trigger "When a Teams webhook request is received", which takes an adaptive
 * card.
 */
import type { Message } from "../notification_message.ts";
import type { Channel } from "./channel.ts";

const COLOURS: Readonly<Record<Message["tone"], string>> = {
  good: "Good",
  warning: "Warning",
  bad: "Attention",
};

export const teams: Channel = {
  digest: { characters: 10_000 },
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
            // What notifications show where a card can't be.
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

/** Text runs know no markdown, as text blocks do: they need no escape. */
function paragraph(...runs: { text: string; weight?: string; size?: string; color?: string }[]) {
  return { type: "RichTextBlock", inlines: runs.map((run) => ({ type: "TextRun", ...run })) };
}
