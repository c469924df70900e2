/** Plans what a backup of files contains: what tar leaves out, and what the run's output says about it. */
import { isOnServerDisk } from "../../../../src/definitions/destinations/registry.ts";
import type { FilesSource } from "../../../../src/definitions/sources/files.ts";
import { byteString } from "../../archive/bytes.ts";
import { type Mount, mountOf, readMounts } from "../../mounts.ts";
import { RunFailedError } from "../../ports.ts";
import type { RunContext } from "../../run_context.ts";
import { type Boundaries, findBoundaries, newMounts } from "./boundaries.ts";
import { hasWildcards, quotePattern, ruleArguments } from "./exclusion_rules.ts";
import { findStagingDirectories, searchExclusions } from "./exclusion_search.ts";
import { type Exclusions, planExclusions } from "./exclusions.ts";
import { displayPattern } from "./display_pattern.ts";

/**
 * Types of file systems that report the number of blocks of every file. If a file has no blocks, GNU tar
 * treats it as a single hole and loses its contents. Many FUSE file systems, SMB, 9p and sysfs report no
 * blocks, so they are not in this list.
 */
const SPARSE_TYPES = new Set([
  "bcachefs",
  "btrfs",
  "ext2",
  "ext3",
  "ext4",
  "f2fs",
  "overlay",
  "tmpfs",
  "xfs",
  "zfs",
]);

/**
 * Maximum size of tar's arguments in bytes: Linux's limit with the usual stack limit, minus room for the
 * environment.
 */
const MAX_ARGUMENTS = 1_800_000;
/**
 * Number of bytes that an argument takes in addition to its text: a NUL, and the argument's address. See
 * execve(2).
 */
const POINTER_BYTES = 9;

export interface TreeScope {
  /** The source's path without symbolic links. */
  root: string;
  arguments: string[];
  /** Mounts that the run's output already mentions. Their names are relative to the root. */
  knownMounts: ReadonlySet<string>;
  /** Warns about file systems that were mounted in the source during the backup. */
  checkMounts(): Promise<void>;
}

/**
 * Returns tar's options for sparse files: with them, tar stores holes as holes. Returns none if the file
 * system does not report how many blocks a file has.
 */
function sparseArguments(root: string, mounts: readonly Mount[]): string[] {
  return SPARSE_TYPES.has(mountOf(root, [...mounts])?.type ?? "") ? ["--sparse"] : [];
}

export async function directoryScope(
  source: FilesSource,
  mounts: Mount[],
  context: RunContext,
): Promise<TreeScope> {
  const { output } = context.ports;
  const root = await Deno.realPath(source.path);
  const exclusions = await exclusionsOf(source, mounts, context);
  const boundaries = await findBoundaries(root, mounts, exclusions.matchers, context);
  for (const note of [...exclusions.notes, ...boundaries.notes]) output.line(note);
  for (const warning of [...exclusions.warnings, ...boundaries.warnings]) output.warning(warning);
  const found = await searchExclusions(root, boundaries.subvolumes, exclusions.unsearched, context);
  for (const given of found.unmatched) {
    const text = `Excluded path ${displayPattern(given)} matches nothing: nothing is left out for it`;
    // A pattern such as *.tmp might match later, so it gets no warning. A path or a name should match now.
    if (hasWildcards(given) && !given.includes("/")) output.line(text);
    else output.warning(text);
  }
  for (const { given } of found.withFiles) {
    output.line(
      `Excluded path ${
        displayPattern(given)
      }: the contents of directories are left out; files of that name are kept`,
    );
  }
  for (const name of await findStagingDirectories(root, context)) {
    output.warning(
      `Left out: ${root}/${name}, where a restore unpacks or was interrupted. Remove it if no restore is running`,
    );
  }
  const rules = exclusions.directoryRules.flatMap((rule) => ruleArguments(rule, found.withFiles.has(rule)));
  return {
    root,
    arguments: checkArgumentSize([
      ...sparseArguments(root, mounts),
      ...exclusions.arguments,
      ...rules,
      ...boundaryArguments(boundaries),
    ]),
    knownMounts: new Set(
      [...boundaries.mounts, ...boundaries.unreachable, ...boundaries.missing].map(byteString),
    ),
    async checkMounts() {
      if (boundaries.subvolumes.length === 0) return;
      for (const name of newMounts(root, mounts, (await readMounts()).mounts)) {
        output.warning(`${root}/${name} was mounted during the backup, which may hold some of its files`);
      }
    },
  };
}

function checkArgumentSize(args: string[]): string[] {
  const size = args.reduce((sum, arg) => sum + byteString(arg).length + POINTER_BYTES, 0);
  if (size <= MAX_ARGUMENTS) return args;
  throw new RunFailedError(
    "Cannot exclude what the task's excluded_paths name: together they are longer than a command line may be. " +
      "Use fewer, or shorter ones; ** in the middle of a pattern counts for many.",
  );
}

export function fileScope(
  { path, excluded_paths }: FilesSource,
  mounts: Mount[],
  { ports }: RunContext,
): TreeScope {
  for (const given of excluded_paths) {
    ports.output.warning(
      `Excluded path ${displayPattern(given)} is not in ${path}: nothing is left out for it`,
    );
  }
  return {
    root: path,
    arguments: sparseArguments(path, mounts),
    knownMounts: new Set(),
    checkMounts: () => Promise.resolve(),
  };
}

/**
 * Returns the options that keep tar in the source's file system. Normally, `--one-file-system` does this. But
 * with that option tar would skip subvolumes, because it takes them for other file systems. So if the source
 * has subvolumes, the options name each mount that tar must not enter.
 */
function boundaryArguments({ mounts, unreachable, subvolumes }: Boundaries): string[] {
  const rule = { given: "", isAnchored: true };
  const closed = unreachable.flatMap((pattern) => ruleArguments({ ...rule, pattern, isLiteral: true }));
  if (subvolumes.length === 0) return ["--one-file-system", ...closed];
  const contents = mounts.flatMap((name) =>
    ruleArguments({ ...rule, pattern: `${quotePattern(name)}/*`, isLiteral: false })
  );
  return [...closed, ...contents];
}

function exclusionsOf(
  source: FilesSource,
  mounts: readonly Mount[],
  { job, ports }: RunContext,
): Promise<Exclusions> {
  const local = isOnServerDisk(job.destination) ? [job.destination.directory] : [];
  return planExclusions({
    sourcePath: source.path,
    patterns: source.excluded_paths,
    ownDirectories: [...local, ports.workDirectory],
    objectPrefix: job.object.prefix,
    mounts,
  });
}
