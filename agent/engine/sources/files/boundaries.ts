/**
 * Finds the file systems that are mounted in a source. Backups leave these file systems out and report them.
 * Like a mount, a subvolume has its own device number. But it is not a mount, so backups contain it.
 */
import { bytesOf, byteString, textOf } from "../../archive/bytes.ts";
import { capture } from "../../programs/capture.ts";
import { isWithin, type Mount, mountOf } from "../../mounts.ts";
import type { RunContext } from "../../run_context.ts";
import { isExcluded } from "./exclusion_rules.ts";
import { parentOf, relative } from "./path_text.ts";
import { searchTree } from "./tree_search.ts";

export interface Boundaries {
  /** Mounts that tar must be told not to enter, by name relative to the root. */
  mounts: string[];
  /** Mounts that cannot be read, by name relative to the root. tar must not even request their attributes. */
  unreachable: string[];
  /** Subvolumes in the source, by name relative to the root. */
  subvolumes: string[];
  /**
   * Subvolumes that are missing in the source, by name relative to the root. They are missing because the
   * source is a snapshot.
   */
  missing: string[];
  warnings: string[];
  notes: string[];
}

/** Types of file systems that hold no data of their own. */
const PSEUDO_TYPES = new Set([
  ...[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
  ],
  ...[
    "fuse.gvfsd-fuse",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
  ],
  ...["sysfs", "tracefs"],
]);
/** On every system, file systems in memory are mounted in these directories. */
const VOLATILE = ["/dev", "/run", "/sys", "/proc"];
/** Types of file systems that have subvolumes. */
const WITH_SUBVOLUMES = new Set(["btrfs", "bcachefs"]);
/** Time limit for reading the attributes of one mount, in seconds. The mount's server might not answer. */
const ATTRIBUTES_TIMEOUT_SECONDS = 10;

type Matchers = readonly ((name: string) => boolean)[];

/**
 * Finds the mounts and subvolumes in a source. Returns them with warnings and notes for the run's output.
 *
 * @param root Path of the source, without symbolic links.
 */
export async function findBoundaries(
  root: string,
  mounts: readonly Mount[],
  matchers: Matchers,
  context: RunContext,
): Promise<Boundaries> {
  const found: Boundaries = {
    mounts: [],
    unreachable: [],
    subvolumes: [],
    missing: [],
    warnings: [],
    notes: [],
  };
  const below = mountsBelow(root, mounts);
  const devices = await readAttributes(below.flatMap(({ point }) => [point, parentOf(point)]), context);
  for (const mount of below) classifyMount(mount, devices, found, root, matchers);
  if (WITH_SUBVOLUMES.has(mountOf(root, [...mounts])?.type ?? "")) {
    const points = new Set(below.map(({ point }) => point));
    const { subvolumes, missing } = await findSubvolumes(root, root, points, context);
    const isWanted = (name: string) => !isExcluded(name, matchers);
    found.subvolumes = subvolumes.filter(isWanted);
    for (const name of found.subvolumes) found.notes.push(`Subvolume in the backup: ${root}/${name}`);
    found.missing = missing;
    for (const name of missing.filter(isWanted)) {
      found.warnings.push(
        `Not in the snapshot: ${root}/${name}, a subvolume of which the snapshot holds an empty directory only. ` +
          "Back up a snapshot of its own, or name it in excluded_paths",
      );
    }
  }
  return found;
}

/** Returns the mounts below the root that are in `now` but not in `before`, by name relative to the root. */
export function newMounts(root: string, before: readonly Mount[], now: readonly Mount[]): string[] {
  const known = new Set(before.map(({ point }) => point));
  return mountsBelow(root, now).map(({ point }) => point).filter((point) => !known.has(point))
    .map((point) => relative(point, root));
}

/**
 * Returns the mounts below the root. If there are several mounts at one point, returns the last mount,
 * because it hides the others.
 */
function mountsBelow(root: string, mounts: readonly Mount[]): Mount[] {
  const last = new Map(mounts.map((mount) => [mount.point, mount]));
  return [...last.values()].filter(({ point }) => point !== root && isWithin(point, root));
}

function classifyMount(
  mount: Mount,
  devices: Map<string, PathAttributes>,
  found: Boundaries,
  root: string,
  matchers: Matchers,
): void {
  const name = relative(mount.point, root);
  const attributes = devices.get(mount.point);
  const parent = devices.get(parentOf(mount.point));
  const what = `${mount.point}, another file system (${mount.type}, ${mount.device})`;
  const isQuiet = isExcluded(name, matchers);
  if (attributes === undefined || attributes === "missing") {
    // Another mount hides this mount.
    if (attributes === "missing") return;
    found.unreachable.push(name);
    if (!isQuiet) {
      (isVolatile(mount) ? found.notes : found.warnings).push(`Left out: ${what}, which can't be accessed`);
    }
    return;
  }
  // Mounted files are backed up like all other files. Directories that are mounted from the same file system
  // are backed up as well.
  if (!attributes.isDirectory || (typeof parent === "object" && parent.device === attributes.device)) return;
  found.mounts.push(name);
  if (isQuiet) return;
  if (isVolatile(mount)) found.notes.push(`Left out: ${what}`);
  else {found.warnings.push(
      `Left out: ${what}. Back it up by a task of its own, or name it in excluded_paths`,
    );}
}

function isVolatile({ type, point }: Mount): boolean {
  return PSEUDO_TYPES.has(type) ||
    (type === "tmpfs" && VOLATILE.some((directory) => isWithin(point, directory)));
}

type PathAttributes = { device: string; isDirectory: boolean } | "missing";

/**
 * Returns the attributes of paths. Leaves out paths that cannot be read. Each path has a process of its own,
 * because a mount may hang and must not block the other paths.
 */
async function readAttributes(
  paths: string[],
  { children, user }: RunContext,
): Promise<Map<string, PathAttributes>> {
  const attributes = new Map<string, PathAttributes>();
  if (paths.length === 0) return attributes;
  const unique = [...new Set(paths)];
  const script = `for path; do output=$(timeout --kill-after=1 ${ATTRIBUTES_TIMEOUT_SECONDS} ` +
    `stat --printf='%d\\t%F' -- "$path" 2>&1) || output="?$output"; printf '%s\\t%s\\0' "$output" "$path"; done`;
  const { stdout } = await capture(children, {
    program: "xargs",
    args: ["-0", "-r", "-n", "1", "-P", "16", "sh", "-c", script, "sh"],
    user,
  }, bytesOf(unique.map((path) => `${byteString(path)}\0`).join("")));
  for (const entry of stdout.split("\0").slice(0, -1)) {
    const failed = /^\?(?:stat: .*: (.*))?\t(.*)$/s.exec(entry);
    if (failed?.[1] === "No such file or directory") attributes.set(failed[2]!, "missing");
    if (failed !== null) continue;
    const [device, kind, ...path] = entry.split("\t");
    attributes.set(path.join("\t"), { device: device!, isDirectory: kind === "directory" });
  }
  return attributes;
}

interface Subvolumes {
  /**
   * Directories that are on another device than the directory above them, but are not mounts. A directory
   * comes before the directories below it.
   */
  subvolumes: string[];
  /** Directories that are empty in a snapshot, because they are subvolumes in the snapshot's original. */
  missing: string[];
}

/**
 * Inode number of the empty directory that a snapshot has in place of a subvolume:
 * BTRFS_EMPTY_SUBVOL_DIR_OBJECTID. No other directory has this number.
 */
const MISSING_SUBVOLUME = "2";

async function findSubvolumes(
  root: string,
  top: string,
  points: ReadonlySet<string>,
  context: RunContext,
): Promise<Subvolumes> {
  const others: string[] = [];
  const found: Subvolumes = { subvolumes: [], missing: [] };
  const pathOf = (name: string) => `${top === "/" ? "" : top}/${name}`;
  let own: string | null = null;
  await searchTree(top, ["-type", "d", "-printf", "%D\\t%i\\t%P\\0"], context, (entry) => {
    const [device, inode, ...rest] = entry.split("\t");
    const name = textOf(rest.join("\t"));
    if (own === null) own = device!;
    else if (inode === MISSING_SUBVOLUME && !points.has(pathOf(name))) {
      found.missing.push(relative(pathOf(name), root));
    } else if (device !== own) others.push(name);
    return true;
  });
  for (const name of others.sort()) {
    const path = pathOf(name);
    if (points.has(path)) continue;
    // Ignore `missing` here. Subvolumes might also be missing from a snapshot below the source, but the
    // source contains the originals of these subvolumes.
    const { subvolumes } = await findSubvolumes(root, path, points, context);
    found.subvolumes.push(relative(path, root), ...subvolumes);
  }
  return found;
}
