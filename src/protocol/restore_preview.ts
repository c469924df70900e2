/**
 * Defines previews of restores. For a preview, an agent makes the checks of a restore, but changes nothing.
 * Previews exist since protocol 7.
 */
import * as z from "zod";
import { SignedObject } from "./browsing.ts";
import { Amounts } from "./restore_report.ts";
import { BackupToRead, RestoreTarget } from "./job.ts";

/** Requests a preview of a restore. The agent changes nothing. */
export const RestorePreview = z.object({
  kind: z.literal("restore.preview"),
  backup: BackupToRead,
  signed: z.array(SignedObject),
  target: RestoreTarget,
});
export type RestorePreview = z.infer<typeof RestorePreview>;

/**
 * Something that would make the restore fail. People see `path problem. solution`: first what is wrong, then
 * what they can do.
 */
export const Obstacle = z.object({
  /** Path of a file, or name of a database; null if the problem is about neither. */
  path: z.string().max(8192).nullable(),
  problem: z.string().max(4096),
  /** A sentence that says what a person can do; empty if `problem` already says what to do. */
  solution: z.string().max(4096),
});
export type Obstacle = z.infer<typeof Obstacle>;

export const TARGET_STATES = ["missing", "empty", "occupied"] as const;

/** One thing that is restored, and its location after the restore. */
export const PreviewedTarget = z.object({
  /** Path in the backup, or name of the database in the backup. */
  source: z.string().max(8192),
  /** Absolute path; null for a database on a database server. */
  path: z.string().max(8192).nullable(),
  /** Name of the database; null for files. */
  database_name: z.string().max(4096).nullable(),
  /** State of the location now; null if it is not known. */
  state: z.enum(TARGET_STATES).nullable(),
});
export type PreviewedTarget = z.infer<typeof PreviewedTarget>;

/** Maximum number of obstacles and targets in a response. */
export const MAX_PREVIEWED = 100;

export const RestorePreviewResult = z.object({
  targets: z.array(PreviewedTarget).max(MAX_PREVIEWED),
  /** Number of all targets. `targets` contains only the first of them. */
  targets_count: z.number().int().nonnegative(),
  /** Description of the database server; null for files. */
  server: z.string().max(4096).nullable(),
  requested: Amounts,
  /** Free space where the files are unpacked, in bytes; null if it is not known. */
  free_bytes: z.number().int().nonnegative().nullable(),
  obstacles: z.array(Obstacle).max(MAX_PREVIEWED),
  /** Number of all obstacles. `obstacles` contains only the first of them. */
  obstacles_count: z.number().int().nonnegative(),
  warnings: z.array(z.string().max(4096)).max(MAX_PREVIEWED),
});
export type RestorePreviewResult = z.infer<typeof RestorePreviewResult>;
