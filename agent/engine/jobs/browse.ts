/** Lists a backup's contents from its index, without reading the archive. */
import { createHash } from "node:crypto";
import { statfs } from "node:fs/promises";
import type { BackupBrowse, BackupBrowseResult, BackupEntry } from "../../../src/protocol/browsing.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import { IndexParser, type Member } from "../archive/archive_index.ts";
import { byteString } from "../archive/bytes.ts";
import { Children } from "../programs/children.ts";
import { requestLimits } from "../destinations/limits.ts";
import { openDestination } from "../destinations/destinations.ts";
import { PresignedDownloads } from "../presigned_downloads.ts";
import { oneLine } from "../programs/line.ts";
import { type ListedMember, listedMember, octalMode } from "../archive/listed_member.ts";
import type { ListingCache, MakeListing } from "../archive/listing_cache.ts";
import { BackupDamagedError, RunFailedError } from "../ports.ts";
import { displayName, foldName, nameFromDisplay } from "../archive/display_name.ts";
import { SortedListing } from "../archive/sorted_listing.ts";
import { StoredObjects } from "./stored_objects.ts";
import { parentOf } from "../restore_files/selection.ts";

/**
 * Limit of a response in characters of JSON. A response is sent in one websocket frame and stored in one
 * database row.
 */
const MAX_RESPONSE = 900_000;

/**
 * Time in milliseconds for which the agent tries to reach the destination again. The time is shorter than the
 * request's deadline, so that the agent can still report the reason of a failure.
 */
const DESTINATION_TIMEOUT = 15_000;

/** Free disk space needed to write a sorted listing, as a multiple of the index's stored size. */
const SPACE_FACTOR = 60;

/**
 * Returns one page of a directory. Memory use grows with the number of members up to the page's end.
 *
 * Rejects with a `BackupDamagedError` if the stored index was altered. If the directory can't be listed for
 * another reason, rejects with a plain `RunFailedError`. Both errors name the backup.
 *
 * @param cache Keeps the listings of large backups between requests. If null, each request reads the index.
 */
export async function browseBackup(
  request: BackupBrowse,
  clock: Clock,
  signal: AbortSignal,
  cache: ListingCache | null = null,
): Promise<BackupBrowseResult> {
  const { backup, path } = request;
  try {
    const listing = cache === null ? null : await cachedListing(request, clock, signal, cache);
    const list = (directory: string) =>
      listing === null
        ? withObjects(request, clock, signal, (objects) => listFromIndex(objects, request, directory))
        : listFrom(listing, request, directory);
    let result = await list(byteString(path));
    // If no member has this path, the path might be a display name from an earlier listing.
    if (!result.found && nameFromDisplay(path) !== byteString(path)) {
      result = await list(nameFromDisplay(path));
    }
    if (JSON.stringify(result).length <= MAX_RESPONSE) return result;
    throw new RunFailedError("the names on this page are too long for one response. Request fewer per page");
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = oneLine((error as Error).message);
    const message = `Cannot list backup ${backup.id}: ${reason}`;
    if (error instanceof BackupDamagedError) throw new BackupDamagedError(message, error.damage);
    throw new RunFailedError(message, { cause: error });
  }
}

async function withObjects<T>(
  { backup, signed }: BackupBrowse,
  clock: Clock,
  signal: AbortSignal,
  work: (objects: StoredObjects, children: Children) => Promise<T>,
): Promise<T> {
  const downloads = new PresignedDownloads(signed);
  const limits = requestLimits(DESTINATION_TIMEOUT);
  await using children = new Children(clock, signal);
  const ports = { clock, signal, output: null, uploads: null, downloads, relay: null, limits };
  const destination = await openDestination(backup.destination, ports);
  try {
    return await work(new StoredObjects(backup, destination, children), children);
  } finally {
    await destination.close();
  }
}

/**
 * Returns the index as a sorted listing from the cache. Returns null if the index is small or the disk has
 * too little space for the listing.
 */
async function cachedListing(
  request: BackupBrowse,
  clock: Clock,
  signal: AbortSignal,
  cache: ListingCache,
): Promise<SortedListing | null> {
  const { objects, key } = request.backup;
  const index = objects.find(({ role, database }) => role === "index" && database === null);
  if (index === undefined || index.size < cache.from) return null;
  // Hash the key into the id, so that a request with another key does not get this listing.
  const id = createHash("sha256").update(JSON.stringify([index.sha256, key])).digest("hex");
  const make: MakeListing = async (directory, signal) => {
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < SPACE_FACTOR * index.size) throw new NoSpaceError();
    return await withObjects(
      request,
      clock,
      signal,
      (objects, children) => SortedListing.write(directory, (take) => objects.lines(index, take), children),
    );
  };
  try {
    return await cache.open(id, make, signal);
  } catch (error) {
    if (error instanceof NoSpaceError || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

class NoSpaceError extends Error {}

async function listFrom(
  listing: SortedListing,
  { offset, limit, search }: BackupBrowse,
  path: string,
): Promise<BackupBrowseResult> {
  const page = await listing.page(path, { offset, limit, search: search ?? null });
  if (page !== null) {
    const { unlisted, ...rest } = page;
    return { found: true, ...rest, ...unlisted === 0 ? {} : { unlisted } };
  }
  const entry = await listing.entry(path);
  if (entry === null) return { found: false };
  return { found: true, entries: offset === 0 ? [entry] : [], total: 1 };
}

async function listFromIndex(
  objects: StoredObjects,
  { offset, limit, search }: BackupBrowse,
  directory: string,
): Promise<BackupBrowseResult> {
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index");
  const parser = new IndexParser();
  const page = new FirstMembers(offset + limit);
  const pattern = foldName(search ?? "");
  const isMatch = (name: string) =>
    pattern === "" || foldName(displayName(name.slice(name.lastIndexOf("/") + 1))).includes(pattern);
  let itself: ListedMember | null = null;
  let unlisted = 0;
  await objects.lines(index, (line) => {
    const member = parser.line(line);
    if (member === null) return;
    const isItself = member.name === directory;
    if (!isItself && parentOf(member.name) !== directory) return;
    const listed = listedMember(member);
    if (listed === null) unlisted++;
    else if (isItself) itself = listed;
    else if (isMatch(member.name)) page.add(listed);
  });
  unlisted += parser.unreadable?.count ?? 0;
  const rest = unlisted === 0 ? {} : { unlisted };
  const found = itself as ListedMember | null;
  if (found === null && directory !== "") return { found: false };
  if (found !== null && found.type !== "directory") {
    return { found: true, entries: offset === 0 ? [entryOf(found)] : [], total: 1 };
  }
  return { found: true, entries: page.sorted().slice(offset).map(entryOf), total: page.total, ...rest };
}

/**
 * Selects the first `count` members in sorted order from a sequence of members. Memory use is proportional to
 * `count`.
 */
class FirstMembers {
  total = 0;
  #members: ListedMember[] = [];

  constructor(private readonly count: number) {}

  add(member: ListedMember): void {
    this.total++;
    this.#members.push(member);
    if (this.#members.length >= 2 * this.count + 1000) this.#members = this.sorted();
  }

  sorted(): ListedMember[] {
    return this.#members.sort(inOrder).slice(0, this.count);
  }
}

function inOrder(a: Member, b: Member): number {
  const isDirectory = (member: Member) => member.type === "directory";
  if (isDirectory(a) !== isDirectory(b)) return isDirectory(a) ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function entryOf({ name, type, size, mode, uid, gid, modifiedAt, linkTarget }: ListedMember): BackupEntry {
  return {
    path: displayName(name),
    type,
    size,
    mode: octalMode(mode),
    uid,
    gid,
    modified_at: modifiedAt?.replace(/\.\d+/, "") ?? "",
    link_target: linkTarget === null ? null : displayName(linkTarget),
  };
}
