/** A destination in a directory on an SSH server. */
import type { DestinationSpace } from "../../../../src/protocol/job.ts";
import type { Buffer } from "node:buffer";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { type Destination, ObjectMissingError, type ObjectWriter, RunFailedError } from "../../ports.ts";
import { runLimits } from "../limits.ts";
import { checkObjectName, joinPath, partialName } from "../object_name.ts";
import type { DestinationPorts } from "../destination_type.ts";
import { SftpConnection } from "./connection.ts";
import { readSteadily } from "./reader.ts";
import type { SftpSession } from "./session.ts";
import { SftpWriter } from "./writer.ts";
import { describeServer } from "./ssh_login.ts";

export class SftpDestination implements Destination {
  readonly description: string;

  private constructor(
    private readonly spec: Spec,
    private readonly ports: DestinationPorts,
    private readonly connection: SftpConnection,
  ) {
    this.description = `SFTP ${describeServer(spec)} ${spec.directory}`;
  }

  static async open(spec: Spec, ports: DestinationPorts): Promise<SftpDestination> {
    const { clock, signal, output, limits = runLimits() } = ports;
    const connection = new SftpConnection(spec, { clock, signal, output, limits });
    await connection.session();
    return new SftpDestination(spec, ports, connection);
  }

  partialPath(): null {
    return null;
  }

  localPath(): null {
    return null;
  }

  findLocation(): Promise<void> {
    return this.connection.use((session) => this.#findLocation(session));
  }

  makeLocation(): Promise<void> {
    return this.connection.use((session) => session.makeDirectory(this.spec.directory));
  }

  async create(name: string, _sizeHint: number | null): Promise<ObjectWriter> {
    const final = this.#path(checkObjectName(name));
    const partial = this.#path(partialName(name));
    this.ports.signal.throwIfAborted();
    await this.makeLocation();
    const file = await this.connection.use(async (session) => {
      if (await session.look(final) !== null) {
        throw new RunFailedError(
          `Cannot write ${final} at ${
            describeServer(this.spec)
          }: it already exists. Move it away, and run the task again.`,
        );
      }
      return { session, handle: await createAnew(session, partial) };
    });
    return new SftpWriter(this.connection, file, { partial, final }, this.ports);
  }

  async remove(name: string): Promise<boolean> {
    const paths = [this.#path(partialName(name)), this.#path(name)];
    return await this.connection.clearAway(async (session) => {
      let wasThere = false;
      for (const path of paths) wasThere = await session.removeIfThere(path) || wasThere;
      if (!wasThere) await this.#findLocation(session);
      return wasThere;
    });
  }

  read(name: string, from: number, to: number): AsyncIterable<Uint8Array> {
    return readSteadily(this.connection, this.#path(checkObjectName(name)), from, to, this.ports.signal);
  }

  async space(): Promise<DestinationSpace | null> {
    return await this.connection.use((session) => session.space(this.spec.directory));
  }

  async size(name: string): Promise<number> {
    const path = this.#path(checkObjectName(name));
    return await this.connection.use(async (session) => {
      const found = await session.follow(path);
      if (found !== null) return found.size;
      await this.#findLocation(session);
      const entries = await session.list(this.spec.directory);
      if (entries.some(({ filename }) => filename !== "." && filename !== "..")) {
        throw new ObjectMissingError(`Cannot read ${path} at ${describeServer(this.spec)}: it is not there`);
      }
      throw new RunFailedError(
        `Cannot read ${path} at ${
          describeServer(this.spec)
        }: its directory is empty. Check whether the server has mounted ` +
          "its file system.",
      );
    });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  async #findLocation(session: SftpSession): Promise<void> {
    const { directory } = this.spec;
    if (await session.follow(directory) !== null) return;
    throw new RunFailedError(
      `Cannot use ${directory} at ${
        describeServer(this.spec)
      }: it does not exist. Check sftp_path, and whether the ` +
        "server has mounted its file system; if it is gone for good, create it again.",
    );
  }

  #path(name: string): string {
    return joinPath(this.spec.directory, name);
  }
}

/**
 * Creates a file and returns its handle. Removes a partial file that a dead run left, because creating a file
 * fails if it exists.
 */
async function createAnew(session: SftpSession, path: string): Promise<Buffer> {
  try {
    return await session.createFile(path);
  } catch (error) {
    if (session.isLost || await session.look(path) === null) throw error;
    await session.removeIfThere(path);
    return await session.createFile(path);
  }
}
