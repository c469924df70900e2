/** Lists what a server has that could be backed up. Nothing is changed. */
import { statfs } from "node:fs/promises";
import type { InventoryItem } from "../../../src/domain/inventory.ts";
import type { ServerInventory, ServerInventoryResult } from "../../../src/protocol/exploring.ts";
import { type Mount, mountOf, readMounts } from "../mounts.ts";
import { RunFailedError } from "../ports.ts";
import { capture } from "../programs/capture.ts";
import { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";
import { type RequestEnvironment, requestPorts, Warnings } from "../request_ports.ts";
import { isListening } from "../sources/database/database_engine.ts";
import { typesByName } from "../sources/registry.ts";

/** Directories in which servers usually keep data that does not come from an installed package. */
const DATA_DIRECTORIES = ["/etc", "/home", "/opt", "/root", "/srv", "/var/www"];
/** Directory in which Docker keeps its volumes, unless it is configured otherwise. */
const DOCKER_VOLUMES = "/var/lib/docker/volumes";
/** Types of file systems that are on disks of the server. */
const DISKS = new Set(
  ("ext2 ext3 ext4 xfs btrfs zfs f2fs jfs reiserfs bcachefs ntfs ntfs3 fuseblk vfat exfat").split(" "),
);
/**
 * Mounts at or below these directories are not listed. Some of them are not needed in a backup of a server.
 * The others were made by programs, such as Docker.
 */
const IGNORED =
  /^\/(boot|efi|proc|sys|dev|run|tmp|snap|var\/lib\/(docker|containerd|containers|kubelet|snapd))(\/|$)/;
/** Maximum number of items in a response. */
const MAX_ITEMS = 5000;

/** Returns the server's databases, volumes, file systems and data directories. */
export async function takeInventory(
  { password }: ServerInventory,
  environment: RequestEnvironment,
): Promise<ServerInventoryResult> {
  await using children = new Children(environment.clock, environment.signal);
  const notes: string[] = [];
  const { mounts } = await readMounts();
  const fileSystems = await listFileSystems(mounts);
  const mounted = new Set(fileSystems.map(({ path }) => path));
  const items = [
    ...await listAllDatabases(password, children, environment, notes),
    ...await listVolumes(mounts, children, notes),
    ...fileSystems,
    ...(await listDirectories(mounts, notes)).filter(({ path }) => !mounted.has(path)),
  ];
  environment.signal.throwIfAborted();
  if (items.length > MAX_ITEMS) notes.push(`Only the first ${MAX_ITEMS} of ${items.length} are listed`);
  return { items: items.slice(0, MAX_ITEMS), notes: notes.map((note) => oneLine(note).slice(0, 4096)) };
}

/** Lists the databases of every database server that listens on a usual socket of its type. */
async function listAllDatabases(
  password: string | null,
  children: Children,
  environment: RequestEnvironment,
  notes: string[],
): Promise<InventoryItem[]> {
  const ports = requestPorts(environment, new Warnings());
  const items: InventoryItem[] = [];
  for (const [engine, { detection, listDatabases }] of typesByName) {
    if (detection === undefined || listDatabases === undefined) continue;
    const sockets = await detection.sockets(null, null);
    if (!(await Promise.all(sockets.map(isListening))).includes(true)) continue;
    try {
      const login = { host: null, port: null, username: null, password };
      const { databases } = await listDatabases(login, {
        job: { run_as: null },
        ports,
        children,
        user: null,
      });
      items.push(...databases.map(({ name, size }): InventoryItem => ({
        ...{ kind: "database", engine, name, path: null, mount: null, size },
      })));
    } catch (error) {
      environment.signal.throwIfAborted();
      if (!(error instanceof RunFailedError)) throw error;
      notes.push(`The databases of the type ${engine} can't be listed: ${error.message}`);
    }
  }
  return items;
}

/**
 * Lists the volumes of Docker, as the program `docker` names them. If the program is missing or fails, lists
 * the volumes in Docker's directory.
 */
async function listVolumes(mounts: Mount[], children: Children, notes: string[]): Promise<InventoryItem[]> {
  const volume = (name: string, path: string): InventoryItem => ({
    ...{ kind: "docker_volume", engine: null, name, path, size: null },
    mount: mountOf(path, mounts)?.point ?? "/",
  });
  const listed = await capture(children, {
    program: "docker",
    args: ["volume", "ls", "--filter", "driver=local", "--format", "{{.Name}}\t{{.Mountpoint}}"],
  }).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (listed?.exit.code === 0) {
    return listed.stdout.split("\n").map((line) => line.split("\t"))
      .filter(([name, path]) => name && path?.startsWith("/")).map(([name, path]) => volume(name!, path!));
  }
  try {
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(DOCKER_VOLUMES)) if (isDirectory) names.push(name);
    return names.sort().map((name) => volume(name, `${DOCKER_VOLUMES}/${name}/_data`));
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      notes.push(`The agent has no permission to read ${DOCKER_VOLUMES}`);
    }
    return [];
  }
}

/** Lists the file systems on disks, except the root: its directories are listed instead. */
async function listFileSystems(mounts: Mount[]): Promise<InventoryItem[]> {
  const found = new Map<string, string>();
  for (const { type, point, fileSystem } of mounts) {
    if (point === "/" || IGNORED.test(point) || !DISKS.has(type)) continue;
    const other = found.get(fileSystem);
    if (other === undefined || point.length < other.length) found.set(fileSystem, point);
  }
  const root = mountOf("/", mounts)?.fileSystem;
  const points = [...found].filter(([fileSystem]) => fileSystem !== root).map(([, point]) => point).sort();
  return await Promise.all(points.map(async (path): Promise<InventoryItem> => ({
    ...{ kind: "file_system", engine: null, name: path, path, mount: path, size: await usedSpace(path) },
  })));
}

async function usedSpace(path: string): Promise<number | null> {
  const space = await statfs(path).catch(() => null);
  return space === null ? null : Math.max((space.blocks - space.bfree) * space.bsize, 0);
}

async function listDirectories(mounts: Mount[], notes: string[]): Promise<InventoryItem[]> {
  const items: InventoryItem[] = [];
  for (const path of DATA_DIRECTORIES) {
    try {
      if (await Deno.realPath(path) !== path || !(await hasContent(path))) continue;
      const mount = mountOf(path, mounts)?.point ?? "/";
      items.push({ ...{ kind: "directory", engine: null, name: path, path, mount, size: null } });
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) {
        notes.push(`The agent has no permission to read ${path}`);
      } else if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return items;
}

/** Returns whether a directory contains anything besides empty directories and a user's start-up files. */
async function hasContent(path: string): Promise<boolean> {
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (name.startsWith(".")) continue;
    if (!isDirectory || !(await isEmpty(`${path}/${name}`))) return true;
  }
  return false;
}

/** Returns whether a directory is empty; false if the agent can't read it. */
async function isEmpty(path: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(path)) return false;
    return true;
  } catch {
    return false;
  }
}
