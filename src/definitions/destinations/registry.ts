/** All destination types, by the names that callers and the database use. */
import { custom_s3 } from "./custom_s3.ts";
import type { DestinationDefinition, Reach } from "./definition.ts";
import { local } from "./local.ts";
import { s3 } from "./s3.ts";
import { sftp } from "./sftp.ts";
import { webdav } from "./webdav.ts";

export const destinationDefinitions = { local, s3, custom_s3, sftp, webdav };

export type DestinationType = keyof typeof destinationDefinitions;

export const DESTINATION_TYPES = Object.keys(destinationDefinitions) as [
  DestinationType,
  ...DestinationType[],
];

type JobShape = typeof destinationDefinitions[DestinationType]["jobShape"];

/**
 * The schemas that a job's destination can have on the wire. A schema that several types share is listed
 * once.
 */
export const JOB_SHAPES = [
  ...new Set(Object.values(destinationDefinitions).map(({ jobShape }) => jobShape)),
] as [JobShape, ...JobShape[]];

/**
 * Returns the definition of a type. Its functions accept any settings, because the settings of a row always
 * suit the row's type.
 */
export function definitionOf(type: DestinationType): DestinationDefinition {
  return destinationDefinitions[type] as unknown as DestinationDefinition;
}

/** Returns the destination types with this reach. */
export function typesOfReach(reach: Reach): DestinationType[] {
  return DESTINATION_TYPES.filter((type) => definitionOf(type).reach === reach);
}

/** Returns whether a job's destination is on the disk of the server that runs the job. */
export function isOnServerDisk({ type }: { readonly type: string }): boolean {
  return typesOfReach("server").some((each) => definitionOf(each).jobShape.shape.type.value === type);
}

/**
 * Returns whether objects are on the disk of the server that stored them, so that only its agent can access
 * them.
 */
export function isOnServer(type: DestinationType): boolean {
  return definitionOf(type).reach === "server";
}
