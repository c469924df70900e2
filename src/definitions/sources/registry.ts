/** All source types, by the names that callers, jobs and manifests use. */
import { splitDatabaseNames } from "../../domain/database/database_names.ts";
import type { StoredRestore } from "../../domain/restore.ts";
import { hasDefault } from "../fields/input.ts";
import { control_plane } from "./control_plane.ts";
import { isRestorable, type RestoreDefinition, type SourceDefinition } from "./definition.ts";
import { files } from "./files.ts";
import { mysql } from "./mysql.ts";
import { postgresql } from "./postgresql.ts";
import { sqlite } from "./sqlite.ts";

const sourceDefinitions = { files, postgresql, mysql, sqlite, control_plane };

/** The fields of a task that select its source type. A field that this type does not use can be absent. */
export interface SourceTask {
  readonly type?: unknown;
  readonly database_type?: unknown;
  readonly database_name?: unknown;
}

type Definition = typeof sourceDefinitions[keyof typeof sourceDefinitions];

/**
 * The definitions by name. TypeScript lets each function of a definition accept the values of any task. But a
 * task is passed only to the definition of its own source type, so its values always suit the function.
 */
export const DEFINITIONS: ReadonlyMap<string, SourceDefinition> = new Map(Object.entries(sourceDefinitions));

const all = [...DEFINITIONS.values()];

/** The possible values of a task's `type`. */
export const BACKUP_TASK_TYPES = distinct(all.map(({ taskType }) => taskType)) as [
  Definition["taskType"],
  ...Definition["taskType"][],
];
/** A task that backs up files below a path has this `type`. */
export const FILES_TASK_TYPE = sourceDefinitions.files.taskType;
export type BackupTaskType = Definition["taskType"];

type DatabaseType = {
  [N in keyof typeof sourceDefinitions]: typeof sourceDefinitions[N] extends { nameProblem: unknown } ? N
    : never;
}[keyof typeof sourceDefinitions];

/** The possible values of a task's `database_type`. */
export const DATABASE_TYPES = [...DEFINITIONS].filter(([, { nameProblem }]) => nameProblem !== undefined)
  .map(([name]) => name) as [DatabaseType, ...DatabaseType[]];

/** Sentences about the source types, for the API document. */
export const TYPE_NOTES = all.flatMap(({ note }) => note ?? []).join(" ");

/** The possible values of a backup's `engine`. */
export const ENGINES = distinct(all.map(({ engine }) => engine)) as [
  Definition["engine"],
  ...Definition["engine"][],
];

type Merged<T> = (T extends unknown ? (each: T) => void : never) extends (all: infer All) => void ? All
  : never;

/** The fields of all types. */
export const SOURCE_FIELDS = Object.assign({}, ...all.map(({ fields }) => fields)) as Merged<
  Definition["fields"]
>;

type Restorable = Extract<Definition["restore"], { fields: unknown }>;

const restores = all.map(({ restore }) => restore).filter(isRestorable);

/** The fields of restore requests of all types. */
export const RESTORE_FIELDS = Object.assign({}, ...restores.map(({ fields }) => fields)) as Merged<
  Restorable["fields"]
>;

/** The schemas of a job's source on the wire, without duplicates. */
export const SOURCE_SHAPES = distinct(all.map(({ jobShape }) => jobShape)) as unknown as [
  Definition["jobShape"],
  ...Definition["jobShape"][],
];

/** The schemas of a restore's target on the wire, without duplicates. */
export const TARGET_SHAPES = distinct(restores.map(({ targetShape }) => targetShape)) as unknown as [
  Restorable["targetShape"],
  ...Restorable["targetShape"][],
];

/** Engines whose backups can be restored, and therefore drilled. */
export const DRILLED_ENGINES: readonly string[] = all.filter(({ restore }) => isRestorable(restore))
  .map(({ engine }) => engine);

/**
 * Returns the name of a task's source type. Several source types can share a task `type`. The task's
 * `database_type` then selects one of them. If it selects none, returns the first of them. Returns undefined
 * if no source type belongs to the task's `type`.
 */
export function sourceTypeOf({ type, database_type }: SourceTask): string | undefined {
  const names = [...DEFINITIONS].filter(([, { taskType }]) => taskType === type).map(([name]) => name);
  return names.find((name) => name === database_type) ?? names[0];
}

/** Returns the definition of a task's source type; undefined if there is none. */
export function definitionOfTask(task: SourceTask): SourceDefinition | undefined {
  return DEFINITIONS.get(sourceTypeOf(task) ?? "");
}

/** Says what a task backs up, such as `/var/www`, `MySQL databases: shop, wiki`, or `All databases`. */
export function describeSource(task: SourceTask & Readonly<Record<string, unknown>>): string {
  const { holds, label, nameProblem, requiredField } = definitionOfTask(task)!;
  const chosen = requiredField === undefined ? null : task[requiredField];
  if (typeof chosen !== "string") return `${label.charAt(0).toUpperCase()}${label.slice(1)}`;
  if (nameProblem === undefined) return chosen;
  // Without a database type, the agent backs up whichever kind of database it finds.
  const kind = (task.database_type ?? null) === null ? holds : label;
  return chosen === "*" ? `All ${kind}` : `${kind.charAt(0).toUpperCase()}${kind.slice(1)}: ${chosen}`;
}

/** Returns the name of the source type whose backups have this engine. Throws if there is none. */
export function typeOfEngine(engine: string): string {
  const found = [...DEFINITIONS].find(([, each]) => each.engine === engine);
  if (found === undefined) throw new Error(`Cannot read a backup of engine ${engine}: it is not known`);
  return found[0];
}

/**
 * Returns the definition of the source type that stores backups with this engine. Throws if no source type
 * does.
 */
export function definitionOfEngine(engine: string): SourceDefinition {
  return DEFINITIONS.get(typeOfEngine(engine))!;
}

/** Returns how backups of an engine are restored; null if agents can't restore them. */
export function restoreOfEngine(engine: string): RestoreDefinition | null {
  const { restore } = definitionOfEngine(engine);
  return isRestorable(restore) ? restore : null;
}

/**
 * Returns the definition of a restore with these stored options. Throws if agents can't restore backups of
 * the type that the options name.
 */
export function restoreOfOptions({ engine, type = "files" }: StoredRestore): RestoreDefinition {
  const restore = DEFINITIONS.get(engine ?? type)?.restore;
  if (restore === undefined || !isRestorable(restore)) throw new Error(`Cannot restore a backup of ${type}`);
  return restore;
}

/**
 * Checks that the task has the field that its source type requires. If not, returns an error message under
 * the field's name.
 */
export function missingSourceFields(task: SourceTask): Record<string, string[]> {
  const { requiredField, taskType } = definitionOfTask(task) ?? {};
  const values: Readonly<Record<string, unknown>> = { ...task };
  if (requiredField === undefined || (values[requiredField] ?? null) !== null) return {};
  const words = requiredField.replaceAll("_", " ");
  return { [requiredField]: [`The ${words} field is required when type is ${taskType}.`] };
}

/**
 * Checks whether the task's source type accepts the task's database names. If not, returns an error message
 * by field.
 */
export function databaseNameProblems(task: SourceTask): Record<string, string[]> {
  const { database_name } = task;
  if (typeof database_name !== "string") return {};
  const problem = definitionOfTask(task)?.nameProblem?.(splitDatabaseNames(database_name)) ?? null;
  return problem === null ? {} : { database_name: [`The database name field ${problem}.`] };
}

/**
 * Returns an error message for each field that the task sets but its source type does not have. Looks only at
 * the fields of source types that belong to the same task `type`; ignores all other fields. Also ignores
 * fields with a default.
 */
export function foreignSourceFields(task: SourceTask): Record<string, string[]> {
  const own = definitionOfTask(task);
  const values: Readonly<Record<string, unknown>> = { ...task };
  const foreign = all.filter(({ taskType }) => taskType === own?.taskType)
    .flatMap(({ fields }) => Object.entries(fields))
    .filter(([name, field]) =>
      !(name in own!.fields) && !hasDefault(field) && (values[name] ?? null) !== null
    )
    .map(([name]) => name);
  const sentence = (name: string) =>
    `The ${name.replaceAll("_", " ")} field can't be used when database type is ${task.database_type}.`;
  return Object.fromEntries(foreign.map((name) => [name, [sentence(name)]]));
}

/** The fields that at least one source type requires. */
export const REQUIRED_SOURCE_FIELDS = distinct(all.flatMap(({ requiredField }) => requiredField ?? []));

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
