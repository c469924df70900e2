/** Logs in to an SSH server whose host key is pinned. */
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Client, ConnectConfig } from "ssh2";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { RunFailedError } from "../../ports.ts";

const READY_TIMEOUT = 20_000;
/**
 * Interval of keepalives, in milliseconds, and the number of unanswered keepalives after which a peer
 * counts as gone.
 */
const KEEPALIVE_INTERVAL = 10_000;
const KEEPALIVE_COUNT = 3;

/**
 * Ciphers, the fastest first. ChaCha20 is left out, although every server supports it. ssh2 makes a ChaCha20
 * cipher for each packet and never ends it, so Deno's node:crypto never frees it. This takes 50 MB of memory
 * for each gigabyte sent.
 */
const CIPHERS = [
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
] as const;

/**
 * Types of host keys, each with its algorithms. A server has one key of each type and shows one of them to
 * each client. The shown key might be of another type than the pinned key.
 */
const KEY_KINDS = [
  ["ssh-ed25519"],
  ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  ["rsa-sha2-512", "rsa-sha2-256"],
] as const;
type KeyAlgorithms = readonly (typeof KEY_KINDS)[number][number][];

type Ssh2 = typeof import("ssh2");

/**
 * Returns the ssh2 library. Loads it on first use, so that it takes no memory in an agent without SFTP
 * destinations.
 */
async function loadSsh2(): Promise<Ssh2> {
  // ssh2's WebAssembly loader reads `__dirname` when it is imported. A bundle does not define `__dirname`.
  (globalThis as { __dirname?: string }).__dirname ??= import.meta.dirname ?? "/";
  return (await import("ssh2") as unknown as { default: Ssh2 }).default;
}

/** A failed log-in. `isTransient` is true if the same log-in might succeed later. */
export class LoginFailedError extends RunFailedError {
  /** Whether the host name could not be resolved. */
  get isUnknownHost(): boolean {
    return (this.cause as { code?: unknown } | undefined)?.code === "ENOTFOUND";
  }

  constructor(message: string, readonly isTransient: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Returns `user@host:port`, for output and errors. */
export function describeServer({ username, host, port }: Spec): string {
  return `${username}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Logs in and returns the connection. If the log-in fails, rejects with a {@link LoginFailedError} whose
 * message names the setting to change. Rejects with the signal's reason if the signal aborts.
 */
export async function logIn(spec: Spec, signal: AbortSignal): Promise<Client> {
  const ssh2 = await loadSsh2();
  const presented: string[] = [];
  for (const kinds of [KEY_KINDS.flat(), ...KEY_KINDS]) {
    const result = await attempt(ssh2, spec, kinds, signal);
    if ("client" in result) return result.client;
    if (result.isTrusted || presented.length === 0 && result.fingerprint === null) throw result.error;
    // The fingerprint is null if the server has no host key of this type.
    if (result.fingerprint !== null) presented.push(result.fingerprint);
    if (spec.host_key === null) break;
  }
  throw unpinned(spec, [...new Set(presented)]);
}

type Attempt =
  | { client: Client }
  | {
    error: RunFailedError;
    /** Whether the server showed the pinned host key. If so, the log-in failed for another reason. */
    isTrusted: boolean;
    /** Fingerprint of a host key other than the pinned one; null if the server showed no other key. */
    fingerprint: string | null;
  };

function attempt(ssh2: Ssh2, spec: Spec, algorithms: KeyAlgorithms, signal: AbortSignal): Promise<Attempt> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Attempt>();
  const client = new ssh2.Client();
  let isTrusted = false;
  let fingerprint: string | null = null;
  const abort = () => {
    client.destroy();
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  const settle = (result: Attempt) => {
    signal.removeEventListener("abort", abort);
    if (!("client" in result)) client.destroy();
    resolve(result);
  };
  client.on("ready", () => settle({ client }));
  const fail = (error: Error) => settle({ error: loginError(spec, error), isTrusted, fingerprint });
  client.on("error", fail);
  client.on("close", () => fail(new Error("closed")));
  client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) => {
    answer(prompts.map(() => spec.password ?? ""));
  });
  const config: ConnectConfig = {
    host: spec.host,
    port: spec.port,
    username: spec.username,
    password: spec.password ?? undefined,
    privateKey: spec.private_key ?? undefined,
    tryKeyboard: spec.password !== null,
    readyTimeout: READY_TIMEOUT,
    keepaliveInterval: KEEPALIVE_INTERVAL,
    keepaliveCountMax: KEEPALIVE_COUNT,
    algorithms: { cipher: [...CIPHERS], serverHostKey: [...algorithms] },
    hostVerifier: (key: Buffer) => {
      const shown = fingerprintOf(key);
      isTrusted = spec.host_key !== null && shown === normalized(spec.host_key);
      if (!isTrusted) fingerprint = shown;
      return isTrusted;
    },
  };
  try {
    client.connect(config);
  } catch (error) {
    fail(error as Error);
  }
  return promise;
}

/** Returns a key's fingerprint as `ssh-keygen -l` prints it. */
function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

function normalized(fingerprint: string): string {
  const text = fingerprint.trim().replace(/=+$/, "");
  return text.startsWith("SHA256:") ? text : `SHA256:${text}`;
}

function unpinned(spec: Spec, presented: readonly string[]): RunFailedError {
  const place = describeServer(spec);
  const keys = presented.join(", ");
  if (spec.host_key === null) {
    return new LoginFailedError(
      `Cannot trust ${place}: no host key is pinned, and it presented ${keys}. Compare that with ` +
        "`ssh-keygen -lf` on the server's own host key, and set sftp_host_key to it.",
      false,
    );
  }
  return new LoginFailedError(
    `Cannot trust ${place}: its host key is not the pinned ${
      normalized(spec.host_key)
    }; it presented ${keys}. ` +
      "If the server's key was changed on purpose, set sftp_host_key to the new one; otherwise this may be an attack.",
    false,
  );
}

type LoginFailure = Error & { level?: string; code?: string };

const NETWORK: Record<string, string> = {
  ECONNREFUSED: "it refuses the connection. Check sftp_host, sftp_port and whether its SSH server runs.",
  ENOTFOUND: "the host name does not exist. Check sftp_host and this server's DNS.",
  EAI_AGAIN: "its name can't be resolved now. Check this server's DNS.",
  EHOSTUNREACH: "there is no route to it. Check sftp_host and the network.",
  ENETUNREACH: "there is no route to it. Check sftp_host and the network.",
  ETIMEDOUT: "it does not answer. Check sftp_host, sftp_port and the firewalls between.",
  ECONNRESET: "it closed the connection. Check its SSH server's log.",
};

function loginError(spec: Spec, error: LoginFailure): LoginFailedError {
  const fail = (reason: string, isTransient = false) =>
    new LoginFailedError(`Cannot connect to ${describeServer(spec)}: ${reason}`, isTransient, {
      cause: error,
    });
  if (error.level === "client-authentication") return fail(refusal(spec));
  if (error.level === "client-timeout") return fail(NETWORK["ETIMEDOUT"]!, true);
  const known = NETWORK[error.code ?? ""];
  if (known !== undefined) return fail(known, true);
  if (/parse privateKey|private key/i.test(error.message)) {
    return fail(
      /encrypted/i.test(error.message)
        ? "sftp_private_key is protected by a passphrase. Send it again, with sftp_private_key_passphrase."
        : "sftp_private_key is in an unsupported format. Send it again: it is converted before it is stored.",
    );
  }
  if (/handshake failed/i.test(error.message)) {
    return fail("it offers no supported cipher (AES-CTR, AES-GCM), key exchange or host key.");
  }
  return fail("it closed the connection. Check its SSH server's log.", true);
}

function refusal({ password, private_key }: Spec): string {
  const tried = private_key === null
    ? "password"
    : password === null
    ? "private key"
    : "private key and the password";
  return `the server does not let the user in with the ${tried}. Check sftp_username and what it logs in with.`;
}
