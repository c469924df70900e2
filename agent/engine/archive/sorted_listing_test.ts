import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../../../src/domain/clock.ts";
import type { BackupBrowse, BackupBrowseResult } from "../../../src/protocol/browsing.ts";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { until } from "../../../tests/support/assertions/until.ts";
import { browseBackup } from "../jobs/browse.ts";
import { ListingCache, type MakeListing } from "./listing_cache.ts";
import { BackupDamagedError } from "../ports.ts";
import type { SortedListing } from "./sorted_listing.ts";

class Fixture implements AsyncDisposable {
  private constructor(readonly root: string, readonly cache: ListingCache) {}

  static async make(lines: readonly string[], from = 0): Promise<Fixture> {
    const root = await Deno.makeTempDir();
    await Deno.writeTextFile(`${root}/text`, lines.map((line) => `${line}\n`).join(""));
    const zstd = new Deno.Command("zstd", {
      args: ["-q", "--rm", `${root}/text`, "-o", `${root}/a.index.zst`],
    });
    await zstd.output();
    return new Fixture(root, new ListingCache(`${root}/listings`, systemClock, from));
  }

  async browse(changes: Partial<BackupBrowse>, isKept: boolean, key: string | null = null) {
    const bytes = await Deno.readFile(`${this.root}/a.index.zst`);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const request: BackupBrowse = {
      kind: "backup.browse",
      signed: [],
      path: "",
      offset: 0,
      limit: 100,
      backup: {
        id: 1,
        created_at: "2026-01-02T03:04:05.000Z",
        files_count: null,
        source: null,
        key: key === null ? null : { type: "passphrase", passphrase: key },
        destination: { type: "local", directory: this.root },
        objects: [{ role: "index", name: "a.index.zst", size: bytes.length, sha256, database: null }],
      },
      ...changes,
    };
    return await browseBackup(request, systemClock, new AbortController().signal, isKept ? this.cache : null);
  }

  /**
   * Reads a page twice: from the kept listing and from the index. Asserts that both results are equal, and
   * returns the page.
   */
  async both(changes: Partial<BackupBrowse>): Promise<BackupBrowseResult> {
    const [kept, read] = [await this.browse(changes, true), await this.browse(changes, false)];
    assert.deepEqual(kept, read, JSON.stringify(changes));
    return kept;
  }

  listings(): string[] {
    try {
      return [...Deno.readDirSync(`${this.root}/listings`)].map(({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache[Symbol.asyncDispose]();
    await Deno.remove(this.root, { recursive: true });
  }
}

let block = 0;
const line = (type: string, name: string, rest = "") =>
  `block ${block++}: ${type}rw-r-S--T 7/8 ${name.length} 2026-01-02 03:04:05.5 "./${name}"${rest}`;

/** File names for the edge cases of sorting and escaping. */
const NAMES = [
  "a",
  "a.txt",
  "a-b",
  "a b",
  "A",
  "b",
  "\\001",
  "\\001\\001a",
  "\\002",
  "\\0021",
  "\\n",
  "\\t x",
  '\\"',
  "\\\\",
  "\\303\\274",
  "\\377",
  "\\300\\200",
  "z".repeat(200),
  "~",
  "!",
  "'",
]; // deno-fmt-ignore

function everyLine(): string[] {
  const lines = [line("d", "")];
  for (const directory of NAMES) {
    lines.push(line("d", `${directory}/`));
    for (const name of NAMES.toReversed()) lines.push(line("-", `${directory}/${name}`));
    lines.push(line("d", `${directory}/sub/`), line("-", `${directory}/sub/deep`));
  }
  lines.push(line("l", "link", ' -> "some\\001where \\303\\274"'), line("h", "hard", ' link to "./a/a"'));
  lines.push(line("p", "fifo"), 'block 9: what is this "./a/odd"', "nothing that can be read");
  return [...lines, "frames 100 100", "10 aaaaaaaa"];
}

Deno.test("a kept listing gives the same results as the index", async () => {
  await using at = await Fixture.make(everyLine());
  const root = await at.both({ path: "" });
  assert(root.found && root.total === NAMES.length + 3 && root.unlisted === 1);
  for (const entry of root.entries) {
    await at.both({ path: entry.path });
    await at.both({ path: entry.path, offset: 3, limit: 4 });
    await at.both({ path: entry.path, offset: 1000 });
    await at.both({ path: `${entry.path}/sub` });
    await at.both({ path: `${entry.path}/sub/deep` });
    await at.both({ path: `${entry.path}/nothing` });
    await at.both({ path: entry.path, search: "A", limit: 2 });
    for (const search of ["ü", "U\u0308"]) await at.both({ path: entry.path, search });
    await at.both({ path: entry.path, search: "A", offset: 2, limit: 2 });
  }
  const found = await at.both({ path: "", search: "377" });
  assert(found.found && found.total === 1);
  assert.equal(at.listings().length, 1);
});

Deno.test("pages of a large directory are those of the index, at any offset", async () => {
  const names = Array.from({ length: 5003 }, (_, number) => `many/${(number * 7919) % 5003}`);
  const before = Array.from({ length: 500 }, (_, number) => `few/${number}`);
  const lines = [...before, ...names].map((name) => line("-", name));
  await using at = await Fixture.make([line("d", "few/"), line("d", "many/"), ...lines]);
  const seen = new Set<string>();
  for (let offset = 0; offset < 5003; offset += 997) {
    const page = await at.browse({ path: "many", offset, limit: 997 }, true);
    assert(page.found && page.total === 5003);
    for (const { path } of page.entries) seen.add(path);
    await at.both({ path: "many", offset, limit: 3 });
  }
  assert.equal(seen.size, 5003);
  await at.both({ path: "many", offset: 5000, limit: 100 });
  await at.both({ path: "few", offset: 490, limit: 100 });
  await at.both({ path: "many", search: "99", offset: 5, limit: 20 });
});

Deno.test("an empty backup and a backup of one file are listed", async () => {
  for (const lines of [[line("-", "one")], [line("d", "")]]) {
    await using at = await Fixture.make(lines);
    await at.both({ path: "" });
    await at.both({ path: "one" });
  }
});

Deno.test("no listing is kept for a small index", async () => {
  await using at = await Fixture.make(everyLine(), 1e6);
  await at.both({ path: "a" });
  assert.deepEqual(at.listings(), []);
});

Deno.test("a listing is not used for a request with another key", async () => {
  await using at = await Fixture.make(everyLine());
  await at.browse({}, true);
  // The first request, without a password, left a listing. The second request has a password, so it must not
  // use this listing. It must open the index with the password, which fails because the index is not
  // encrypted.
  await assert.rejects(at.browse({}, true, "a password"), /Cannot list backup 1/);
});

Deno.test("a damaged index is reported, and read again at the next request", async () => {
  await using at = await Fixture.make(everyLine());
  const good = await Deno.readFile(`${at.root}/a.index.zst`);
  const request = at.browse({}, true);
  await request;
  await at.cache[Symbol.asyncDispose]();
  const spoilt = good.slice();
  spoilt[good.length - 5]! ^= 1;
  const make = { offset: 0 };
  const bytes = createHash("sha256").update(good).digest("hex");
  await Deno.writeFile(`${at.root}/a.index.zst`, spoilt);
  const browse = (backup: Partial<BackupBrowse["backup"]>) =>
    browseBackup(
      {
        kind: "backup.browse",
        signed: [],
        path: "",
        limit: 10,
        ...make,
        backup: {
          id: 1,
          created_at: "2026-01-02T03:04:05.000Z",
          files_count: null,
          source: null,
          key: null,
          destination: { type: "local", directory: at.root },
          objects: [{ role: "index", name: "a.index.zst", size: good.length, sha256: bytes, database: null }],
          ...backup,
        },
      },
      systemClock,
      new AbortController().signal,
      at.cache,
    );
  await assert.rejects(browse({}), BackupDamagedError);
  await Deno.writeFile(`${at.root}/a.index.zst`, good);
  assert((await browse({})).found);
});

Deno.test("concurrent requests share one build, which survives an abort; unused listings are removed", async () => {
  const root = await Deno.makeTempDir();
  const clock = new TestClock();
  const cache = new ListingCache(root, clock);
  const made = Promise.withResolvers<SortedListing>();
  let times = 0;
  const make: MakeListing = async (directory) => {
    times++;
    await Deno.writeTextFile(`${directory}/sorted`, "");
    return await made.promise;
  };
  const leaving = new AbortController();
  const first = cache.open("one", make, leaving.signal);
  const second = cache.open("one", make, new AbortController().signal);
  leaving.abort(new Error("left"));
  await assert.rejects(first, { message: "left" });
  const listing = {} as SortedListing;
  made.resolve(listing);
  assert.equal(await second, listing);
  assert.equal(await cache.open("one", make, new AbortController().signal), listing);
  assert.equal(times, 1);
  const kept = () => [...Deno.readDirSync(root)].length;
  assert.equal(kept(), 1);
  for (const key of ["two", "three", "four", "five"]) {
    await cache.open(key, make, new AbortController().signal);
  }
  await until(() => kept() === 4);
  await clock.advance(11 * 60_000);
  await until(() => kept() === 0);
  await Deno.remove(root, { recursive: true });
});
