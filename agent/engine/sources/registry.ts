/** Registry of the agent's source types, by the name that tasks, jobs and manifests use. */
import type { JobSource, RestoreTarget } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";
import type { RunContext } from "../run_context.ts";
import { controlPlane } from "./control_plane/type.ts";
import { detectEngine } from "./database/database_engine.ts";
import { files } from "./files/type.ts";
import { mysql } from "./mysql/type.ts";
import { postgresql } from "./postgresql/type.ts";
import { sqlite } from "./sqlite/type.ts";
import type { PreparedSource } from "./source.ts";
import type { SourceType } from "./source_type.ts";

export const sourceTypes = { files, postgresql, mysql, sqlite, control_plane: controlPlane };

/**
 * Source types by name. Their functions accept a job's source of any type. In a valid job, the source always
 * has the type that the function expects.
 */
export const typesByName: ReadonlyMap<string, SourceType> = new Map(
  Object.entries(sourceTypes) as [string, unknown][] as [string, SourceType][],
);

/**
 * Returns the source type of a job's source or target. Returns undefined if the job backs up a database
 * server without naming its type.
 */
export function sourceTypeOf(spec: JobSource | RestoreTarget): SourceType | undefined {
  return typesByName.get((spec.type === "database" ? spec.engine : spec.type) ?? "");
}

/** Returns the source type that a drill restores. A drill without a target restores files. */
export function drilledType(target: RestoreTarget | undefined): SourceType | undefined {
  return target === undefined ? typesByName.get("files") : sourceTypeOf(target);
}

export async function prepareSource(source: JobSource, context: RunContext): Promise<PreparedSource> {
  const isOpen = source.type === "database" && source.engine === null;
  const type = isOpen
    ? typesByName.get(await detectEngine(source, context.ports, detections()))
    : sourceTypeOf(source);
  if (type === undefined) {
    throw new RunFailedError(
      "Cannot back up such a source: this agent is too old. Install its current version.",
    );
  }
  return await type.prepare(source, context);
}

/**
 * Returns, for each type of database server, the rules by which the agent recognizes a server of this type.
 * The keys are the names of the types.
 */
export function detections(): Record<string, NonNullable<SourceType["detection"]>> {
  return Object.fromEntries(
    [...typesByName].flatMap(([name, { detection }]) => detection === undefined ? [] : [[name, detection]]),
  );
}
