/** Reads a directory on a WebDAV server for `recover`, with the agent's client. */
import askPassword from "@inquirer/password";
import process from "node:process";
import { DavClient } from "../../agent/engine/destinations/webdav/client.ts";
import { DavDirectory } from "../../agent/engine/destinations/webdav/directory.ts";
import { Connections } from "../../agent/engine/destinations/webdav/exchange.ts";
import { childrenOf } from "../../agent/engine/destinations/webdav/properties.ts";
import { davReader } from "../../agent/engine/destinations/webdav/reader.ts";
import { runLimits } from "../../agent/engine/destinations/limits.ts";
import { RunFailedError } from "../../agent/engine/ports.ts";
import { destinationDirectory } from "../definitions/destinations/location.ts";
import type { Clock } from "../domain/clock.ts";
import { innerSegments } from "../domain/location.ts";
import { TlsAgent } from "../network/tls_agent.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { RecoveryError } from "./recovery_error.ts";

/** Maximum depth of directories. The limit is needed because a server may list a directory inside itself. */
const MAX_DEPTH = 50;
const LIST_LIMIT = 512 * 2 ** 20;

/**
 * Opens a directory on a WebDAV server as a repository.
 *
 * @param text `webdavs://USER@HOST[:PORT]/PATH` with TLS, `webdav://…` without TLS.
 * @param environment `WEBDAV_PASSWORD`; if it is absent, the terminal prompts for the password.
 */
export async function openWebdavRepository(
  text: string,
  environment: Record<string, string>,
  clock: Clock,
): Promise<BackupRepository> {
  const { url, username } = addressIn(text);
  const password = environment.WEBDAV_PASSWORD || await promptFor(username, url.host);
  const spec = { type: "webdav" as const, url: url.href, username, password, directory: "." };
  const { signal } = new AbortController();
  const { idleMs } = runLimits();
  const ports = { clock, signal, output: null, limits: { idleMs, patienceMs: 0 } };
  const client = new DavClient(spec, ports, new Connections(new TlsAgent()));
  const at = (path: string) => new DavDirectory(client, path);
  await withSettingNames(() => at(".").find());
  const below = (path: string) => destinationDirectory({ type: "webdav", settings: {} }, path);
  return {
    description: `WebDAV ${client.base}`,
    destination: {
      label: "Recovered",
      type: "webdav",
      values: { webdav_url: url.href, webdav_username: username, webdav_password: password },
    },
    paths: () => filesBelow(client, [], 0),
    read: (path) =>
      withSettingNames(async () => {
        const segments = innerSegments(path);
        const directory = at(segments.slice(0, -1).join("/"));
        const name = segments.at(-1)!;
        const size = await directory.sizeOf(name);
        if (size === null) throw await directory.missing(name);
        return ReadableStream.from(davReader(directory, name).read(0, size));
      }),
    directory: below,
    [Symbol.asyncDispose]: () => {
      client.close();
      return Promise.resolve();
    },
  };
}

/**
 * Parses the address. Refuses an address with a password, which would appear in the process list and in the
 * shell's history. The error does not repeat the password.
 */
function addressIn(text: string): { url: URL; username: string } {
  const url = URL.parse(text.replace(/^webdav(s?):/, "http$1:"));
  if (url === null || url.username === "" || url.search !== "" || url.hash !== "") {
    throw new RecoveryError(
      "Cannot recover from webdav://…: write webdavs://USER@HOST:PORT/PATH, or webdav:// without TLS, with %23 for # " +
        "and %3F for ?",
    );
  }
  if (url.password !== "") {
    throw new RecoveryError(
      "Cannot recover from webdav://…: it has a password in it, which others see. Put the password into " +
        "WEBDAV_PASSWORD.",
    );
  }
  const username = decodeURIComponent(url.username);
  url.username = "";
  return { url, username };
}

async function promptFor(username: string, server: string): Promise<string> {
  if (!Deno.stdin.isTerminal()) {
    throw new RecoveryError(`Cannot log in to ${server}: set WEBDAV_PASSWORD in the environment`);
  }
  const message = `The password of ${username} at ${server}:`;
  return await askPassword({ message, toggleMask: false }, { output: process.stderr });
}

async function* filesBelow(
  client: DavClient,
  path: readonly string[],
  depth: number,
): AsyncGenerator<string> {
  if (depth > MAX_DEPTH) {
    throw new RecoveryError(
      `Cannot read ${path[0]}: it has more than ${MAX_DEPTH} directories inside each other`,
    );
  }
  const url = [client.base, ...path.map(encodeURIComponent), ""].join("/");
  const action = `list ${path.join("/") || client.base}`;
  const entries = await withSettingNames(() => client.list(action, url, 1, LIST_LIMIT));
  for (const { path: found, isDirectory } of childrenOf(entries ?? [])) {
    const inside = [...path, found.at(-1)!];
    if (isDirectory) yield* filesBelow(client, inside, depth + 1);
    else yield inside.join("/");
  }
}

/** Maps the destination's settings to their names in this command's messages. */
const SETTINGS: Record<string, string> = {
  webdav_url: "the address",
  webdav_path: "the path in it",
  webdav_username: "its user",
  webdav_password: "WEBDAV_PASSWORD",
};

async function withSettingNames<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    const text = error.message.replaceAll(/\bwebdav_\w+/g, (name) => SETTINGS[name] ?? name);
    throw new RecoveryError(text, { cause: error });
  }
}
