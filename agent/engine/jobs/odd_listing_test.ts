/**
 * Tests with indexes that have unexpected contents. The agent still reads an undamaged backup with such an
 * index, and does not report the backup as damaged.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../../../src/domain/clock.ts";
import type { BackupBrowseResult, BackupSend } from "../../../src/protocol/browsing.ts";
import type { BackupToRead, StoredBackup } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { mountTmpfs } from "../../../tests/support/fixtures/tmpfs.ts";
import { verify, verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import { browseBackup } from "./browse.ts";
import { checkListing } from "../archive/check_listing.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { runDrill } from "./drill.ts";
import { RunFailedError } from "../ports.ts";
import { type BytesToSend, sendFromBackup } from "./send.ts";

/** Commands that create a tree whose archive has more than one frame. */
const GROW =
  `mkdir d; head -c 9000000 /dev/urandom > big; echo one > d/one; echo two > d/two; ln d/one d/linked
  ln -s one d/soft; touch -d 2001-01-01 d/* d big .`;

class Fixture implements AsyncDisposable {
  private constructor(readonly run: BackupRun, readonly tree: string, readonly backup: StoredBackup) {}

  static async make(script: string, tree?: string): Promise<Fixture> {
    const run = await BackupRun.open();
    const path = tree ?? `${run.root}/tree`;
    await Deno.mkdir(path, { recursive: true });
    await shell(`cd "$1"; ${script}`, path);
    const source = { type: "files" as const, path, excluded_paths: [], allow_unreadable: false };
    return new Fixture(run, path, await run.run(source));
  }

  /**
   * Changes the stored index with a script. Returns the backup's description with the size and digest of the
   * changed index.
   */
  async withIndex(script: string): Promise<StoredBackup> {
    const index = this.backup.objects.find(({ role }) => role === "index")!;
    const path = `${this.run.directory}/${index.name}`;
    await shell('zstd -dc "$1" | eval "$2" | zstd -q -f -o "$1.new"; mv "$1.new" "$1"', path, script);
    const bytes = await Deno.readFile(path);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const changed = { ...index, size: bytes.length, sha256 };
    // Leave out the manifest, because it describes the original index.
    const objects = this.backup.objects.filter(({ role }) => role !== "manifest")
      .map((object) => object === index ? changed : object);
    return { ...this.backup, objects };
  }

  async browse(path: string, backup = this.backup): Promise<BackupBrowseResult> {
    const request = { ...this.#request(backup), kind: "backup.browse" as const, path, offset: 0, limit: 100 };
    return await browseBackup(request, systemClock, this.run.ports.signal);
  }

  async names(path: string, backup = this.backup): Promise<string[]> {
    const result = await this.browse(path, backup);
    return result.found ? result.entries.map(({ path }) => path) : assert.fail("not found");
  }

  async send(path: string, backup: StoredBackup, range: BackupSend["range"] = null): Promise<string> {
    const what = { type: "file" as const, path };
    const request = { ...this.#request(backup), kind: "backup.send" as const, what, range, stream: "once" };
    let text = "";
    await sendFromBackup(
      request,
      async ({ bytes }: BytesToSend) => {
        for await (const piece of bytes()) text += new TextDecoder("latin1").decode(piece);
      },
      systemClock,
      this.run.ports.signal,
    );
    return text;
  }

  async drill(backup = this.backup): Promise<number | null> {
    await this.#emptyWork();
    const { backup: toRead, ...job } = verifyJob(this.run, backup, null);
    const drill = { ...job, kind: "drill" as const, bytes_read: backup.bytes_read, backup: toRead };
    const { files_count } = await runDrill(drill, this.#destination(), this.run.ports);
    return files_count;
  }

  /** Restores the paths into a new directory, and returns the path of this directory. */
  async restore(paths: string[], backup = this.backup): Promise<string> {
    const target = await Deno.makeTempDir({ dir: this.run.root });
    await restore(this.run, backup, { target: { path: target, paths, overwrite: true } });
    return target;
  }

  async verify(backup = this.backup): Promise<void> {
    await this.#emptyWork();
    await verify(this.run, backup, { from: "here" });
    await verify(this.run, backup, { from: "elsewhere" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
  }

  async #emptyWork(): Promise<void> {
    await shell('rm -rf "$1"; mkdir "$1"', this.run.ports.workDirectory);
  }

  #destination(): LocalDestination {
    return new LocalDestination({ type: "local", directory: this.run.directory }, this.run.ports.signal);
  }

  #request(backup: StoredBackup): { backup: BackupToRead; signed: [] } {
    return { backup: verifyJob(this.run, backup, null).backup, signed: [] };
  }
}

const DATES: Record<string, [seconds: string, shown: string]> = {
  "far": ["99999999999999", ""],
  "huge": ["9000000000000000000", ""],
  "last": ["67767976233532799", ""],
  "first": ["-67768036191676799", ""],
  "later": ["999999999999", "+033658-09-27T01:46:39Z"],
  "eve": ["253402300799", "9999-12-31T23:59:59Z"],
  "next": ["253402300800", "+010000-01-01T00:00:00Z"],
  "moon": ["-14182940", "1969-07-20T20:17:40Z"],
  "half": ["-0.5", "1970-01-01T00:00:00Z"],
  "old": ["-30610310400", "0999-12-31T00:00:00Z"],
  "zero": ["-62135596801", "0000-12-31T23:59:59Z"],
  "older": ["-99999999999", "-001199-02-15T14:13:21Z"],
};

Deno.test("files of any date are listed, restored, drilled and verified", async () => {
  const mounted = await Deno.makeTempDir();
  await using _memory = await mountTmpfs(mounted, 64 * 1024 * 1024);
  const touches = Object.entries(DATES).map(([name, [seconds]]) => `touch -d @${seconds} 'd/${name}'`);
  await using at = await Fixture.make(`mkdir d; ${touches.join("; ")}`, `${mounted}/tree`);
  const listed = await at.browse("d");
  assert(listed.found);
  assert.equal(listed.unlisted, undefined);
  const shown = Object.fromEntries(listed.entries.map(({ path, modified_at }) => [path, modified_at]));
  const expected = Object.entries(DATES).map(([name, [, time]]) => [`d/${name}`, time]);
  assert.deepEqual(shown, Object.fromEntries(expected));
  await at.verify();
  assert.equal(await at.drill(), Object.keys(DATES).length + 1);
  const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  assert.deepEqual(names(`${await at.restore(["d/far", "d/older"])}/d`), ["far", "older"]);
  const whole = await at.restore([]);
  assert.deepEqual(names(`${whole}/d`), Object.keys(DATES).sort());
  assert.deepEqual(at.run.warnings, []);
});

Deno.test("an index without a frame table, as the first agents wrote it, can be used", async () => {
  await using at = await Fixture.make(GROW);
  const old = await at.withIndex("sed '/^frames/,$d'");
  assert.deepEqual(await at.names("d", old), ["d/linked", "d/one", "d/soft", "d/two"]);
  await at.verify(old);
  assert.equal(await at.drill(old), 6);
  for (const paths of [["d"], ["d/one"], ["d/linked", "d/two"], ["big", "d"]]) {
    const target = await at.restore(paths, old);
    for (const path of paths) await shell('diff -r --no-dereference "$1/$3" "$2/$3"', at.tree, target, path);
  }
  assert.equal(await at.send("d/linked", old), "one\n");
  const big = await Deno.readFile(`${at.tree}/big`);
  const end = new TextDecoder("latin1").decode(big.subarray(8_999_000));
  assert.equal(await at.send("big", old, { from: 8_999_000, to: null }), end);
  // An altered archive is still detected, although the index has no frame table.
  const archive = old.objects.find(({ role }) => role === "archive")!;
  await shell(
    'printf x | dd of="$1" bs=1 seek=8000000 conv=notrunc status=none',
    `${at.run.directory}/${archive.name}`,
  );
  await assert.rejects(at.restore(["d/one"], old), /its SHA-256 is/);
  await assert.rejects(at.send("d/one", old), /its SHA-256 is/);
});

const TABLES: Record<string, string> = {
  "cut short": "head -n -1",
  "with an odd line": "sed '$s/.*/what/'",
  "with frames too large to hold": "sed -E 's/^(frames) [0-9]+/\\1 99999999/'",
  "with checksums of some frames only": "sed -E '$s/ .*//'",
};

for (const [how, script] of Object.entries(TABLES)) {
  Deno.test(`files can be read with an index whose frame table is ${how}`, async () => {
    await using at = await Fixture.make(GROW);
    const odd = await at.withIndex(script);
    assert.deepEqual(await at.names("", odd), ["d", "big"]);
    await at.verify(odd);
    const target = await at.restore(["d/two"], odd);
    assert.equal(await Deno.readTextFile(`${target}/d/two`), "two\n");
    assert.equal(await at.send("d/two", odd), "two\n");
  });
}

const HEADS: Record<string, string> = {
  "a type of its own": String.raw`sed -E '/two"/s/^(block [0-9]+: )-/\1M/'`,
  "no owner": String.raw`sed -E '/two"/s/ [0-9]+\/[0-9]+ / someone /'`,
  "nothing before its name": String.raw`sed -E '/two"/s/^(block [0-9]+: ).*"(.*)"$/\1"\2"/'`,
  "a hard link that leads nowhere": String.raw`sed -E '/two"/s/^(block [0-9]+: )-/\1h/'`,
};

for (const [how, script] of Object.entries(HEADS)) {
  Deno.test(`a member whose line has ${how} is restored, and so are the others`, async () => {
    await using at = await Fixture.make(GROW);
    const odd = await at.withIndex(script);
    const listed = await at.browse("d", odd);
    assert(listed.found);
    assert.deepEqual(listed.entries.map(({ path }) => path), ["d/linked", "d/one", "d/soft"]);
    assert.equal(listed.unlisted, 1);
    assert.equal((await at.browse("", odd) as { unlisted?: number }).unlisted, undefined);
    await at.verify(odd);
    assert.match(
      at.run.warnings.join("\n"),
      /others than its index lists, in which some lines can't be read/,
    );
    assert.equal(await at.drill(odd), 6);
    for (const paths of [["d/two"], ["d"], []]) {
      const target = await at.restore(paths, odd);
      assert.equal(await Deno.readTextFile(`${target}/d/two`), "two\n");
    }
    assert.equal(await Deno.readTextFile(`${await at.restore(["d/one"], odd)}/d/one`), "one\n");
  });
}

Deno.test("a line without a position is left out with a note, and restoring its path is refused", async () => {
  await using at = await Fixture.make(GROW);
  const odd = await at.withIndex(`sed '/two"/s/.*/something else/'`);
  const listed = await at.browse("d", odd);
  assert(listed.found);
  assert.deepEqual([listed.entries.length, listed.unlisted], [3, 1]);
  await at.verify(odd);
  assert.match(at.run.warnings.join("\n"), /has a line that can't be read: "something else"/);
  assert.equal(await at.drill(odd), 6);
  assert.equal(await at.send("d/one", odd), "one\n");
  await assert.rejects(
    at.restore(["d"], odd),
    /its index has the line "something else"\. Restore all of it/,
  );
  assert.equal(await Deno.readTextFile(`${await at.restore([], odd)}/d/two`), "two\n");
});

Deno.test("a missing member whose line is odd is a difference", async () => {
  await using at = await Fixture.make(GROW);
  const odd = await at.withIndex(String.raw`sed -E '/two"/s/^(block [0-9]+: )-(.*)two/\1M\2three/'`);
  await assert.rejects(at.drill(odd), /2 differences between what came back and its index/);
});

Deno.test("a run checks its listing: odd lines are a warning, a path out of the tree is refused", async () => {
  await using run = await BackupRun.open();
  const path = `${run.root}/listing`;
  const right = 'block 0: drwxr-xr-x 0/0 0 2026-01-02 03:04:05 "./"';
  await Deno.writeTextFile(path, `${right}\nodd\nblock 3: strange "./x"\nodder\n`);
  await checkListing(path, "/srv", run.ports.output);
  assert.equal(run.warnings.length, 1);
  assert.match(run.warnings[0]!, /^The index of \/srv has 2 lines that can't be read: "odd"/);
  await Deno.writeTextFile(path, `${right}\nblock 3: -rw-r--r-- 0/0 0 2026-01-02 03:04:05 "./a/../../x"\n`);
  await assert.rejects(checkListing(path, "/srv", run.ports.output), RunFailedError);
});
