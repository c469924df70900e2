/** Stores backups in a directory on a WebDAV server. */
import type { WebdavDestination as Spec } from "../../../../src/definitions/destinations/webdav.ts";
import type { DestinationSpace } from "../../../../src/protocol/job.ts";
import { type Destination, type ObjectWriter, RunFailedError } from "../../ports.ts";
import { runLimits } from "../limits.ts";
import { checkObjectName, partialName } from "../object_name.ts";
import type { DestinationPorts } from "../destination_type.ts";
import { Chunks, uploadsUrl } from "./chunks.ts";
import { DavClient } from "./client.ts";
import { DavDirectory } from "./directory.ts";
import { davReader } from "./reader.ts";
import { DavWriter } from "./writer.ts";

export class WebdavDestination implements Destination {
  readonly description: string;
  readonly #directory: DavDirectory;
  readonly #uploads: string | null;

  private constructor(private readonly client: DavClient, spec: Spec) {
    this.description = `WebDAV ${client.base} ${spec.directory}`;
    this.#directory = new DavDirectory(client, spec.directory);
    this.#uploads = uploadsUrl(client.base, spec.username);
  }

  static async open(spec: Spec, ports: DestinationPorts): Promise<WebdavDestination> {
    const { clock, signal, output, limits = runLimits() } = ports;
    const client = new DavClient(spec, { clock, signal, output, limits });
    try {
      // Checks the URL and the login. Does not check whether the directory exists.
      await client.look(`use ${client.base}`, `${client.base}/`);
    } catch (error) {
      client.close();
      throw error;
    }
    return new WebdavDestination(client, spec);
  }

  partialPath(): null {
    return null;
  }

  localPath(): null {
    return null;
  }

  findLocation(): Promise<void> {
    return this.#directory.find();
  }

  makeLocation(): Promise<void> {
    return this.#directory.make();
  }

  async create(name: string, sizeHint: number | null): Promise<ObjectWriter> {
    const names = { partial: partialName(name), final: checkObjectName(name) };
    this.client.ports.signal.throwIfAborted();
    await this.makeLocation();
    if (
      await this.client.look(`write ${name} in ${this.#directory.what}`, this.#directory.urlOf(name)) !== null
    ) {
      throw new RunFailedError(
        `Cannot write ${name} in ${this.#directory.what}: it already exists. Move it away, and run the task again.`,
      );
    }
    return await DavWriter.open(this.#directory, names, this.#uploads, sizeHint);
  }

  async remove(name: string): Promise<boolean> {
    const names = [partialName(name), checkObjectName(name)];
    const client = this.client.forCleanup();
    const directory = this.#directory.withClient(client);
    if (this.#uploads !== null) {
      await new Chunks(client, this.#uploads, directory.urlOf(name)).remove(client);
    }
    const wasThere = await directory.remove(names);
    if (!wasThere) await directory.find();
    return wasThere;
  }

  read(name: string, from: number, to: number): AsyncIterable<Uint8Array> {
    return davReader(this.#directory, checkObjectName(name)).read(from, to);
  }

  async size(name: string): Promise<number> {
    const size = await this.#directory.sizeOf(checkObjectName(name));
    if (size === null) throw await this.#directory.missing(name);
    return size;
  }

  space(): Promise<DestinationSpace | null> {
    // Use short time limits, because the backup is already stored. If the server has just stopped, the
    // run must not wait for it for long.
    return this.#directory.withClient(this.client.forCleanup()).space();
  }

  close(): Promise<void> {
    this.client.close();
    return Promise.resolve();
  }
}
