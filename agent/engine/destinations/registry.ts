/** Every destination type the agent writes to, by the type in a job. */
import type { Clock } from "../../../src/domain/clock.ts";
import type { JobDestination, ReadDestination } from "../../../src/protocol/job.ts";
import type { CheckStep, DestinationDeleteResult } from "../../../src/protocol/wire_messages.ts";
import {
  type Destination,
  type Downloads,
  ObjectMissingError,
  type Output,
  type Relay,
  RunFailedError,
  type Uploads,
} from "../ports.ts";
import { type DestinationLimits, requestLimits } from "./limits.ts";
import { LocalDestination } from "./local/local.ts";
import { probe } from "./probe.ts";
import { RelayDestination } from "./relay/relay.ts";
import { S3Destination } from "./s3/s3.ts";

/** The control plane tries again later. Milliseconds. */
const REMOVAL_PATIENCE = 15_000;

export interface DestinationPorts {
  readonly clock: Clock;
  /** Ends what is at work; calls then reject with its reason. */
  readonly signal: AbortSignal;
  /** Null outside of a run, as is what follows. */
  readonly output: Pick<Output, "line"> | null;
  readonly uploads: Uploads | null;
  readonly downloads: Downloads | null;
  readonly relay: Relay | null;
  /** The limits of a run where it is left out. */
  readonly limits?: DestinationLimits;
}

export interface DestinationType<Spec> {
  open(spec: Spec, ports: DestinationPorts): Destination | Promise<Destination>;
  /** Writes, reads back and deletes a probe object. Missing where the control plane does it. */
  check?(spec: Spec, ports: DestinationPorts): Promise<CheckStep[]>;
}

type SftpSpec = Extract<JobDestination, { type: "sftp" }>;
type Types = { [T in ReadDestination["type"]]: DestinationType<Extract<ReadDestination, { type: T }>> };

export const destinationTypes: Types = {
  local: {
    open: (spec, ports) => new LocalDestination(spec, ports.signal, ports.output, ports),
    check: (spec, ports) =>
      probe(async () => {
        const destination = new LocalDestination(spec, ports.signal, null, ports);
        await destination.makePlace();
        return destination;
      }, ports.clock),
  },
  s3: { open: (spec, ports) => new S3Destination(spec, ports) },
  sftp: {
    open: openSftp,
    check: (spec, ports) => probe(() => openSftp(spec, ports), ports.clock),
  },
  relay: { open: (spec, ports) => new RelayDestination(spec, ports) },
};

/** Rejects with a `RunFailedError` where it can't be reached. Close it when done. */
export async function openDestination(spec: ReadDestination, ports: DestinationPorts): Promise<Destination> {
  return await typeOf(spec).open(spec, ports);
}

export function checkDestination(
  spec: JobDestination,
  clock: Clock,
  signal: AbortSignal,
): Promise<CheckStep[]> {
  const { check } = typeOf(spec);
  if (check === undefined) {
    throw new RunFailedError(
      `Cannot check a destination of type ${spec.type} here: the control plane does it`,
    );
  }
  return check(spec, {
    clock,
    signal,
    output: null,
    uploads: null,
    downloads: null,
    relay: null,
    // Whoever checks wants to know what is wrong, not to wait until it passes.
    limits: requestLimits(0),
  });
}

/**
 * Removes objects and their partial files. A missing object counts as deleted if the destination is known to
 * be the right one: another of the names or one of the witnesses exists, or `witnesses` is empty. A failed
 * removal does not stop the others. Rejects with a `RunFailedError` if the destination can't be reached or is
 * missing.
 */
export async function removeFromDestination(
  spec: JobDestination,
  { names, witnesses = [] }: { names: readonly string[]; witnesses?: readonly string[] },
  clock: Clock,
  signal: AbortSignal,
): Promise<DestinationDeleteResult> {
  const destination = await openDestination(spec, {
    clock,
    signal,
    output: null,
    uploads: null,
    downloads: null,
    relay: null,
    limits: requestLimits(REMOVAL_PATIENCE),
  });
  const result: DestinationDeleteResult = { deleted: [], failed: [] };
  const missing: string[] = [];
  try {
    await destination.findPlace();
    for (const name of names) {
      try {
        signal.throwIfAborted();
        if (await destination.remove(name)) result.deleted.push(name);
        else missing.push(name);
      } catch (error) {
        result.failed.push({ name, message: (error as Error).message });
      }
    }
    const isProven = result.deleted.length > 0 || missing.length === 0 ||
      await isWitnessed(destination, witnesses);
    if (isProven) result.deleted.push(...missing);
    else result.failed.push(...missing.map((name) => ({ name, message: unproven(destination, witnesses) })));
    return result;
  } finally {
    await destination.close();
  }
}

/** Whether one of them is there, or there is none to look for. */
async function isWitnessed(destination: Destination, witnesses: readonly string[]): Promise<boolean> {
  for (const name of witnesses) {
    try {
      await destination.size(name);
      return true;
    } catch (error) {
      if (!(error instanceof ObjectMissingError)) throw error;
    }
  }
  return witnesses.length === 0;
}

function unproven({ description }: Destination, witnesses: readonly string[]): string {
  return `Cannot tell whether it was deleted: none of the other backups that should be in the ${description} is there ` +
    `(${witnesses[0]}). See whether its file system is mounted.`;
}

function typeOf<Spec extends ReadDestination>(spec: Spec): DestinationType<ReadDestination> {
  return destinationTypes[spec.type] as unknown as DestinationType<ReadDestination>;
}

/** The SSH library is a third of the agent's memory: it is loaded by those that need it. */
async function openSftp(spec: SftpSpec, ports: DestinationPorts) {
  const { SftpDestination } = await import("./sftp/sftp.ts");
  return await SftpDestination.open(spec, ports);
}
