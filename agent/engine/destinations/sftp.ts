/** A directory on an SSH server. */
import type { SftpDestination as Spec } from "../../../src/protocol/job.ts";
import { type Destination, ObjectMissingError, type ObjectWriter, RunFailedError } from "../ports.ts";
import { checkObjectName, joinPath, partialName } from "./object_name.ts";
import type { DestinationPorts } from "./registry.ts";
import { readFile } from "./sftp_reader.ts";
import { SftpSession } from "./sftp_session.ts";
import { SftpWriter } from "./sftp_writer.ts";
import { placeOf } from "./ssh_login.ts";

/** For clearing away on a new connection after the run is over. */
const RESCUE_TIMEOUT = 30_000;

export class SftpDestination implements Destination {
  readonly description: string;

  private constructor(
    private readonly spec: Spec,
    private readonly ports: DestinationPorts,
    private readonly session: SftpSession,
  ) {
    this.description = `SFTP ${placeOf(spec)} ${spec.directory}`;
  }

  static async open(spec: Spec, ports: DestinationPorts): Promise<SftpDestination> {
    return new SftpDestination(spec, ports, await SftpSession.open(spec, ports.clock, ports.signal));
  }

  partialPath(): null {
    return null;
  }

  localPath(): null {
    return null;
  }

  async findPlace(): Promise<void> {
    const { directory } = this.spec;
    if (await this.session.follow(directory) !== null) return;
    throw new RunFailedError(
      `Cannot use ${directory} at ${placeOf(this.spec)}: it is not there. Check sftp_path, and whether the ` +
        "server has mounted its file system; where it is gone for good, make it anew.",
    );
  }

  makePlace(): Promise<void> {
    return this.session.makeDirectory(this.spec.directory);
  }

  async create(name: string, _sizeHint: number | null): Promise<ObjectWriter> {
    const final = this.#path(checkObjectName(name));
    const partial = this.#path(partialName(name));
    this.ports.signal.throwIfAborted();
    await this.makePlace();
    if (await this.session.look(final) !== null) {
      throw new RunFailedError(
        `Cannot write ${final} at ${
          placeOf(this.spec)
        }: it already exists. Move it away, and run the task again.`,
      );
    }
    // Of a run that died: an open that must create would trip over it.
    await this.session.removeIfThere(partial);
    const handle = await this.session.createFile(partial);
    const removeFiles = (paths: readonly string[]) => this.#removeFiles(paths);
    return new SftpWriter(this.session, handle, partial, final, this.ports.signal, removeFiles);
  }

  async remove(name: string): Promise<boolean> {
    const wasThere = await this.#removeFiles([this.#path(partialName(name)), this.#path(name)]);
    if (!wasThere) await this.findPlace();
    return wasThere;
  }

  read(name: string, from: number, to: number): AsyncIterable<Uint8Array> {
    return readFile(this.session, this.#path(checkObjectName(name)), from, to, this.ports.signal);
  }

  async size(name: string): Promise<number> {
    const path = this.#path(checkObjectName(name));
    const found = await this.session.follow(path);
    if (found !== null) return found.size;
    await this.findPlace();
    if ((await this.session.list(this.spec.directory)).every(({ filename }) => /^\.\.?$/.test(filename))) {
      throw new RunFailedError(
        `Cannot read ${path} at ${
          placeOf(this.spec)
        }: its directory is empty. See whether the server has mounted ` +
          "its file system.",
      );
    }
    throw new ObjectMissingError(`Cannot read ${path} at ${placeOf(this.spec)}: it is not there`);
  }

  close(): Promise<void> {
    return this.session.close();
  }

  /** On a new connection where this one was lost: a partial file should not outlive the cut that made it one. */
  async #removeFiles(paths: readonly string[]): Promise<boolean> {
    const isLost = this.session.isLost;
    const session = isLost ? await this.#rescue() : this.session;
    let wasThere = false;
    try {
      for (const path of paths) wasThere = await session.removeIfThere(path) || wasThere;
      return wasThere;
    } finally {
      if (isLost) await session.close();
    }
  }

  /** Not by the run's signal, which may be what ended it. */
  async #rescue(): Promise<SftpSession> {
    const over = new AbortController();
    const reason = new RunFailedError(`Cannot connect to ${placeOf(this.spec)}: it does not answer`);
    const timeout = this.ports.clock.sleep(RESCUE_TIMEOUT, over.signal).then(
      () => over.abort(reason),
      () => {},
    );
    try {
      return await SftpSession.open(this.spec, this.ports.clock, over.signal);
    } finally {
      over.abort();
      await timeout;
    }
  }

  #path(name: string): string {
    return joinPath(this.spec.directory, name);
  }
}
