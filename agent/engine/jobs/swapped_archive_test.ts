/**
 * Tests with an archive that was replaced by another archive of the same task and size. The agent restores
 * nothing from the other archive.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import type { BackupSend } from "../../../src/protocol/browsing.ts";
import type { BackupToRead, StoredBackup, StoredObject } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { restoreJob } from "../../../tests/support/fixtures/restore_job.ts";
import { ON_DISK } from "../../../tests/support/memory.ts";
import { describeTree } from "../../../tests/support/fixtures/tree.ts";
import { verify } from "../../../tests/support/fixtures/verify_run.ts";
import { BackupDamagedError } from "../ports.ts";
import { type BytesToSend, sendFromBackup } from "./send.ts";

/** Creates files whose archive has more than one frame. */
const GROW =
  'mkdir -p "$1"; cd "$1"; head -c 9000000 /dev/urandom > first; head -c 300000 /dev/urandom > second; touch -d 2001-01-01 * .';

class TwoBackups implements AsyncDisposable {
  private constructor(
    readonly run: BackupRun,
    readonly tree: string,
    readonly key: BackupToRead["key"],
    readonly backup: StoredBackup,
    readonly other: StoredBackup,
  ) {}

  /**
   * Makes and returns two backups of the same file names with different contents: first `other`, then
   * `backup`. At the end the directory has the contents of `backup`.
   */
  static async make(isEncrypted: boolean): Promise<TwoBackups> {
    const run = await BackupRun.open(ON_DISK);
    const tree = `${run.root}/tree`;
    const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
    const identity = await generateX25519Identity();
    const recipients = [await identityToRecipient(identity)];
    const changes = isEncrypted ? { encryption: { type: "recipients" as const, recipients } } : {};
    await shell(GROW, tree);
    const other = await run.run(source, {
      ...changes,
      object: { prefix: "backup_7", stamp: "20260101030405" },
    });
    await shell(GROW, tree);
    const backup = await run.run(source, changes);
    const key = isEncrypted ? { type: "identity" as const, identity } : null;
    return new TwoBackups(run, tree, key, backup, other);
  }

  async swap(): Promise<void> {
    const [own, other] = [archiveOf(this.backup), archiveOf(this.other)];
    assert.equal(own.size, other.size);
    await Deno.copyFile(this.path(other), this.path(own));
  }

  path({ name }: StoredObject): string {
    return `${this.run.directory}/${name}`;
  }

  /**
   * Changes the stored index with a sed script. Returns the backup's description with the size and digest of
   * the changed index.
   */
  async withIndex(script: string): Promise<StoredBackup> {
    const index = this.backup.objects.find(({ role }) => role === "index")!;
    await shell(
      'zstd -dc "$1" | sed -E "$2" | zstd -q -f -o "$1.new"; mv "$1.new" "$1"',
      this.path(index),
      script,
    );
    const bytes = await Deno.readFile(this.path(index));
    const changed = {
      ...index,
      size: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
    // Leave out the manifest, because it describes the original index.
    const objects = this.backup.objects.filter(({ role }) => role !== "manifest")
      .map((object) => object === index ? changed : object);
    return { ...this.backup, objects };
  }

  /** Returns the downloaded bytes of one file. Rejects if the download is incomplete. */
  async send(path: string, backup = this.backup): Promise<Uint8Array> {
    const request: BackupSend = {
      kind: "backup.send",
      backup: restoreJob(this.run.directory, backup, { key: this.key }).backup,
      signed: [],
      what: { type: "file", path },
      range: null,
      stream: "once",
    };
    let carried = new Uint8Array(0);
    const carry = async ({ bytes }: BytesToSend) => {
      for await (const piece of bytes()) carried = new Uint8Array([...carried, ...piece]);
    };
    try {
      await sendFromBackup(request, carry, systemClock, this.run.ports.signal);
    } catch (error) {
      assert.equal(carried.length, 0, "bytes were handed on");
      throw error;
    }
    return carried;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
  }
}

function archiveOf({ objects }: StoredBackup): StoredObject {
  return objects.find(({ role }) => role === "archive")!;
}

for (const isEncrypted of [false, true]) {
  Deno.test(`parts of another backup's archive are not restored or sent${isEncrypted ? ", encrypted" : ""}`, async () => {
    await using at = await TwoBackups.make(isEncrypted);
    const original = await Deno.readFile(`${at.tree}/second`);
    assert.deepEqual(await at.send("second"), original);
    await at.swap();
    const target = `${at.run.root}/target`;
    await shell('mkdir "$1"; echo mine > "$1/mine"; touch -d 2001-01-01 "$1"', target);
    const before = await describeTree(target);
    for (const paths of [["second"], ["first"], ["first", "second"], []]) {
      await assert.rejects(
        restore(at.run, at.backup, { target: { path: target, paths, overwrite: true }, key: at.key }),
        (error) => {
          assert(error instanceof BackupDamagedError, Deno.inspect(error));
          assert.match(error.message, /^Cannot restore backup 31: /);
          assert.match(error.damage, /: its SHA-256 is [^\n]+ was stored$/);
          return true;
        },
      );
      assert.deepEqual(await describeTree(target), before);
    }
    for (const path of ["first", "second"]) {
      await assert.rejects(at.send(path), (error) => {
        assert(error instanceof BackupDamagedError, Deno.inspect(error));
        assert.match(error.message, /^Cannot send from backup 31: Cannot trust backup_7_/);
        assert.match(error.damage, /: frame [12] of the archive is not the one in its index$/);
        return true;
      });
    }
  });
}

Deno.test("a frame is sent or restored only after its checksum was verified", async () => {
  await using at = await TwoBackups.make(false);
  const archive = at.path(archiveOf(at.backup));
  const stored = await Deno.readFile(archive);
  const changed = stored.slice();
  // zstd stores random data uncompressed, so the altered byte is in the content of the file "first". The
  // content of this file ends in the frame after the altered one.
  changed[1_000_000]! ^= 1;
  await Deno.writeFile(archive, changed);
  await assert.rejects(
    at.send("first"),
    /: the frames of the archive that hold the files do not unpack: they are damaged/,
  );
  const target = `${at.run.root}/target`;
  await assert.rejects(
    restore(at.run, at.backup, { target: { path: target, paths: ["first"] } }),
    BackupDamagedError,
  );
  assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
  assert.deepEqual(await at.send("second"), await Deno.readFile(`${at.tree}/second`));
});

Deno.test("without checksums in the index, the whole archive is verified before a part of it is used", async () => {
  await using at = await TwoBackups.make(false);
  const old = await at.withIndex("s/^([0-9]+) [0-9a-f]{8}$/\\1/");
  const target = `${at.run.root}/target`;
  const options = { target: { path: target, paths: ["second"] } };
  const original = await Deno.readFile(`${at.tree}/second`);
  const { bytes_read } = await restore(at.run, old, options);
  assert.deepEqual(await Deno.readFile(`${target}/second`), original);
  assert(bytes_read > archiveOf(old).size, `${bytes_read} bytes were read`);
  assert(at.run.lines.some((line) => /is an old one, .* Reading all of it first/.test(line)));
  assert.deepEqual(await at.send("second", old), original);
  await verify(at.run, old);
  await Deno.remove(target, { recursive: true });
  await at.swap();
  await assert.rejects(restore(at.run, old, options), BackupDamagedError);
  await assert.rejects(at.send("second", old), /its SHA-256 is/);
  assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
});

Deno.test("a verification finds an index with the checksums of other frames", async () => {
  await using at = await TwoBackups.make(false);
  await verify(at.run, at.backup);
  const wrong = await at.withIndex(`s/^([0-9]+) [0-9a-f]{8}$/\\1 ${"a".repeat(8)}/`);
  at.run.lines.length = 0;
  await assert.rejects(verify(at.run, wrong), BackupDamagedError);
  assert(at.run.lines.some((line) => /its frames are not those that its index lists/.test(line)));
});
