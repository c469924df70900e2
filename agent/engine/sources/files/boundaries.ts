/**
 * Boundaries where a directory tree leaves its file system. Another mounted file system is left out and
 * named. A subvolume has a device number of its own but is not a mount, so it is part of the tree.
 */
import { bytesOf, byteString, textOf } from "../../archive/bytes.ts";
import { capture } from "../../programs/capture.ts";
import { isWithin, type Mount, mountOf } from "../../mounts.ts";
import type { RunContext } from "../../run_context.ts";
import { isExcluded } from "./exclusion_rules.ts";
import { parentOf, relative } from "./path_text.ts";
import { searchTree } from "./tree_search.ts";

export interface Boundaries {
  /** Mounts that tar would enter without an option against it, relative to the root. */
  mounts: string[];
  /** Mounts that can't be looked at: tar may not even ask for their attributes. */
  unreachable: string[];
  /** Subvolumes, relative to the root. */
  subvolumes: string[];
  /** Subvolumes that a snapshot, which is the source, does not hold; relative to the root. */
  missing: string[];
  warnings: string[];
  notes: string[];
}

/** File systems that hold no data of their own. */
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
/** Where file systems in memory are part of every system. */
const VOLATILE = ["/dev", "/run", "/sys", "/proc"];
/** File systems with subvolumes. */
const WITH_SUBVOLUMES = new Set(["btrfs", "bcachefs"]);
/** A server that does not answer is not waited for. */
const LOOK_SECONDS = 10;

type Matchers = readonly ((name: string) => boolean)[];

/** @param root Real path. */
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
  const devices = await lookAt(below.flatMap(({ point }) => [point, parentOf(point)]), context);
  for (const mount of below) sort(mount, devices, found, root, matchers);
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

/** Mounts that appeared below the root since, relative to it. */
export function appearedSince(root: string, before: readonly Mount[], now: readonly Mount[]): string[] {
  const known = new Set(before.map(({ point }) => point));
  return mountsBelow(root, now).map(({ point }) => point).filter((point) => !known.has(point))
    .map((point) => relative(point, root));
}

/** Where several mounts lie on one point, only the last counts. */
function mountsBelow(root: string, mounts: readonly Mount[]): Mount[] {
  const last = new Map(mounts.map((mount) => [mount.point, mount]));
  return [...last.values()].filter(({ point }) => point !== root && isWithin(point, root));
}

function sort(
  mount: Mount,
  devices: Map<string, Look>,
  found: Boundaries,
  root: string,
  matchers: Matchers,
): void {
  const name = relative(mount.point, root);
  const look = devices.get(mount.point);
  const parent = devices.get(parentOf(mount.point));
  const what = `${mount.point}, another file system (${mount.type}, ${mount.device})`;
  const isQuiet = isExcluded(name, matchers);
  if (look === undefined || look === "missing") {
    // Another mount may hide it.
    if (look === "missing") return;
    found.unreachable.push(name);
    if (!isQuiet) {
      (isVolatile(mount) ? found.notes : found.warnings).push(`Left out: ${what}, which can't be looked at`);
    }
    return;
  }
  // A file that is mounted is read as any other; so is a directory of the same file system.
  if (!look.isDirectory || (typeof parent === "object" && parent.device === look.device)) return;
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

type Look = { device: string; isDirectory: boolean } | "missing";

/**
 * Paths that could not be looked at are not in the answer. Each gets a process: one that hangs holds up no
 * other.
 */
async function lookAt(paths: string[], { children, user }: RunContext): Promise<Map<string, Look>> {
  const looks = new Map<string, Look>();
  if (paths.length === 0) return looks;
  const unique = [...new Set(paths)];
  const script = `for path; do told=$(timeout --kill-after=1 ${LOOK_SECONDS} ` +
    `stat --printf='%d\\t%F' -- "$path" 2>&1) || told="?$told"; printf '%s\\t%s\\0' "$told" "$path"; done`;
  const { stdout } = await capture(children, {
    program: "xargs",
    args: ["-0", "-r", "-n", "1", "-P", "16", "sh", "-c", script, "sh"],
    user,
  }, bytesOf(unique.map((path) => `${byteString(path)}\0`).join("")));
  for (const entry of stdout.split("\0").slice(0, -1)) {
    const failed = /^\?(?:stat: .*: (.*))?\t(.*)$/s.exec(entry);
    if (failed?.[1] === "No such file or directory") looks.set(failed[2]!, "missing");
    if (failed !== null) continue;
    const [device, kind, ...path] = entry.split("\t");
    looks.set(path.join("\t"), { device: device!, isDirectory: kind === "directory" });
  }
  return looks;
}

interface Subvolumes {
  /** Directories that differ in device from the one above and are no mounts; upper ones first. */
  subvolumes: string[];
  /** Subvolumes of which the source, a snapshot, shows only the place, as an empty directory. */
  missing: string[];
}

/** Inode number of such a directory: BTRFS_EMPTY_SUBVOL_DIR_OBJECTID, which no other directory has. */
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
    // A snapshot below the source may lack subvolumes too: the source holds the originals.
    const { subvolumes } = await findSubvolumes(root, path, points, context);
    found.subvolumes.push(relative(path, root), ...subvolumes);
  }
  return found;
}
