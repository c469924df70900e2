/**
 * Reads a directory on another server's disk. The agent of that server sends the bytes to the control plane.
 * The control plane passes the bytes on to this agent.
 */
import type { RelayDestination as Spec } from "../../../../src/protocol/job.ts";
import { oneLine } from "../../programs/line.ts";
import {
  type Destination,
  ObjectMissingError,
  type ObjectWriter,
  type Relay,
  RunFailedError,
} from "../../ports.ts";
import { runLimits } from "../limits.ts";
import { checkObjectName, endsEarly } from "../object_name.ts";
import { RangedReader, type RangeSource, readSome, TryFailed } from "../ranged_reader.ts";
import type { DestinationPorts, DestinationType } from "../destination_type.ts";

/** Maximum number of bytes to read from the response to a refused request. */
const ANSWER_LIMIT = 64 * 1024;

export const relay: DestinationType<Spec> = { open: (spec, ports) => new RelayDestination(spec, ports) };

export class RelayDestination implements Destination {
  readonly description: string;

  constructor(private readonly spec: Spec, private readonly ports: DestinationPorts) {
    this.description =
      `directory ${spec.directory} of server ${spec.server.label}, through the control plane`;
  }

  partialPath(): null {
    return null;
  }

  localPath(): null {
    return null;
  }

  /** Does nothing: the other agent checks that the directory exists before it responds. */
  findLocation(): Promise<void> {
    return Promise.resolve();
  }

  create(name: string): Promise<ObjectWriter> {
    return Promise.reject(this.#isReadOnly(`write ${name} to`));
  }

  remove(name: string): Promise<boolean> {
    return Promise.reject(this.#isReadOnly(`remove ${name} from`));
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
    const { relay, output, clock, signal, limits = runLimits() } = this.ports;
    if (relay === null) throw this.#isReadOnly("use outside of a run the");
    const source = new RelayedRanges(checkObjectName(name), this.spec.server.label, relay, (line) => {
      output?.line(line);
    });
    return new RangedReader(source, clock, signal, limits.patienceMs);
  }

  #isReadOnly(what: string): RunFailedError {
    return new RunFailedError(`Cannot ${what} ${this.description}: it can only be read, by a run`);
  }
}

class RelayedRanges implements RangeSource {
  readonly what: string;
  /**
   * Maximum time without data, in milliseconds. The object is on the disk of another agent. That agent must
   * respond to the control plane within one minute. This maximum is longer than that minute.
   */
  readonly idleMs = 90_000;

  constructor(
    private readonly name: string,
    label: string,
    private readonly relay: Relay,
    private readonly line: (text: string) => void,
  ) {
    this.what = `${name} from the disk of server ${label}`;
  }

  request(from: number, to: number, signal: AbortSignal): Promise<Response> {
    return this.relay.get(this.name, from, to, signal);
  }

  async explain(response: Response, from: number, to: number): Promise<TryFailed | RunFailedError> {
    const { status } = response;
    const message = messageIn(await readSome(response, ANSWER_LIMIT));
    if (status === 416) return endsEarly(this.what, from, to);
    if (status === 410 && message !== null) {
      return new ObjectMissingError(`Cannot read ${this.what}: ${message}`);
    }
    const says = message ?? `the control plane responds with ${status}`;
    // A response that is not in the control plane's format comes from a proxy in front of the control plane.
    // A proxy's refusal might be transient.
    return new TryFailed(says, message === null || status === 429 || status >= 500);
  }

  waiting(reason: string): void {
    this.line(`Waiting for ${this.what}: ${reason}`);
  }
}

/** Returns the message of the control plane in a response; null if the response has another format. */
function messageIn(text: string): string | null {
  try {
    const { message } = JSON.parse(text);
    return typeof message === "string" ? oneLine(message) : null;
  } catch {
    return null;
  }
}
