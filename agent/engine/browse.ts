/** What is inside a backup, told from its index: the archive is not read. */
import type { BackupBrowse, BackupBrowseResult, BackupEntry } from "../../src/protocol/browsing.ts";
import type { Clock } from "../../src/domain/clock.ts";
import { IndexParser, type Member, type MemberType } from "./archive_index.ts";
import { byteString } from "./bytes.ts";
import { Children } from "./children.ts";
import { requestLimits } from "./destinations/limits.ts";
import { openDestination } from "./destinations/registry.ts";
import { GivenDownloads } from "./given_downloads.ts";
import { oneLine } from "./line.ts";
import { BackupDamagedError, RunFailedError } from "./ports.ts";
import { nameAsAsked, shownName } from "./shown_name.ts";
import { StoredObjects } from "./stored_objects.ts";
import { parentOf } from "./targets/selection.ts";

/** Characters of JSON that an answer may take: it is one frame of the link, and a row at the control plane. */
const MAX_ANSWER = 900_000;

/** Less than the deadline of the request, so that its answer tells what is wrong. Milliseconds. */
const PATIENCE = 15_000;

/** Rejects with a `RunFailedError` that names the backup, a `BackupDamagedError` where its index is not what was stored. Holds no more members than are up to the page's end. */
export async function browseBackup(
  request: BackupBrowse,
  clock: Clock,
  signal: AbortSignal,
): Promise<BackupBrowseResult> {
  const { backup, path, signed } = request;
  const downloads = new GivenDownloads(signed);
  const limits = requestLimits(PATIENCE);
  await using children = new Children(clock, signal);
  try {
    const ports = { clock, signal, output: null, uploads: null, downloads, relay: null, limits };
    const destination = await openDestination(backup.destination, ports);
    try {
      const objects = new StoredObjects(backup, destination, children);
      let result = await list(objects, request, byteString(path));
      // A name as this very listing shows it, where no file is really called so.
      if (!result.found && nameAsAsked(path) !== byteString(path)) {
        result = await list(objects, request, nameAsAsked(path));
      }
      if (JSON.stringify(result).length <= MAX_ANSWER) return result;
      throw new RunFailedError("the names on this page are too long for one answer. Ask for fewer on a page");
    } finally {
      await destination.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = oneLine((error as Error).message);
    const told = `Cannot list backup ${backup.id}: ${reason}`;
    if (error instanceof BackupDamagedError) throw new BackupDamagedError(told, error.damage);
    throw new RunFailedError(told, { cause: error });
  }
}

async function list(
  objects: StoredObjects,
  { offset, limit }: BackupBrowse,
  directory: string,
): Promise<BackupBrowseResult> {
  const index = objects.index(null);
  if (index === null) throw new RunFailedError("it has no index");
  const parser = new IndexParser();
  const page = new FirstOf(offset + limit);
  let itself: Listed | null = null;
  let unlisted = 0;
  await objects.lines(index, (line) => {
    const member = parser.line(line);
    if (member === null) return;
    const isItself = member.name === directory;
    if (!isItself && parentOf(member.name) !== directory) return;
    if (!isListed(member)) unlisted++;
    else if (isItself) itself = member;
    else page.add(member);
  });
  unlisted += parser.unreadable?.count ?? 0;
  const told = unlisted === 0 ? {} : { unlisted };
  const asked = itself as Listed | null;
  if (asked === null && directory !== "") return { found: false };
  if (asked !== null && asked.type !== "directory") {
    return { found: true, entries: offset === 0 ? [entryOf(asked)] : [], total: 1, ...told };
  }
  return { found: true, entries: page.sorted().slice(offset).map(entryOf), total: page.total, ...told };
}

/** A member of a type that a listing has a word for. */
type Listed = Member & { type: MemberType };

function isListed(member: Member): member is Listed {
  return member.type !== "unknown";
}

/** The first members of many by their order, without holding many more than those. */
class FirstOf {
  total = 0;
  #members: Listed[] = [];

  constructor(private readonly count: number) {}

  add(member: Listed): void {
    this.total++;
    this.#members.push(member);
    if (this.#members.length >= 2 * this.count + 1000) this.#members = this.sorted();
  }

  sorted(): Listed[] {
    return this.#members.sort(inOrder).slice(0, this.count);
  }
}

function inOrder(a: Member, b: Member): number {
  const isDirectory = (member: Member) => member.type === "directory";
  if (isDirectory(a) !== isDirectory(b)) return isDirectory(a) ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function entryOf({ name, type, size, mode, uid, gid, modifiedAt, linkTarget }: Listed): BackupEntry {
  return {
    path: shownName(name),
    type,
    size,
    mode: octalMode(mode),
    uid,
    gid,
    modified_at: modifiedAt?.replace(/\.\d+/, "") ?? "",
    link_target: linkTarget === null ? null : shownName(linkTarget),
  };
}

/** `rwsr-x--T` as `5750`. */
function octalMode(shown: string): string {
  let mode = 0;
  for (let at = 0; at < 9; at++) {
    const letter = shown[at]!;
    if (letter !== "-" && letter !== "S" && letter !== "T") mode |= 0o400 >> at;
    // The last of each three tells set-user-id, set-group-id or sticky as well.
    if (/[sStT]/.test(letter)) mode |= 0o4000 >> Math.floor(at / 3);
  }
  return mode.toString(8).padStart(4, "0");
}
