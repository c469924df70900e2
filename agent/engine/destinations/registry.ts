/** The destination types that the agent writes to or reads from, by the `type` in a job. */
import type { ReadDestination } from "../../../src/protocol/job.ts";
import type { DestinationType } from "./destination_type.ts";
import { local } from "./local/type.ts";
import { relay } from "./relay/relay.ts";
import { s3 } from "./s3/s3.ts";
import { sftp } from "./sftp/type.ts";
import { webdav } from "./webdav/type.ts";

type Types = { [T in ReadDestination["type"]]: DestinationType<Extract<ReadDestination, { type: T }>> };

export const destinationTypes: Types = { local, s3, sftp, webdav, relay };

/** Returns the destination type of a job's destination. */
export function destinationType<Spec extends ReadDestination>(spec: Spec): DestinationType<ReadDestination> {
  return destinationTypes[spec.type] as unknown as DestinationType<ReadDestination>;
}
