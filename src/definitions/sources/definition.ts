/** Definition of a source type: all that the programs know about it, except for the code that reads it. */
import type * as z from "zod";
import type { DatabaseServer } from "../../domain/database/database_server.ts";
import type { StoredRestore } from "../../domain/restore.ts";
import type { FieldTable } from "../fields/field.ts";

/** Opened secrets, by field. */
export type SourceSecrets = Readonly<Record<string, string | null>>;

/** A job's source or target on the wire; types that are reached in the same way share a shape. */
export type SourceShape = z.ZodObject<{ type: z.ZodLiteral<string> }>;

export interface SourceDefinition {
  /** Name for people: `MySQL databases`. */
  readonly label: string;
  /** Value of a task's `type`. If types share it, `database_type` selects one. */
  readonly taskType: string;
  /** Contents of a backup, in messages about all types with this `taskType`. */
  readonly holds: string;
  /** Program that writes the backups: the `engine` of a backup. */
  readonly engine: string;
  /** Fields of a backup task, with secrets marked. */
  readonly fields: FieldTable;
  /** The field without which a task can't run. */
  readonly requiredField?: string;
  /** Sentence about the type, for the description of a task's `type`. */
  readonly note?: string;
  /** Whether only administrators may back it up. */
  readonly isForAdministrators?: true;
  /**
   * Version of the protocol whose agents know the type. Missing: only agents that name the type when they
   * connect know it.
   */
  readonly since?: number;
  readonly jobShape: SourceShape;
  /**
   * Returns a job's source. Throws an `InvalidError` if the task lacks a required field.
   *
   * @param secrets The secret fields of the source, of the task itself or of its server.
   */
  job(task: object, secrets: SourceSecrets): unknown;
  /**
   * Returns why these can't be names of databases of the type; null if they can. Missing if it has no
   * databases.
   */
  nameProblem?(names: readonly string[]): string | null;
  /** Whether an index lists the contents of its backups. */
  readonly isListed?: true;
  readonly restore: RestoreDefinition | NoRestore;
}

/** Messages for a type that no agent restores. */
export interface NoRestore {
  readonly refusal: string;
  readonly drillRefusal: string;
}

/** Fields of a restore of the type, and its target in a job. */
export interface RestoreDefinition {
  /** Fields of a request, beside those of every restore. */
  readonly fields: Readonly<Record<string, z.ZodType>>;
  readonly targetShape: SourceShape;
  /** Whether a database server loads the backup. */
  readonly usesServer?: true;
  /** Returns the options to store with the run. Throws an `InvalidError` that names every wrong field. */
  options(request: object, held: HeldBackup): StoredRestore;
  target(options: StoredRestore, login: RestoreLogin): unknown;
  /** Options of a drill of the whole backup; null if its job has no target. */
  readonly drill: StoredRestore | null;
  /**
   * Lists options that change the result of a restore: an agent before protocol 3, which does not know them,
   * must not get the job.
   */
  decisive?(options: StoredRestore): string[];
}

/** Known contents of a backup. */
export interface HeldBackup {
  readonly databases: readonly string[];
  /** Whether the source that it was made from is known. */
  readonly hasSource: boolean;
}

/** Users that a restore or a drill works as. */
export interface RestoreLogin {
  /** The system user; null: the agent's own. */
  readonly run_as: string | null;
  /** Null for types that use no database server. */
  readonly server: (DatabaseServer & { readonly password: string | null }) | null;
}

/** Returns the definition as it is, with its exact type. */
export function defineSource<const D extends SourceDefinition>(definition: D): D {
  return definition;
}

/** Returns whether agents can restore a type. */
export function isRestorable(restore: SourceDefinition["restore"]): restore is RestoreDefinition {
  return "fields" in restore;
}
