/**
 * Reads the configuration from the environment, once, at the start. docs/operate/configuration.md describes
 * each variable.
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { type OpenidSettings, parseGroupGrants } from "./domain/access/openid.ts";
import { databaseUrlProblem } from "./domain/database/database_url.ts";
import { DEFAULT_AUDIT_LOG_DAYS } from "./domain/audit.ts";
import { MESSAGE_INTERVAL } from "./domain/notifications/notification.ts";
import { DEFAULT_RUN_TIMES, type RunTimes } from "./domain/run.ts";
import { DEFAULT_DELETE_DELAY_DAYS, LONGEST_DELETE_DELAY_DAYS } from "./domain/trash.ts";
import { AddressPolicy, SETTING as ADDRESSES } from "./network/address_policy.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"] as const;
const LOG_FORMATS = ["pretty", "json"] as const;

export interface Config {
  /** URL of the database; null for the embedded Postgres. */
  readonly databaseUrl: string | null;
  /** Absolute path of the data directory. */
  readonly dataDirectory: string;
  readonly host: string;
  /** Port to listen on; 0 means any free port. */
  readonly port: number;
  /**
   * URL at which users and agents reach this control plane, without a trailing slash. Null means the address
   * that the control plane listens on.
   */
  readonly publicUrl: string | null;
  /** Keys that encrypt secrets, 32 bytes each, the current key first; null if they are in `secretKeyFile`. */
  readonly secretKeys: readonly Uint8Array[] | null;
  /** Absolute path of the file with the secret keys. */
  readonly secretKeyFile: string;
  /**
   * Ids of keys that are lost for good. Values encrypted with these keys stay unreadable, and do not prevent
   * the start.
   */
  readonly lostKeyIds: readonly string[];
  readonly bootstrapToken: string | null;
  readonly localAgent: boolean;
  readonly logLevel: typeof LOG_LEVELS[number];
  readonly logFormat: typeof LOG_FORMATS[number];
  readonly rateLimitPerMinute: number;
  /** Maximum number of failed authentications per minute from one client address. */
  readonly authFailuresPerMinute: number;
  /** IP addresses and ranges (`address/bits`) of trusted proxies. */
  readonly trustedProxies: readonly string[];
  /** How many days the audit log keeps entries; 0 means forever. */
  readonly auditLogDays: number;
  /** How many days the trash keeps deleted records. */
  readonly deleteDelayDays: number;
  /** The mail server and the sender of emails; null if no mail is sent. */
  readonly smtp: { readonly url: string; readonly from: string } | null;
  /** URL of a document that names the newest version of Rearguard; null if none is read. */
  readonly updateUrl: string | null;
  /** Minimum interval between two messages to one notification stream, in milliseconds. */
  readonly messageInterval: number;
  /** The OpenID Connect provider with which users can log in; null for none. */
  readonly openid: OpenidSettings | null;
  /** Decides whether the control plane is allowed to connect to an address that a user entered. */
  readonly addressPolicy: AddressPolicy;
  readonly runTimes: RunTimes;
}

/** Values for settings whose environment variables are not set. */
export interface ConfigDefaults {
  readonly localAgent: boolean;
  readonly isRoot: boolean;
}

/** Reports all invalid variables in one line, without the values of secret variables. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration. A variable with an empty value counts as not set. Throws a {@link ConfigError} if
 * a variable is invalid.
 */
export function readConfig(environment: Environment, defaults: ConfigDefaults): Config {
  const variables = new Variables(environment);
  const dataDirectory = resolve(
    variables.path("DATA_DIR") ?? (defaults.isRoot ? "/var/lib/rearguard" : "./data"),
  );
  const config: Config = {
    databaseUrl: databaseUrl(variables),
    dataDirectory,
    host: variables.parse("HOST", host, "a host name or an IP address") ?? "127.0.0.1",
    port: variables.parse("PORT", wholeNumber(0, 65535), "a whole number from 0 to 65535") ?? 8000,
    publicUrl: variables.parse("PUBLIC_URL", webUrl, "an http:// or https:// URL without query or fragment"),
    secretKeys: variables.parse("SECRET_KEY", parseSecretKeys, SECRET_KEY_SHAPE),
    secretKeyFile: resolve(variables.path("SECRET_KEY_FILE") ?? `${dataDirectory}/secret.key`),
    lostKeyIds: variables.parse("LOST_SECRET_KEYS", keyIds, "key ids of eight hex digits, comma separated") ??
      [],
    bootstrapToken: variables.parse("BOOTSTRAP_TOKEN", token, "16 to 255 characters without spaces"),
    localAgent: variables.parse("LOCAL_AGENT", yesOrNo, "0 or 1") ?? defaults.localAgent,
    logLevel: variables.parse("LOG_LEVEL", oneOf(LOG_LEVELS), `one of ${LOG_LEVELS.join(", ")}`) ?? "info",
    logFormat: variables.parse("LOG_FORMAT", oneOf(LOG_FORMATS), `one of ${LOG_FORMATS.join(", ")}`) ??
      "pretty",
    rateLimitPerMinute: variables.parse(
      "RATE_LIMIT_PER_MINUTE",
      wholeNumber(0, 1_000_000),
      "a whole number from 0 (no limit) to 1000000",
    ) ?? 3000,
    authFailuresPerMinute: variables.parse(
      "AUTH_FAILURES_PER_MINUTE",
      wholeNumber(0, 1_000_000),
      "a whole number from 0 (no limit) to 1000000",
    ) ?? 30,
    trustedProxies: variables.parse(
      "TRUSTED_PROXIES",
      addressRanges,
      "IP addresses, or ranges such as 10.0.0.0/8, comma separated",
    ) ?? [],
    auditLogDays: variables.parse(
      "AUDIT_LOG_DAYS",
      auditLogDays,
      "0 (kept for ever), or a whole number of days from 90 to 36500",
    ) ?? DEFAULT_AUDIT_LOG_DAYS,
    deleteDelayDays: variables.parse(
      "DELETE_DELAY_DAYS",
      wholeNumber(0, LONGEST_DELETE_DELAY_DAYS),
      `a whole number of days from 0 to ${LONGEST_DELETE_DELAY_DAYS}`,
    ) ?? DEFAULT_DELETE_DELAY_DAYS,
    smtp: readSmtp(variables),
    openid: readOpenid(variables),
    updateUrl: variables.parse(
      "UPDATE_URL",
      secureUrl,
      "an https:// URL without user, password or fragment",
    ),
    messageInterval: (variables.parse(
      "NOTIFICATION_INTERVAL_SECONDS",
      wholeNumber(0, 86_400),
      "a whole number of seconds from 0 to 86400",
    ) ?? MESSAGE_INTERVAL / 1000) * 1000,
    addressPolicy: variables.parse(
      ADDRESSES,
      AddressPolicy.parse,
      "0, 1, or addresses and networks such as 10.0.0.0/8, with commas",
    ) ?? AddressPolicy.publicOnly,
    runTimes: {
      lease: seconds(variables, "RUN_LEASE_SECONDS", DEFAULT_RUN_TIMES.lease),
      grace: seconds(variables, "RUN_GRACE_SECONDS", DEFAULT_RUN_TIMES.grace),
      acceptance: seconds(variables, "RUN_ACCEPTANCE_SECONDS", DEFAULT_RUN_TIMES.acceptance),
      start: seconds(variables, "RUN_START_SECONDS", DEFAULT_RUN_TIMES.start),
      cancel: seconds(variables, "RUN_CANCEL_SECONDS", DEFAULT_RUN_TIMES.cancel),
      stallWarning: seconds(variables, "RUN_STALL_WARNING_SECONDS", DEFAULT_RUN_TIMES.stallWarning),
      stallTimeout: seconds(variables, "RUN_STALL_TIMEOUT_SECONDS", DEFAULT_RUN_TIMES.stallTimeout),
      lockWait: seconds(variables, "RUN_LOCK_WAIT_SECONDS", DEFAULT_RUN_TIMES.lockWait),
      overdue: seconds(variables, "RUN_OVERDUE_SECONDS", DEFAULT_RUN_TIMES.overdue),
      offline: seconds(variables, "AGENT_OFFLINE_SECONDS", DEFAULT_RUN_TIMES.offline),
    },
  };
  if (config.secretKeys !== null && variables.text("SECRET_KEY_FILE") !== null) {
    variables.refuse("SECRET_KEY and SECRET_KEY_FILE must not both be set");
  }
  variables.throwRefused();
  return config;
}

/**
 * Parses secret keys that are separated by commas or white space. Each key has 32 bytes, in base64 or
 * hexadecimal. Returns the keys in the order of the text. The first key is the current key. Returns null if
 * there is no key, or if a key is malformed.
 */
export function parseSecretKeys(text: string): Uint8Array[] | null {
  const keys: Uint8Array[] = [];
  for (const word of text.split(/[\s,]+/).filter((word) => word !== "")) {
    const encoding = /^[0-9a-f]{64}$/i.test(word) ? "hex" : "base64";
    if (encoding === "base64" && !/^[A-Za-z0-9+/_-]{43}=?$/.test(word)) return null;
    keys.push(new Uint8Array(Buffer.from(word, encoding)));
  }
  return keys.length === 0 ? null : keys;
}

function keyIds(text: string): string[] | null {
  const ids = text.split(/[\s,]+/).filter((id) => id !== "");
  return ids.every((id) => /^[0-9a-f]{8}$/.test(id)) ? ids : null;
}

export const SECRET_KEY_SHAPE =
  "32 bytes in base64 or hex (openssl rand -base64 32), or several of them, comma separated";

class Variables {
  readonly #refused: string[] = [];
  constructor(readonly environment: Environment) {}

  text(name: string): string | null {
    return this.environment[name]?.trim() || null;
  }

  /**
   * Returns the value of a variable that contains a path; null if the variable is not set. The value is not
   * trimmed, because a blank at the end can be part of a path.
   */
  path(name: string): string | null {
    return this.text(name) === null ? null : this.environment[name]!;
  }

  /**
   * Parses a variable. Returns null if the variable is not set. An invalid value also gives null, and is
   * reported when {@link throwRefused} is called. `shape` describes valid values in the error message.
   */
  parse<T>(name: string, parse: (text: string) => T | null, shape: string): T | null {
    const text = this.text(name);
    if (text === null) return null;
    const value = parse(text);
    if (value === null) this.refuse(`${name} must be ${shape}`);
    return value;
  }

  refuse(reason: string): void {
    this.#refused.push(reason);
  }

  throwRefused(): void {
    if (this.#refused.length > 0) throw new ConfigError(`Cannot start: ${this.#refused.join("; ")}`);
  }
}

/** Reads SMTP_URL and SMTP_FROM, which must be set together. Returns null if they are not set. */
function readSmtp(variables: Variables): Config["smtp"] {
  const url = variables.parse("SMTP_URL", smtpUrl, "an smtp:// or smtps:// URL with a host");
  const from = variables.parse("SMTP_FROM", sender, "an email address, or Name <address>");
  if ((variables.text("SMTP_URL") === null) !== (variables.text("SMTP_FROM") === null)) {
    variables.refuse("SMTP_URL and SMTP_FROM must be set together");
  }
  return url === null || from === null ? null : { url, from };
}

/** Reads the settings of an OpenID Connect provider. Returns null if there is none. */
function readOpenid(variables: Variables): OpenidSettings | null {
  const issuer = variables.parse(
    "OIDC_ISSUER",
    issuerUrl,
    "the provider's https:// URL (http:// only on this machine), without query or fragment",
  );
  const secretFile = variables.path("OIDC_CLIENT_SECRET_FILE");
  const settings = {
    clientId: variables.text("OIDC_CLIENT_ID"),
    clientSecretFile: secretFile === null ? null : resolve(secretFile),
    label: variables.text("OIDC_LABEL") ?? (issuer === null ? "" : new URL(issuer).hostname),
    scopes: variables.parse("OIDC_SCOPES", scopes, "scopes with blanks between, openid among them") ??
      "openid email profile",
    groupsClaim: variables.text("OIDC_GROUPS_CLAIM") ?? "groups",
    grants: variables.parse(
      "OIDC_ROLES",
      parseGroupGrants,
      "entries group=administrator or group=role@workspace-id, comma separated",
    ) ?? [],
    createsUsers: variables.parse("OIDC_CREATE_USERS", yesOrNo, "0 or 1") ?? false,
  };
  const { clientId } = settings;
  if ((variables.text("OIDC_ISSUER") === null) !== (clientId === null)) {
    variables.refuse("OIDC_ISSUER and OIDC_CLIENT_ID must be set together");
  }
  if (issuer === null || clientId === null) return null;
  if (variables.text("PUBLIC_URL") === null) {
    variables.refuse("OIDC_ISSUER needs PUBLIC_URL: the provider sends browsers back there");
  }
  return { ...settings, issuer, clientId };
}

/**
 * Returns the issuer unchanged, as the provider writes it; null if it is not valid. Plain http is valid only
 * for a provider on this machine.
 */
function issuerUrl(text: string): string | null {
  const url = webUrl(text) === null ? null : new URL(text);
  if (url === null) return null;
  const isLocal = /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || isLocal ? text : null;
}

function scopes(text: string): string | null {
  const words = text.split(/\s+/);
  return words.includes("openid") && words.every((word) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word))
    ? words.join(" ")
    : null;
}

/**
 * Reads a variable whose unit is seconds. Returns milliseconds. If the variable is not set, returns the
 * default `otherwise`.
 */
function seconds(variables: Variables, name: string, otherwise: number): number {
  const given = variables.parse(
    name,
    wholeNumber(1, 31_536_000),
    "a whole number of seconds from 1 to 31536000",
  );
  return given === null ? otherwise : given * 1000;
}

function wholeNumber(least: number, most: number): (text: string) => number | null {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most ? value : null;
  };
}

/**
 * Parses a number of days: 0, or at least 90. A number in between is refused, because the database deletes no
 * entry younger than 90 days.
 */
function auditLogDays(text: string): number | null {
  return text === "0" ? 0 : wholeNumber(90, 36_500)(text);
}

function addressRanges(text: string): string[] | null {
  const ranges = text.split(/[\s,]+/).filter((range) => range !== "");
  const isRange = (range: string) => {
    const [address, bits, ...more] = range.split("/");
    const family = isIP(address!);
    return family !== 0 && more.length === 0 && !address!.includes("%") &&
      (bits === undefined || wholeNumber(0, family === 6 ? 128 : 32)(bits) !== null);
  };
  return ranges.every(isRange) ? ranges : null;
}

function oneOf<T extends string>(allowed: readonly T[]): (text: string) => T | null {
  return (text) => allowed.find((value) => value === text.toLowerCase()) ?? null;
}

function yesOrNo(text: string): boolean | null {
  if (["1", "true"].includes(text.toLowerCase())) return true;
  return ["0", "false"].includes(text.toLowerCase()) ? false : null;
}

function databaseUrl(variables: Variables): string | null {
  const text = variables.text("DATABASE_URL");
  const problem = text === null ? null : databaseUrlProblem(text);
  if (problem === null) return text;
  variables.refuse(
    `DATABASE_URL must be a postgres:// URL of servers that take writes (postgres://USER@HOST:PORT,HOST:PORT/DATABASE): ${problem}`,
  );
  return null;
}

function host(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  return /^[A-Za-z0-9._:%-]+$/.test(bare) ? bare : null;
}

/**
 * Accepts only a URL without a query. Options in a query could turn off certificate checks, or turn on a log
 * of what is sent.
 */
function smtpUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !["smtp:", "smtps:"].includes(url.protocol) || url.hostname === "") return null;
  return url.search === "" && url.hash === "" && ["", "/"].includes(url.pathname) ? text : null;
}

function sender(text: string): string | null {
  const address = /^(?:[^<>\r\n"]*<([^<>\s]+)>|([^<>\s]+))$/.exec(text);
  return /^[^\s@,;]+@[^\s@,;]+$/.test(address?.[1] ?? address?.[2] ?? "") ? text : null;
}

function webUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (!["http:", "https:"].includes(url.protocol)) return null;
  if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") return null;
  return url.href.replace(/\/+$/, "");
}

function secureUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "https:") return null;
  return url.hash === "" && url.username === "" && url.password === "" ? url.href : null;
}

function token(text: string): string | null {
  return /^[\x21-\x7e]{16,255}$/.test(text) ? text : null;
}
