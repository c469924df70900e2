/** Reads all files of a directory on a WebDAV server. */
import type { WebdavDestination as Spec } from "../../../../src/definitions/destinations/webdav.ts";
import { innerSegments } from "../../../../src/domain/location.ts";
import { RunFailedError } from "../../ports.ts";
import type { DestinationPorts, StoredFiles } from "../destination_type.ts";
import { runLimits } from "../limits.ts";
import { DavClient } from "./client.ts";
import { DavDirectory } from "./directory.ts";
import { childrenOf } from "./properties.ts";
import { davReader } from "./reader.ts";

/**
 * Maximum depth of directories. The limit is needed because a server might list a directory inside itself.
 */
const MAX_DEPTH = 50;
const LIST_LIMIT = 512 * 2 ** 20;

export async function openFiles(spec: Spec, ports: DestinationPorts): Promise<StoredFiles> {
  const { clock, signal, output, limits = runLimits() } = ports;
  const client = new DavClient(spec, { clock, signal, output, limits });
  const root = innerSegments(spec.directory);
  try {
    await new DavDirectory(client, spec.directory).find();
  } catch (error) {
    client.close();
    throw error;
  }
  return {
    description: `WebDAV ${[client.base, ...root].join("/")}`,
    paths: () => filesBelow(client, root, []),
    async read(path) {
      const segments = innerSegments(path);
      const directory = new DavDirectory(client, [...root, ...segments.slice(0, -1)].join("/"));
      const name = segments.at(-1)!;
      const size = await directory.sizeOf(name);
      if (size === null) throw await directory.missing(name);
      return ReadableStream.from(davReader(directory, name).read(0, size));
    },
    [Symbol.asyncDispose]: () => {
      client.close();
      return Promise.resolve();
    },
  };
}

async function* filesBelow(
  client: DavClient,
  root: readonly string[],
  path: readonly string[],
): AsyncGenerator<string> {
  if (path.length > MAX_DEPTH) {
    throw new RunFailedError(
      `Cannot read ${path[0]}: it has more than ${MAX_DEPTH} directories inside each other`,
    );
  }
  const url = [client.base, ...[...root, ...path].map(encodeURIComponent), ""].join("/");
  const entries = await client.list(`list ${path.join("/") || client.base}`, url, 1, LIST_LIMIT);
  for (const { path: found, isDirectory } of childrenOf(entries ?? [])) {
    const inside = [...path, found.at(-1)!];
    if (isDirectory) yield* filesBelow(client, root, inside);
    else yield inside.join("/");
  }
}
