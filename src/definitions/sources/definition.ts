/** Defines a source type by its properties. The code that reads the data is not part of the definition. */
import type * as z from "zod";
import type { DatabaseServer } from "../../domain/database/database_server.ts";
import type { StoredRestore } from "../../domain/restore.ts";
import type { FieldTable } from "../fields/field.ts";

/** Decrypted secrets by field; null for a secret that is not set. */
export type SourceSecrets = Readonly<Record<string, string | null>>;

/**
 * Schema of a job's source or target on the wire. Types that agents access in the same way share a schema.
 */
export type SourceShape = z.ZodObject<{ type: z.ZodLiteral<string> }>;

export interface SourceDefinition {
  /** Name for people, such as `MySQL databases`. */
  readonly label: string;
  /**
   * Value of a task's `type`. If several source types have the same value, the task's `database_type` selects
   * one of these types.
   */
  readonly taskType: string;
  /**
   * Words for what a backup contains, for example "databases". Used in messages about all source types with
   * the same `taskType`.
   */
  readonly holds: string;
  /** Value of a backup's `engine`: the program that wrote the backup. */
  readonly engine: string;
  /** Fields of a backup task for this type, secrets included. */
  readonly fields: FieldTable;
  /** Name of the field that a task of this type must have; missing if there is none. */
  readonly requiredField?: string;
  /** Sentence about the type in the API's description of a task's `type`. */
  readonly note?: string;
  /** Whether only administrators are allowed to back up this type of source. */
  readonly isForAdministrators?: true;
  /**
   * Oldest protocol version whose agents support this type of source. If missing, an agent supports the type
   * only if it lists the type when it connects.
   */
  readonly since?: number;
  readonly jobShape: SourceShape;
  /**
   * Returns the source of a job. Throws an `InvalidError` if the task lacks a required field.
   *
   * @param task The task's values by field, with defaults filled in. A value that is not set is null.
   * @param secrets The task's secrets. A secret that the task lacks is taken from the task's remote server.
   */
  job(task: object, secrets: SourceSecrets): unknown;
  /**
   * Returns what is wrong with the given database names; null if nothing is wrong. Source types without
   * databases do not have this function.
   */
  nameProblem?(names: readonly string[]): string | null;
  /** Whether an index lists the contents of a backup. */
  readonly isListed?: true;
  readonly restore: RestoreDefinition | NoRestore;
}

/** Error messages for a type of source that agents can't restore. */
export interface NoRestore {
  readonly refusal: string;
  readonly drillRefusal: string;
}

/** Defines how one type of source is restored: the fields of a request, and the target of a job. */
export interface RestoreDefinition {
  /** Fields of a restore request that only this type has. */
  readonly fields: Readonly<Record<string, z.ZodType>>;
  readonly targetShape: SourceShape;
  /** Whether a database server loads the backup. */
  readonly usesServer?: true;
  /** Returns the options to store with the run. Throws an `InvalidError` that names every wrong field. */
  options(request: object, held: HeldBackup): StoredRestore;
  target(options: StoredRestore, login: RestoreLogin): unknown;
  /** Options with which a drill restores the whole backup. Null if a drill's job has no target. */
  readonly drill: StoredRestore | null;
  /**
   * Returns the options that change the result of a restore. An agent with a protocol version before 3 would
   * ignore these options. So such an agent never gets a job that contains them.
   */
  decisive?(options: StoredRestore): string[];
}

/** Contents of a backup, as far as they are recorded. */
export interface HeldBackup {
  readonly databases: readonly string[];
  /** Whether the backup's source is recorded. */
  readonly hasSource: boolean;
}

/** The system user and the database login of a restore or a drill. */
export interface RestoreLogin {
  /** System user; null is the agent's own user. */
  readonly run_as: string | null;
  /** Login at the database server; null for types that use none. */
  readonly server: (DatabaseServer & { readonly password: string | null }) | null;
}

/** Returns the definition unchanged, and preserves its exact type. */
export function defineSource<const D extends SourceDefinition>(definition: D): D {
  return definition;
}

/** Returns whether agents can restore backups of the source type with this `restore` definition. */
export function isRestorable(restore: SourceDefinition["restore"]): restore is RestoreDefinition {
  return "fields" in restore;
}
