/** Sends to Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

export const slack: Channel = {
  label: "Slack Webhook",
  ...httpsValue,
  digest: { characters: 2_500 },
  async send(value, { title, facts, next }, { outgoing, signal }) {
    // In a rich_text block, Slack shows the text as it is, without markup or mentions.
    const run = (text: string, bold = false) => ({
      type: "text",
      text,
      ...(bold ? { style: { bold } } : {}),
    });
    const lines = facts.flatMap(({ name, value }) => [run(`${name}: `, true), run(`${value}\n`)]);
    const section = [run(`${title}\n`, true), ...lines, ...(next === null ? [] : [run(`\n${next}`)])];
    await outgoing.post({
      url: value,
      signal,
      body: {
        // Push notifications show this text. Slack finds mentions in this text even if `mrkdwn` is off. A
        // mention begins with <, so that character is escaped.
        text: escape(title),
        mrkdwn: false,
        link_names: false,
        unfurl_links: false,
        blocks: [{ type: "rich_text", elements: [{ type: "rich_text_section", elements: section }] }],
      },
      // Slack explains an error with one word, such as no_service or invalid_token.
      explain: (answer) => /^[a-z_]{3,60}$/.test(answer) ? answer : null,
    });
  },
};

/** Escapes text as in https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
