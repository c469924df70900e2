/** Sends to ntfy: https://docs.ntfy.sh/publish/#publish-as-json */
import { bodyText } from "../build_message.ts";
import type { Message } from "../notification_message.ts";
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

/**
 * Maximum size of a text as JSON, in bytes. A server turns a message of more than 4,096 bytes into an
 * attachment.
 */
const TEXT_LIMIT = 4000;

/** ntfy's priorities are 1 to 5; the default is 3. */
const PRIORITIES: Readonly<Record<Message["tone"], number>> = { good: 3, warning: 3, bad: 4 };
/** Tags that ntfy's apps show as emojis. */
const TAGS: Readonly<Record<Message["tone"], string>> = {
  good: "white_check_mark",
  warning: "warning",
  bad: "rotating_light",
};

export const ntfy: Channel = {
  label: "ntfy",
  valueHelp:
    "the https URL of a topic, with `:<access token>@` or `<user>:<password>@` before the host if it " +
    "needs a login",
  valueProblem(value) {
    const problem = httpsValue.valueProblem(value);
    if (problem !== null) return problem;
    const url = new URL(value);
    if (!/^[-_A-Za-z0-9]{1,64}$/.test(topicOf(url).topic)) {
      return "must end with a topic of ntfy: up to 64 letters, digits, - and _";
    }
    return loginOf(url) === null ? "must have a percent-encoded user and password, or an access token" : null;
  },
  urlOf: httpsValue.urlOf,
  // The limit is in bytes, and a character can take up to three bytes.
  digest: { characters: TEXT_LIMIT / 3 },
  async send(value, message, { outgoing, signal }) {
    const url = new URL(value);
    const { server, topic } = topicOf(url);
    const login = loginOf(url)!;
    await outgoing.post({
      url: server,
      signal,
      headers: login.headers,
      body: {
        topic,
        title: message.title,
        message: shortBody(message),
        priority: PRIORITIES[message.tone],
        tags: [TAGS[message.tone]],
      },
      explain: (answer) => errorOf(answer, [topic, ...login.secrets]),
    });
  },
};

/** Splits `https://ntfy.example/topic` into the topic and the server's URL, to which JSON is posted. */
function topicOf({ origin, pathname }: URL): { server: string; topic: string } {
  const path = pathname.replace(/\/$/, "");
  const start = path.lastIndexOf("/") + 1;
  return { server: `${origin}${path.slice(0, start)}`, topic: path.slice(start) };
}

interface Login {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** Returns the login in a URL; null if it cannot be decoded. A password without a user is an access token. */
function loginOf({ username, password }: URL): Login | null {
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    if (user === "" && secret === "") return { headers: {}, secrets: [] };
    if (user === "") {
      if (!/^[\x21-\x7e]+$/.test(secret)) return null;
      return { headers: { Authorization: `Bearer ${secret}` }, secrets: [secret] };
    }
    const login = new TextEncoder().encode(`${user}:${secret}`).toBase64();
    return {
      headers: { Authorization: `Basic ${login}` },
      secrets: [login, secret].filter((each) => each !== ""),
    };
  } catch {
    return null; // not percent-encoded UTF-8
  }
}

function shortBody(message: Message): string {
  const size = (text: string) => new TextEncoder().encode(JSON.stringify(text)).length;
  let text = bodyText(message, TEXT_LIMIT);
  // A UTF-16 unit takes at most six bytes in JSON. So at least `excess / 6` units must go, and no round cuts
  // more than that.
  for (let excess = size(text) - TEXT_LIMIT; excess > 0; excess = size(text) - TEXT_LIMIT) {
    text = bodyText(message, text.length - Math.ceil(excess / 6));
  }
  return text;
}

/**
 * Returns the `error` in a response like `{"code": 40301, "http": 403, "error": "forbidden"}`. Returns null
 * if there is none, or if it contains a secret.
 */
function errorOf(answer: string, secrets: readonly string[]): string | null {
  try {
    const { error } = JSON.parse(answer) as { error?: unknown };
    if (typeof error !== "string" || error === "") return null;
    return secrets.some((secret) => error.includes(secret)) ? null : error.slice(0, 200);
  } catch {
    return null; // not JSON: no explanation
  }
}
