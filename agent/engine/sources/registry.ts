/** Every source type of the agent, by the name that tasks, jobs and manifests use. */
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

/** The types by name. Their functions are typed for any spec: the spec of a job always fits its type. */
export const typesByName: ReadonlyMap<string, SourceType> = new Map(
  Object.entries(sourceTypes) as [string, unknown][] as [string, SourceType][],
);

/** Returns the type of a job's source or target; undefined if the job does not name the kind of server. */
export function sourceTypeOf(spec: JobSource | RestoreTarget): SourceType | undefined {
  return typesByName.get((spec.type === "database" ? spec.engine : spec.type) ?? "");
}

/** Returns the type that a drill restores. Only drills of files have no target. */
export function drilledType(target: RestoreTarget | undefined): SourceType | undefined {
  return target === undefined ? typesByName.get("files") : sourceTypeOf(target);
}

export async function prepareSource(source: JobSource, context: RunContext): Promise<PreparedSource> {
  const isOpen = source.type === "database" && source.engine === null;
  const type = isOpen
    ? typesByName.get(await detectEngine(source, context, detections()))
    : sourceTypeOf(source);
  if (type === undefined) {
    throw new RunFailedError(
      "Cannot back up such a source: this agent is too old. Install its current version.",
    );
  }
  return await type.prepare(source, context);
}

/** Returns how each type of database server is recognised, by its name. */
export function detections(): Record<string, NonNullable<SourceType["detection"]>> {
  return Object.fromEntries(
    [...typesByName].flatMap(([name, { detection }]) => detection === undefined ? [] : [[name, detection]]),
  );
}
