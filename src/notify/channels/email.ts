/** Sends email through the operator's SMTP server. */
import { createTransport } from "nodemailer";
import { tlsReason } from "../../domain/tls_fault.ts";
import { withDates } from "../../network/tls_agent.ts";
import { DeliveryError } from "../delivery_error.ts";
import { bodyText } from "../build_message.ts";
import type { Channel } from "./channel.ts";

/** Time limits for each step of sending, and for all steps together, in milliseconds. */
const STEP_TIMEOUT = 10_000;
const WHOLE_TIMEOUT = 30_000;

export const email: Channel = {
  label: "Email",
  valueHelp: "an address, or several separated by commas",
  valueProblem: (value) => emailProblem(emailAddresses(value)),
  digest: { characters: 100_000 },
  async send(value, message, { smtp, signal }) {
    if (smtp === null) {
      throw new DeliveryError("No mail server is set up: the operator sets SMTP_URL and SMTP_FROM");
    }
    const transport = createTransport({
      url: smtp.url,
      requireTLS: hasRemoteLogin(smtp.url),
      connectionTimeout: STEP_TIMEOUT,
      greetingTimeout: STEP_TIMEOUT,
      socketTimeout: STEP_TIMEOUT,
      dnsTimeout: STEP_TIMEOUT,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const limit = AbortSignal.timeout(WHOLE_TIMEOUT);
    const sent = transport.sendMail({
      from: smtp.from,
      to: emailAddresses(value).map((address) => ({ name: "", address })),
      subject: `[Rearguard] ${message.title}`,
      text: `${message.title}\n\n${bodyText(message)}\n`,
      messageId: `<${message.id}@rearguard.invalid>`,
      // RFC 3834: this header suppresses automatic replies.
      headers: { "Auto-Submitted": "auto-generated" },
    });
    try {
      const { rejected } = await Promise.race([sent, rejectOnAbort(AbortSignal.any([signal, limit]))]);
      const refused = (rejected as (string | { address: string })[]).map((each) =>
        typeof each === "string" ? each : each.address
      );
      // The message counts as sent even if the server refused some recipients. A retry would send the message
      // again to the recipients that already have it.
      if (refused.length > 0) return { note: `Sent, but the mail server refused ${refused.join(", ")}.` };
    } catch (cause) {
      sent.catch(() => {}); // the error is reported below
      signal.throwIfAborted();
      throw new DeliveryError(
        limit.aborted ? "The mail server took too long" : await describeError(cause, smtp.url),
      );
    } finally {
      transport.close();
    }
  },
};

/** Maximum number of addresses in one stream. */
const MAX_ADDRESSES = 20;

/** Splits a list of addresses at commas, semicolons and white space. */
function emailAddresses(value: string): string[] {
  return value.split(/[\s,;]+/).filter((address) => address !== "");
}

function emailProblem(addresses: readonly string[]): string | null {
  const isAddress = (address: string) =>
    /^[^\s@"<>(),;:\\]+@[^\s@.]+(\.[^\s@.]+)+$/.test(address) && address.length <= 254;
  if (addresses.length === 0) return "must be an email address";
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong !== undefined) {
    return addresses.length === 1
      ? "must be an email address"
      : "must be email addresses, separated by commas";
  }
  if (addresses.length > MAX_ADDRESSES) return `must be at most ${MAX_ADDRESSES} email addresses`;
  return new Set(addresses.map((address) => address.toLowerCase())).size < addresses.length
    ? "must be email addresses that differ"
    : null;
}

/**
 * Returns true if `url` is an `smtp:` URL with a user name, and its server is on another machine. The
 * connection must then use TLS, so that the password is not sent in the clear.
 */
function hasRemoteLogin(url: string): boolean {
  const { protocol, username, hostname } = new URL(url);
  return protocol === "smtp:" && username !== "" &&
    !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}

/**
 * Explains an error of Nodemailer (codes: https://nodemailer.com/errors). Shows only the code of the server's
 * response, because the response's text might contain the login.
 */
async function describeError(error: unknown, url: string): Promise<string> {
  const cause = await withDates(error, new URL(url), undefined);
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  const answer = responseCode === undefined ? "" : ` (${responseCode})`;
  const tls = responseCode === undefined && code !== "EAUTH" ? tlsReason(cause) : null;
  if (tls !== null) return `The mail server can't be reached safely: ${tls}`;
  switch (code) {
    case "EAUTH":
      return `The mail server refused the login${answer}: the operator checks SMTP_URL`;
    case "EENVELOPE":
      return `The mail server refused the address or the sender${answer}`;
    case "EMESSAGE":
      return `The mail server refused the message${answer}`;
    case "ETLS":
      return "The mail server's certificate is not trusted, or it does not speak TLS";
    case "EDNS":
      return "The mail server's host name can't be found";
    case "ETIMEDOUT":
      return "The mail server did not answer in time";
    default:
      return responseCode === undefined
        ? "The mail server can't be reached: the operator checks SMTP_URL"
        : `The mail server refused the message${answer}`;
  }
}
