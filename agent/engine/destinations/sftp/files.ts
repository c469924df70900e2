/** Reads all files of a directory on an SSH server. */
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { innerSegments, joinDirectory } from "../../../../src/domain/location.ts";
import { RunFailedError } from "../../ports.ts";
import type { DestinationPorts, StoredFiles } from "../destination_type.ts";
import { runLimits } from "../limits.ts";
import { readFile } from "./reader.ts";
import { SftpSession, statusOf } from "./session.ts";
import { describeServer } from "./ssh_login.ts";

/** A status code of SFTP (draft-ietf-secsh-filexfer-02). */
const PERMISSION_DENIED = 3;

export async function openFiles(spec: Spec, ports: DestinationPorts): Promise<StoredFiles> {
  const { clock, signal, limits = runLimits() } = ports;
  const session = await SftpSession.open(spec, { clock, signal, idleMs: limits.idleMs });
  const below = (path: string) => joinDirectory(spec.directory, innerSegments(path));
  return {
    description: `SFTP ${describeServer(spec)} ${spec.directory}`,
    paths: (skip) => filesBelow(session, below, "", skip),
    async read(path) {
      const found = await session.follow(below(path));
      if (found === null) throw new RunFailedError(`Cannot read ${below(path)}: it is not there`);
      return ReadableStream.from(readFile(session, below(path), 0, found.size, signal));
    },
    [Symbol.asyncDispose]: () => session.close(),
  };
}

/**
 * Yields the path of every file below a directory. Skips subdirectories that the SFTP user is not allowed to
 * read, such as `lost+found`.
 */
async function* filesBelow(
  session: SftpSession,
  below: (path: string) => string,
  directory: string,
  skip: (path: string, reason: string) => void,
): AsyncGenerator<string> {
  const inside: { path: string; isDirectory: boolean }[] = [];
  try {
    for (const { filename, attrs } of await session.list(below(directory))) {
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
