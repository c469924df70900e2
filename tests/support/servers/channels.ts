/**
 * Defines a fixture for each type of notification stream. A fixture has a server that receives the messages,
 * and shows the text that a person reads in them.
 */
import assert from "node:assert/strict";
import type { NotificationStreamType } from "../../../src/notify/channels/registry.ts";
import type { ChannelMeans } from "../../../src/notify/channels/channel.ts";
import { HttpReceiver, MailReceiver } from "./receivers.ts";

export interface ChannelFixture extends AsyncDisposable {
  readonly value: string;
  readonly means: Partial<ChannelMeans>;
  /** The secrets in the stream's value and in the channel's settings. */
  readonly secrets: readonly string[];
  /** Returns each received message: the text that a person reads, and the bytes as sent. */
  shown(): { text: string; raw: string }[];
  /** Makes the server refuse messages from now on. The error text in its response contains the `secrets`. */
  refuse(status: number, headers?: Record<string, string>): void;
  /** The server of the channel; null for a channel that does not use HTTP. */
  readonly http: HttpReceiver | null;
}

const THIRTY = ["a1".repeat(15), "b2".repeat(15)] as const;
const BOT = `123456:${"x-Y_".repeat(9)}`;

// deno-lint-ignore no-explicit-any
type Body = any;

function overHttp(
  value: (url: string) => string,
  secrets: readonly string[],
  shown: (body: Body) => string,
  addresses?: (url: string) => ChannelMeans["addresses"],
): () => Promise<ChannelFixture> {
  return () => {
    const http = new HttpReceiver();
    return Promise.resolve({
      http,
      value: value(http.url),
      secrets,
      means: addresses === undefined ? {} : { addresses: addresses(http.url) },
      shown: () => http.received.map(({ body }) => ({ text: shown(body), raw: JSON.stringify(body) })),
      refuse(status, headers) {
        const told = `no such thing: ${secrets.join(" ")}`;
        const body = JSON.stringify({ ok: false, description: told, errors: [told], error: told });
        http.answer = () => new Response(status === 204 ? null : body, { status, headers });
      },
      [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
    });
  };
}

const hook = (url: string) => `${url}/hooks/s3cret-t0ken?key=an0ther`;
const HOOK_SECRETS = ["s3cret-t0ken", "an0ther"];
const unescapeHtml = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export const channelFixtures: Record<NotificationStreamType, () => Promise<ChannelFixture>> = {
  email: async () => {
    const mail = await MailReceiver.open({ user: "me", password: "p@ss" });
    return {
      http: null,
      value: "ops@example.com",
      secrets: ["p@ss", "p%40ss"],
      means: { smtp: { url: `smtp://me:p%40ss@${mail.address}`, from: "Backups <backups@example.com>" } },
      shown: () =>
        mail.received.map(({ headers, text, to }) => {
          assert.deepEqual(to, ["ops@example.com"]);
          assert.match(headers, /^Auto-Submitted: auto-generated$/m);
          return { text, raw: headers };
        }),
      refuse: (status) => mail.refusal = { code: status === 429 ? 451 : 554, message: "p@ss is bad" },
      [Symbol.asyncDispose]: () => mail[Symbol.asyncDispose](),
    };
  },
  discord_webhook: overHttp(hook, HOOK_SECRETS, (body) => {
    assert.deepEqual(body.allowed_mentions, { parse: [] });
    assert.ok(body.content.length <= 2000 && body.embeds[0].description.length <= 4096);
    return `${body.content}\n${body.embeds[0].description}`.replaceAll("**", "").replaceAll(/\\(.)/g, "$1");
  }),
  slack_webhook: overHttp(hook, HOOK_SECRETS, (body) => {
    assert.doesNotMatch(body.text, /[<>]/);
    // Slack truncates a text at 40,000 characters, and refuses more than 50 blocks.
    assert.ok(JSON.stringify(body).length <= 40_000 && body.blocks.length <= 50);
    const [section] = body.blocks[0].elements;
    const shown = section.elements.map((each: { text: string }) => each.text).join("");
    assert.equal(shown.split("\n")[0], unescapeHtml(body.text));
    return shown;
  }),
  teams_webhook: overHttp(hook, HOOK_SECRETS, (body) => {
    const [{ contentType, content }] = body.attachments;
    assert.deepEqual([body.type, contentType, content.type], [
      "message",
      "application/vnd.microsoft.card.adaptive",
      "AdaptiveCard",
    ]);
    // Teams refuses a message of more than 28 KB.
    assert.ok(new TextEncoder().encode(JSON.stringify(body)).length <= 28 * 1024);
    assert.match(content.version, /^1\.[0-5]$/);
    return content.body.map(
      ({ type, inlines }: { type: string; inlines: { type: string; text: string }[] }) => {
        assert.ok(
          type === "RichTextBlock" && inlines.every((run) => run.type === "TextRun"),
          "markdown is off",
        );
        return inlines.map(({ text }) => text).join("");
      },
    ).join("\n");
  }),
  pushover: overHttp(
    () => THIRTY.join("/"),
    THIRTY,
    (body) => {
      assert.deepEqual([body.token, body.user, body.html], [...THIRTY, undefined]);
      assert.ok(body.title.length <= 250 && body.message.length <= 1024);
      return `${body.title}\n${body.message}`;
    },
    (pushover) => ({ pushover, telegram: "http://127.0.0.1:1" }),
  ),
  ntfy: overHttp(
    (url) => `${url.replace("//", "//:tk_s3cret@")}/my-t0pic`,
    ["tk_s3cret", "my-t0pic"],
    (body) => {
      assert.deepEqual([body.topic, body.priority, body.tags], ["my-t0pic", 4, ["rotating_light"]]);
      // ntfy turns a message of more than 4,096 bytes into an attachment.
      assert.ok(new TextEncoder().encode(body.message).length <= 4096);
      return `${body.title}\n${body.message}`;
    },
  ),
  healthchecks: overHttp(hook, HOOK_SECRETS, (body) => {
    // Healthchecks keeps the first 100 kB of a body.
    assert.ok(new TextEncoder().encode(body).length <= 100_000);
    return body;
  }),
  telegram: overHttp(
    () => `${BOT}/-100123`,
    [BOT],
    (body) => {
      assert.deepEqual([body.chat_id, body.parse_mode], ["-100123", "HTML"]);
      const text = body.text.replace(/^<b>(.*)<\/b>/, "$1");
      assert.doesNotMatch(text, /[<>]/);
      assert.ok(unescapeHtml(text).length <= 4096);
      return unescapeHtml(text);
    },
    (telegram) => ({ telegram, pushover: "http://127.0.0.1:1" }),
  ),
  webhook: overHttp(hook, HOOK_SECRETS, (body) => {
    assert.equal(body.version, 1);
    return `${body.title}\n${body.text}`;
  }),
};
