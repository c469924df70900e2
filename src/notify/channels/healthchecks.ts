/**
 * Pings a service that raises an alarm if a run does not end in time. The URL tells which service it is:
 * - Cronitor (https://cronitor.io/docs/telemetry-api).
 * - A push monitor of Uptime Kuma.
 * - Healthchecks (https://healthchecks.io/docs/http_api/), if the URL belongs to neither of these.
 */
import type { NotificationEventName } from "../../domain/notifications/event_classes.ts";
import type { NotifiedRun } from "../../domain/notifications/notification.ts";
import { bodyText } from "../build_message.ts";
import type { Message } from "../notification_message.ts";
import { cut } from "../text.ts";
import type { Channel } from "./channel.ts";
import { httpsValue } from "./https_value.ts";

type Step = "start" | "success" | "failure" | "test";

const STEPS: Partial<Record<NotificationEventName, Step>> = {
  "backup.started": "start",
  "backup.succeeded": "success",
  "backup.failed": "failure",
  "backup.lost": "failure",
  "test": "test",
};

/** A request to the service. With `text`, the request is a POST of this text. Without `text`, it is a GET. */
interface Ping {
  readonly url: URL;
  readonly text?: string;
}

export const healthchecks: Channel = {
  label: "Healthchecks",
  valueHelp: "the https ping URL of Healthchecks or Cronitor, or the push URL of Uptime Kuma",
  valueProblem(value) {
    const problem = httpsValue.valueProblem(value);
    if (problem !== null) return problem;
    const url = new URL(value);
    return pingOf(url) === pingHealthchecks && /\/(start|fail|log)\/?$/.test(url.pathname)
      ? "must be the ping URL itself, without /start, /fail or /log"
      : null;
  },
  urlOf: httpsValue.urlOf,
  digest: null,
  async send(value, message, { outgoing, signal }) {
    const step = STEPS[message.event.event];
    const url = new URL(value);
    // Skip an event that has no step in `STEPS`. Such an event can be queued if the stream had another
    // channel at that time.
    const ping = step === undefined ? null : pingOf(url)(url, step, message);
    if (ping === null) return { isSkipped: true };
    const request = { url: ping.url.href, signal, explain };
    if (ping.text === undefined) await outgoing.get(request);
    else await outgoing.postText({ ...request, text: ping.text });
  },
};

function pingOf({ hostname, pathname }: URL) {
  if (/(^|\.)cronitor\.(link|io)$/.test(hostname)) return pingCronitor;
  return /\/api\/push\/[^/]+\/?$/.test(pathname) ? pingUptimeKuma : pingHealthchecks;
}

const SUFFIXES: Readonly<Record<Step, string>> = {
  start: "/start",
  success: "",
  failure: "/fail",
  // The service records this ping without changing the check's status.
  test: "/log",
};

function pingHealthchecks(url: URL, step: Step, message: Message): Ping {
  const { run } = message.event;
  const ping = new URL(url);
  ping.pathname = url.pathname.replace(/\/+$/, "") + SUFFIXES[step];
  if (run !== null) ping.searchParams.set("rid", runUuid(run));
  return { url: ping, text: `${message.title}\n${bodyText(message)}` };
}

/** Returns a UUID that all pings of a run share, so that the service can measure the time between them. */
function runUuid({ id }: NotifiedRun): string {
  return `00000000-0000-8000-8000-${id.toString(16).padStart(12, "0")}`;
}

const STATES: Readonly<Record<Step, string>> = {
  start: "run",
  success: "complete",
  failure: "fail",
  test: "ok",
};

function pingCronitor(url: URL, step: Step, message: Message): Ping {
  const { run } = message.event;
  return {
    url: withParameters(url, {
      state: STATES[step],
      message: summaryOf(message),
      ...run === null ? {} : { series: `rearguard-${run.id}` },
    }),
  };
}

/** Maximum duration of a run in a ping, in milliseconds. Uptime Kuma refuses a longer duration. */
const MAX_PING = 86_400_000;

/**
 * Returns the ping for Uptime Kuma. Returns null for the start of a run, because Uptime Kuma would take a
 * ping at the start for a success.
 */
function pingUptimeKuma(url: URL, step: Step, message: Message): Ping | null {
  if (step === "start") return null;
  const { started_at, finished_at } = message.event.run ?? {};
  const duration = started_at && finished_at ? Date.parse(finished_at) - Date.parse(started_at) : null;
  return {
    url: withParameters(url, {
      status: step === "failure" ? "down" : "up",
      msg: summaryOf(message),
      ping: duration === null || duration < 0 || duration > MAX_PING ? "" : String(duration),
    }),
  };
}

function withParameters(url: URL, parameters: Readonly<Record<string, string>>): URL {
  const ping = new URL(url);
  for (const [name, value] of Object.entries(parameters)) ping.searchParams.set(name, value);
  return ping;
}

/** Maximum number of characters of a summary. A URL needs up to nine characters for one character of text. */
const SUMMARY_LIMIT = 500;

function summaryOf({ title, event: { reason } }: Message): string {
  return cut(reason === null ? title : `${title}: ${reason}`, SUMMARY_LIMIT);
}

/**
 * Returns the reason for a refusal, if Uptime Kuma says that the token is unknown. Returns null for any other
 * response, because it might contain secrets.
 */
function explain(answer: string): string | null {
  return answer.includes("Monitor not found or not active") ? "its monitor is not found or not active" : null;
}
