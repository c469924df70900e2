/** Every destination type, by the name that callers and the database use. */
import { custom_s3 } from "./custom_s3.ts";
import type { DestinationDefinition, Reach } from "./definition.ts";
import { local } from "./local.ts";
import { s3 } from "./s3.ts";
import { sftp } from "./sftp.ts";

export const destinationDefinitions = { local, s3, custom_s3, sftp };

export type DestinationType = keyof typeof destinationDefinitions;

export const DESTINATION_TYPES = Object.keys(destinationDefinitions) as [
  DestinationType,
  ...DestinationType[],
];

type JobShape = typeof destinationDefinitions[DestinationType]["jobShape"];

/** The shapes of a job's destination on the wire, each one once. */
export const JOB_SHAPES = [
  ...new Set(Object.values(destinationDefinitions).map(({ jobShape }) => jobShape)),
] as [JobShape, ...JobShape[]];

/** Returns a definition whose functions take any settings: those of a row fit its type. */
export function definitionOf(type: DestinationType): DestinationDefinition {
  return destinationDefinitions[type] as unknown as DestinationDefinition;
}

/** Returns the types that are reached in this way. */
export function typesOfReach(reach: Reach): DestinationType[] {
  return DESTINATION_TYPES.filter((type) => definitionOf(type).reach === reach);
}

/** Returns whether a job writes to the disk of the server that runs it. */
export function isOnServerDisk({ type }: { readonly type: string }): boolean {
  return typesOfReach("server").some((each) => definitionOf(each).jobShape.shape.type.value === type);
}

/** Returns whether objects lie on the disk of the server that stored them, for its agent only. */
export function isOnServer(type: DestinationType): boolean {
  return definitionOf(type).reach === "server";
}
