/**
 * Reads a directory on an SSH server for `recover`, with the agent's SFTP client, which trusts only a pinned
 * host key.
 */
import askPassword from "@inquirer/password";
import process from "node:process";
import { runLimits } from "../../agent/engine/destinations/limits.ts";
import { readFile } from "../../agent/engine/destinations/sftp/reader.ts";
import { SftpSession, statusOf } from "../../agent/engine/destinations/sftp/session.ts";
import { RunFailedError } from "../../agent/engine/ports.ts";
import { PrivateKeyError, usablePrivateKey } from "../secrets/private_key.ts";
import type { Clock } from "../domain/clock.ts";
import { destinationDirectory } from "../definitions/destinations/location.ts";
import type { SftpDestination } from "../definitions/destinations/sftp.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { RecoveryError } from "./recovery_error.ts";

const PORT = 22;
/** A status code of SFTP (draft-ietf-secsh-filexfer-02). */
const PERMISSION_DENIED = 3;

type Address = Pick<SftpDestination, "host" | "port" | "username" | "directory">;

/**
 * Opens a directory on an SSH server as a repository.
 *
 * @param text `sftp://USER@HOST[:PORT]/DIRECTORY`; `/~/DIRECTORY` starts in the account's home directory.
 * @param environment `SFTP_HOST_KEY`: the fingerprint that `ssh-keygen -l` prints. `SFTP_PRIVATE_KEY_FILE`:
 *   the path of a private key, decrypted with `SFTP_PRIVATE_KEY_PASSPHRASE`. `SFTP_PASSWORD`: the password.
 *   If there is neither a key nor a password, the terminal prompts for a password.
 */
export async function openSftpRepository(
  text: string,
  environment: Record<string, string>,
  clock: Clock,
): Promise<BackupRepository> {
  const address = addressIn(text);
  const spec: SftpDestination = {
    type: "sftp",
    ...address,
    ...await loginFor(address, environment),
    host_key: environment.SFTP_HOST_KEY || null,
  };
  const { signal } = new AbortController();
  const session = await withSettingNames(() =>
    SftpSession.open(spec, { clock, signal, idleMs: runLimits().idleMs })
  );
  const below = (path: string) => destinationDirectory(locationOf(address.directory), path);
  const read = (path: string) =>
    withSettingNames(async () => {
      const found = await session.follow(below(path));
      if (found === null) throw new RunFailedError(`Cannot read ${below(path)}: it is not there`);
      return ReadableStream.from(readFile(session, below(path), 0, found.size, signal));
    });
  return {
    description: `SFTP ${address.username}@${address.host}:${address.port} ${address.directory}`,
    destination: {
      label: "Recovered",
      type: "sftp",
      values: {
        sftp_host: spec.host,
        sftp_port: spec.port,
        sftp_username: spec.username,
        sftp_password: spec.password,
        sftp_private_key: spec.private_key,
        sftp_host_key: spec.host_key,
        sftp_path: spec.directory,
      },
    },
    paths: (skip) => filesBelow(session, below, "", skip),
    read,
    directory: below,
    [Symbol.asyncDispose]: () => session.close(),
  };
}

/**
 * Parses the address. Refuses an address with a password, which would appear in the process list and in the
 * shell's history. The error does not repeat the password.
 */
function addressIn(text: string): Address {
  const url = URL.parse(text);
  const username = url === null ? "" : decodeURIComponent(url.username);
  if (url === null || url.hostname === "" || username === "" || url.search !== "" || url.hash !== "") {
    throw new RecoveryError(
      "Cannot recover from sftp://…: write sftp://USER@HOST:PORT/DIRECTORY, or /~/DIRECTORY below the account's home directory, " +
        "with %23 for # and %3F for ?",
    );
  }
  if (url.password !== "") {
    throw new RecoveryError(
      "Cannot recover from sftp://…: it contains a password, which other users can see. Put the password into SFTP_PASSWORD.",
    );
  }
  const path = decodeURIComponent(url.pathname);
  const inHome = /^\/~(?:\/(.*))?$/.exec(path);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? PORT : Number(url.port),
    username,
    directory: destinationDirectory(locationOf(inHome === null ? path || "." : inHome[1] || "."), ""),
  };
}

function locationOf(directory: string) {
  return { type: "sftp", settings: { sftp_path: directory } } as const;
}

async function loginFor(
  { host, username }: Address,
  environment: Record<string, string>,
): Promise<{ password: string | null; private_key: string | null }> {
  const { SFTP_PASSWORD: password, SFTP_PRIVATE_KEY_FILE: keyFile } = environment;
  if (keyFile) {
    const key = await readKey(keyFile, environment.SFTP_PRIVATE_KEY_PASSPHRASE || null);
    return { password: password || null, private_key: key };
  }
  if (password) return { password, private_key: null };
  if (!Deno.stdin.isTerminal()) {
    throw new RecoveryError(
      `Cannot log in to ${host}: set SFTP_PRIVATE_KEY_FILE or SFTP_PASSWORD in the environment`,
    );
  }
  const message = `The password of ${username} at ${host}:`;
  const entered = await askPassword({ message, toggleMask: false }, { output: process.stderr });
  return { password: entered, private_key: null };
}

async function readKey(path: string, passphrase: string | null): Promise<string> {
  try {
    return await usablePrivateKey(await Deno.readTextFile(path), passphrase);
  } catch (cause) {
    if (cause instanceof PrivateKeyError) {
      const reason = cause.message.replace("sftp_private_key_passphrase", "SFTP_PRIVATE_KEY_PASSPHRASE");
      const what = cause.isPassphrase ? "SFTP_PRIVATE_KEY_PASSPHRASE" : "it";
      throw new RecoveryError(`Cannot use the private key in ${path}: ${what} ${reason}`, { cause });
    }
    throw new RecoveryError(`Cannot read the private key in ${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Yields the files below a directory, without following symbolic links. Skips a directory that the user may
 * not read, such as `lost+found`.
 */
async function* filesBelow(
  session: SftpSession,
  below: (path: string) => string,
  directory: string,
  skip: (path: string, reason: string) => void,
): AsyncGenerator<string> {
  const inside: { path: string; isDirectory: boolean }[] = [];
  try {
    for (const { filename, attrs } of await withSettingNames(() => session.list(below(directory)))) {
      const path = directory === "" ? filename : `${directory}/${filename}`;
      if (attrs.isDirectory() || attrs.isFile()) inside.push({ path, isDirectory: attrs.isDirectory() });
    }
  } catch (error) {
    if (directory === "" || statusOf(rootCause(error)) !== PERMISSION_DENIED) throw error;
    return skip(directory, "the user may not read it");
  }
  for (const { path, isDirectory } of inside) {
    if (isDirectory) yield* filesBelow(session, below, path, skip);
    else yield path;
  }
}

function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error;
}

/** Maps the destination's settings to their names in this command's messages. */
const SETTINGS: Record<string, string> = {
  host_key: "SFTP_HOST_KEY",
  private_key: "SFTP_PRIVATE_KEY_FILE",
  host: "its host",
  port: "its port",
  username: "its user",
  path: "its directory",
};

async function withSettingNames<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    const text = error.message.replaceAll(/\bsftp_(\w+)/g, (name, setting) => SETTINGS[setting] ?? name);
    throw new RecoveryError(text, { cause: error });
  }
}
