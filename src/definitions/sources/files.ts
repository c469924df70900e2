/** A directory tree, or a single file. */
import * as z from "zod";
import { InvalidError } from "../../domain/errors.ts";
import { archivePaths } from "../../domain/restore.ts";
import { defineFields, type StoredValues } from "../fields/field.ts";
import { absolutePath, innerPath } from "../formats/paths.ts";
import { literalLine } from "../formats/text.ts";
import { defineSource, type HeldBackup } from "./definition.ts";

const FIELDS = defineFields({
  source_path: {
    schema: absolutePath(),
    help: "directory or file to back up",
    description: "Absolute; needed when `type` is `files`.",
    example: "/var/www",
    placeholder: "path",
    alsoShownAs: "source.path",
    definesSource: true,
  },
  excluded_paths: {
    schema: z.array(literalLine(4096)).max(1000),
    help: "paths and patterns to exclude",
    description:
      "Paths and patterns to exclude: absolute paths in the source, or patterns. A relative pattern matches at " +
      "every depth; `*` matches no slash.",
    example: ["*.tmp", "node_modules"],
    placeholder: "pattern",
    default: [],
    definesSource: true,
  },
  allow_unreadable: {
    schema: z.boolean(),
    help: "warn of unreadable files instead of failing the run",
    description: "Whether an unreadable file causes a warning, instead of failing the run.",
    default: false,
  },
});

/**
 * Source of a job that backs up a directory tree or a file. `path` is absolute. `excluded_paths` contains
 * paths and patterns: see docs/guide/sources.md.
 */
export const FilesSource = z.object({
  type: z.literal("files"),
  path: z.string(),
  excluded_paths: z.array(z.string()),
  allow_unreadable: z.boolean(),
});
export type FilesSource = z.infer<typeof FilesSource>;

/**
 * Target of a job that restores files into the directory `path`. If `path` is null, the job restores into the
 * directory that was backed up.
 */
export const FilesTarget = z.object({
  type: z.literal("files"),
  path: z.string().nullable(),
  /**
   * Paths to restore, with everything below them; empty restores everything. Paths are relative to the
   * source's root, without `./`.
   */
  paths: z.array(z.string()),
  /**
   * Whether existing files are replaced. If false, an existing file fails the run. Files that the backup does
   * not contain stay in any case.
   */
  overwrite: z.boolean(),
});
export type FilesTarget = z.infer<typeof FilesTarget>;

/** Options of a restore of files, as they are stored with the run. */
export interface FilesRestore {
  /** Missing in old runs, from the time when only files could be restored. */
  readonly type?: "files";
  /** Directory to restore into; null is the path that was backed up. */
  readonly target_path: string | null;
  /** Paths to restore, relative to the source's root; empty restores everything. */
  readonly paths: readonly string[];
  readonly overwrite: boolean;
}

interface FilesRequest {
  readonly target_path?: string;
  readonly paths?: string[];
  readonly overwrite?: boolean;
}

export const files = defineSource({
  label: "files",
  taskType: "files",
  holds: "files",
  engine: "tar",
  fields: FIELDS,
  requiredField: "source_path",
  since: 1,
  jobShape: FilesSource,
  job: (task: StoredValues<typeof FIELDS>): FilesSource => ({
    type: "files",
    path: task.source_path!,
    excluded_paths: task.excluded_paths,
    allow_unreadable: task.allow_unreadable,
  }),
  isListed: true,
  restore: {
    fields: {
      target_path: absolutePath().meta({
        description: "Files only. The directory to restore into. Default: where the files came from.",
      }),
      paths: z.array(innerPath()).max(1000).meta({
        description:
          "Files only. The paths to restore, each with everything below it; relative to the source's root. Default: everything.",
      }),
    },
    targetShape: FilesTarget,
    options(request: FilesRequest, { hasSource }: HeldBackup): FilesRestore {
      const target_path = request.target_path ?? null;
      if (target_path === null && !hasSource) {
        throw new InvalidError({
          target_path: ["The backup's original location is not known. Specify where to restore it."],
        });
      }
      return {
        type: "files",
        target_path,
        paths: archivePaths(request.paths ?? []),
        overwrite: request.overwrite ?? false,
      };
    },
    target: ({ target_path, paths, overwrite }: FilesRestore): FilesTarget => ({
      type: "files",
      path: target_path,
      paths: [...paths],
      overwrite,
    }),
    drill: null,
  },
});
