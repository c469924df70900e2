/** Finds files by name in the indexes of several backups, without reading their archives. */
import type { BackupFind, BackupFindResult, FoundVersion } from "../../../src/protocol/browsing.ts";
import type { BackupToRead } from "../../../src/protocol/job.ts";
import type { Clock } from "../../../src/domain/clock.ts";
import { IndexParser } from "../archive/archive_index.ts";
import { displayName } from "../archive/display_name.ts";
import { listedMember } from "../archive/listed_member.ts";
import { NamePattern } from "../archive/name_pattern.ts";
import { openDestination } from "../destinations/destinations.ts";
import { requestLimits } from "../destinations/limits.ts";
import { BackupDamagedError, type Destination, RunFailedError } from "../ports.ts";
import { PresignedDownloads } from "../presigned_downloads.ts";
import { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";
import { StoredObjects } from "./stored_objects.ts";

/**
 * Limits of a response in characters. `MAX_RESPONSE` limits the response's whole JSON, because one websocket
 * frame holds it. `MAX_NAMES` limits the found names, because grep gets them as arguments.
 */
const MAX_RESPONSE = 900_000;
const MAX_NAMES = 400_000;
/** Maximum number of indexes that are searched side by side. */
const MAX_WORKERS = 4;
/**
 * How long the agent retries to reach a destination, in milliseconds. The time is short, so that an
 * unavailable destination does not use up the time limit of the search.
 */
const DESTINATION_TIMEOUT = 5000;

/** Matching members of one backup. */
interface Matches {
  readonly members: readonly Match[];
  /** Whether the search in this backup ended early, because there are more matches than requested. */
  readonly isCut: boolean;
  readonly unlisted: number;
}

interface Match {
  /** Byte string of the path. */
  readonly name: string;
  /** The quoted name, as in the index. The closing quote, and a slash before it, are left out. */
  readonly quoted: string;
  readonly version: Omit<FoundVersion, "backups">;
}

/** The members of an index to return, and their maximum number. */
interface Selection {
  /** Arguments of grep. Its output has the line of every member to return, and might have other lines. */
  readonly grep: readonly string[];
  matches(name: string): boolean;
  readonly most: number;
}

/**
 * Finds members by name. Rejects only if `signal` aborts.
 *
 * First searches several indexes at the same time. If an index has more matches than requested, the rest of
 * the index is not read.
 *
 * Then looks up all found paths in each index that was not read to its end. Skips such an index if all found
 * paths were in the part that was read.
 */
export async function findFiles(
  request: BackupFind,
  clock: Clock,
  signal: AbortSignal,
): Promise<BackupFindResult> {
  await using search = new Search(request, clock, signal);
  const { backups, limit } = request;
  const pattern = new NamePattern(request.pattern);
  const filter = pattern.lineFilter();
  const matches = await search.each(backups, {
    grep: filter === null ? ["-e", ""] : ["-i", "-E", "-e", filter],
    matches: (name) => pattern.matches(displayName(name)),
    most: limit,
  });
  const hits = new Hits(limit);
  for (const { id } of backups) hits.choose(matches.get(id)?.members ?? []);
  hits.isTruncated ||= backups.some(({ id }) => matches.get(id)?.isCut);
  const cut = backups.filter(({ id }) => {
    const found = matches.get(id);
    return found?.isCut && !hits.areAllIn(found.members);
  });
  if (cut.length > 0) {
    const quoted = hits.quotedNames();
    const known = await search.each(cut, {
      grep: ["-F", ...quoted.flatMap((name) => ["-e", name])],
      matches: (name) => hits.has(name),
      most: Infinity,
    });
    // The first search read only a part of each of these indexes. So drop its matches, even if the second
    // search failed.
    for (const { id } of cut) matches.set(id, known.get(id) ?? { members: [], isCut: false, unlisted: 0 });
  }
  for (const { id } of backups) hits.addVersions(id, matches.get(id)?.members ?? []);
  const unlisted = [...matches.values()].reduce((sum, each) => sum + each.unlisted, 0);
  return { ...hits.shown(), unlisted, failed: search.failed };
}

/** A search in several backups: its time limit, its programs, and the backups that could not be searched. */
class Search implements AsyncDisposable {
  readonly failed: BackupFindResult["failed"] = [];
  readonly #children: Children;
  readonly #stopped = new AbortController();
  readonly #onAbort = () => this.#stopped.abort(this.signal.reason);
  #isLate = false;

  constructor(
    private readonly request: BackupFind,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {
    signal.throwIfAborted();
    signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#children = new Children(clock, this.#stopped.signal);
    clock.sleep(request.time_limit_ms, this.#stopped.signal).then(() => {
      this.#isLate = true;
      this.#stopped.abort(new RunFailedError("the time limit was reached"));
    }, () => {});
  }

  /**
   * Searches several backups at the same time. Returns the matches by the backup's id. Leaves out backups
   * that could not be searched.
   */
  async each(backups: readonly BackupToRead[], selection: Selection): Promise<Map<number, Matches>> {
    const matches = new Map<number, Matches>();
    const queue = backups.filter(({ id }) => !this.failed.some(({ backup }) => backup === id));
    const work = async () => {
      const destinations = new Map<string, Destination>();
      try {
        for (let backup = queue.shift(); backup !== undefined; backup = queue.shift()) {
          const found = await this.#search(backup, selection, destinations);
          if (found !== null) matches.set(backup.id, found);
        }
      } finally {
        for (const destination of destinations.values()) await destination.close();
      }
    };
    const workers = Math.min(MAX_WORKERS, navigator.hardwareConcurrency + 1, queue.length);
    await Promise.all(Array.from({ length: workers }, work));
    return matches;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal.removeEventListener("abort", this.#onAbort);
    await this.#children[Symbol.asyncDispose]();
    this.#stopped.abort();
  }

  /**
   * Returns the matches in one backup; null if the search fails.
   *
   * @param destinations Open destinations, by their description. If the backup's destination is not among
   * them, this method opens and adds it.
   */
  async #search(
    backup: BackupToRead,
    selection: Selection,
    destinations: Map<string, Destination>,
  ): Promise<Matches | null> {
    try {
      this.#stopped.signal.throwIfAborted();
      const destination = await this.#open(backup, destinations);
      await using children = this.#children.nest();
      return await searchIndex(new StoredObjects(backup, destination, children), selection);
    } catch (error) {
      this.signal.throwIfAborted();
      const { id } = backup;
      const reason = this.#isLate
        ? `The time limit of ${this.request.time_limit_ms / 1000} s was reached`
        : oneLine((error as Error).message);
      this.failed.push({
        backup: id,
        reason: reason.slice(0, 4096),
        ...error instanceof BackupDamagedError && !this.#isLate
          ? { damage: error.damage.slice(0, 4096) }
          : {},
      });
      return null;
    }
  }

  async #open(backup: BackupToRead, destinations: Map<string, Destination>): Promise<Destination> {
    const description = JSON.stringify(backup.destination);
    const open = destinations.get(description);
    if (open !== undefined) return open;
    const destination = await openDestination(backup.destination, {
      clock: this.clock,
      signal: this.#stopped.signal,
      output: null,
      uploads: null,
      downloads: new PresignedDownloads(this.request.signed),
      relay: null,
      limits: requestLimits(DESTINATION_TIMEOUT),
    });
    destinations.set(description, destination);
    return destination;
  }
}

async function searchIndex(
  objects: StoredObjects,
  { grep, matches, most }: Selection,
): Promise<Matches> {
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index");
  const parser = new IndexParser();
  const members: Match[] = [];
  let unlisted = 0;
  let isCut = false;
  await objects.selectedLines(index, grep, (line) => {
    const member = parser.line(line);
    if (member === null || member.name === "" || !matches(member.name)) return true;
    const listed = listedMember(member);
    if (listed === null) {
      unlisted++;
      return true;
    }
    isCut = members.length >= most;
    if (isCut) return false;
    const { name, type, size, modifiedAt } = listed;
    members.push({
      name,
      quoted: /"(?:[^"\\]|\\.)*(?=")/.exec(line)![0].replace(/\/$/, ""),
      version: { type, size, modified_at: modifiedAt ?? "" },
    });
    return true;
  });
  return { members, isCut, unlisted: unlisted + (parser.unreadable?.count ?? 0) };
}

/** Collects the found paths, up to a limit. Paths in newer backups are added first. */
class Hits {
  isTruncated = false;
  /**
   * The hits by path. The key of a version is the JSON of its properties, so equal versions of several
   * backups are joined.
   */
  readonly #hits = new Map<string, { quoted: string; versions: Map<string, FoundVersion> }>();
  #length = 0;

  constructor(private readonly limit: number) {}

  /**
   * Adds the paths of a backup's members. Stops when the number of hits or the total length of their names
   * reaches its maximum.
   */
  choose(members: readonly Match[]): void {
    for (const { name, quoted } of members) {
      if (this.#hits.has(name)) continue;
      const isFull = this.#hits.size >= this.limit || this.#length + quoted.length > MAX_NAMES;
      if (isFull) {
        this.isTruncated = true;
        return;
      }
      this.#hits.set(name, { quoted, versions: new Map() });
      this.#length += quoted.length;
    }
  }

  has(name: string): boolean {
    return this.#hits.has(name);
  }

  /** Returns whether the members include every chosen path. */
  areAllIn(members: readonly Match[]): boolean {
    const names = new Set(members.map(({ name }) => name));
    return [...this.#hits.keys()].every((name) => names.has(name));
  }

  quotedNames(): string[] {
    return [...this.#hits.values()].map(({ quoted }) => quoted);
  }

  addVersions(backup: number, members: readonly Match[]): void {
    for (const { name, version } of members) {
      const identity = JSON.stringify(version);
      const versions = this.#hits.get(name)?.versions;
      const known = versions?.get(identity);
      // An archive may contain a path twice.
      if (known !== undefined) { if (known.backups.at(-1) !== backup) known.backups.push(backup); }
      else versions?.set(identity, { ...version, backups: [backup] });
    }
  }

  /** Returns the hits, sorted by path. Leaves out the last hits if the response would be too long. */
  shown(): Pick<BackupFindResult, "hits" | "truncated"> {
    const hits: BackupFindResult["hits"] = [];
    let length = 0;
    let truncated = this.isTruncated;
    for (const name of [...this.#hits.keys()].sort()) {
      const versions = [...this.#hits.get(name)!.versions.values()];
      if (versions.length === 0) continue;
      const hit = { path: displayName(name), versions };
      length += JSON.stringify(hit).length + 1;
      if (length > MAX_RESPONSE) {
        truncated = true;
        break;
      }
      hits.push(hit);
    }
    return { hits, truncated };
  }
}
