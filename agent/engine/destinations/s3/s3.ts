/**
 * A destination in a bucket. The agent has no access keys. The control plane opens, signs, completes and
 * aborts uploads, and the agent sends the bytes directly to the bucket.
 */
import type { S3Destination as Spec } from "../../../../src/definitions/destinations/s3_settings.ts";
import { type Destination, type ObjectWriter, RunFailedError, type Uploads } from "../../ports.ts";
import { runLimits } from "../limits.ts";
import { checkObjectName } from "../object_name.ts";
import type { DestinationPorts, DestinationType } from "../destination_type.ts";
import type { RangedReader } from "../ranged_reader.ts";
import { s3Reader } from "./reader.ts";
import { S3Writer } from "./writer.ts";

export const s3: DestinationType<Spec> = { open: (spec, ports) => new S3Destination(spec, ports) };

export class S3Destination implements Destination {
  readonly description: string;
  /** Ids of the uploads that this run opened, by object name. */
  readonly #uploadIds = new Map<string, string>();

  constructor(private readonly spec: Spec, private readonly ports: DestinationPorts) {
    this.description = `bucket ${spec.bucket}${spec.directory === "" ? "" : `, ${spec.directory}`}`;
  }

  partialPath(): null {
    return null;
  }

  localPath(): null {
    return null;
  }

  /** Does nothing: later requests report a missing bucket. */
  findLocation(): Promise<void> {
    return Promise.resolve();
  }

  async create(name: string, sizeHint: number | null): Promise<ObjectWriter> {
    checkObjectName(name);
    const upload = await this.#uploads().open(name, sizeHint, this.ports.signal);
    this.#uploadIds.set(name, upload.uploadId);
    const object = { name, bucket: `bucket ${this.spec.bucket}` };
    return new S3Writer(object, upload, this.#uploads(), this.ports);
  }

  /**
   * Removes an object that this run uploaded, even if the upload is not completed. Returns true. Rejects for
   * any other object, because only the control plane can remove it.
   */
  async remove(name: string): Promise<boolean> {
    const uploadId = this.#uploadIds.get(checkObjectName(name));
    if (uploadId === undefined) {
      throw new RunFailedError(`Cannot remove ${name} from ${this.description}: only the control plane can`);
    }
    await this.#uploads().abort(uploadId);
    return true;
  }

  read(name: string, from: number, to: number): AsyncIterable<Uint8Array> {
    return this.#reader(name).read(from, to);
  }

  async size(name: string): Promise<number> {
    return await this.#reader(name).size();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #reader(name: string): RangedReader {
    const { downloads, clock, signal, output, limits = runLimits() } = this.ports;
    if (downloads === null) throw this.#needsRun();
    const ports = { downloads, clock, signal, output, limits };
    return s3Reader(checkObjectName(name), `bucket ${this.spec.bucket}`, ports);
  }

  #uploads(): Uploads {
    if (this.ports.uploads !== null) return this.ports.uploads;
    throw this.#needsRun();
  }

  #needsRun(): RunFailedError {
    return new RunFailedError(`Cannot use ${this.description} from the agent outside of a run`);
  }
}
