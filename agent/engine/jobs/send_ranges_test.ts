/**
 * Tests downloads of a range of one file in a backup. Reading starts at the frame that contains the range's
 * first byte. The file's earlier frames are skipped.
 */
import assert from "node:assert/strict";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import type { BackupSend } from "../../../src/protocol/browsing.ts";
import type { BackupJob, BackupToRead, StoredBackup } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { mountTmpfs } from "../../../tests/support/fixtures/tmpfs.ts";
import { verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import { BackupDamagedError, RunFailedError } from "../ports.ts";
import { type BytesToSend, sendFromBackup } from "./send.ts";
import { contentLayout } from "../archive/tar_headers.ts";

const SIZE = 60_000_000;
const GROW = `head -c ${SIZE} /dev/urandom > big; head -c 12000000 /dev/urandom > second; ln big linked
  setfattr -n trusted.note -v "$(head -c 3000 /dev/zero | tr '\\0' n)" big
  n=$(head -c 150 /dev/zero | tr '\\0' n); mkdir -p $n/$n; cp big $n/$n/$n; touch -d 3000-01-01 $n/$n/$n
  truncate -s 40M sparse; printf island | dd of=sparse bs=1 seek=39000000 conv=notrunc status=none`;

interface Fixture extends AsyncDisposable {
  run: BackupRun;
  tree: string;
  backup: StoredBackup;
  send(path: string, range: BackupSend["range"]): Promise<Uint8Array>;
  archive: string;
}

async function makeBackup(isEncrypted: boolean, grow = GROW): Promise<Fixture> {
  const run = await BackupRun.open();
  // Use a tmpfs, because it supports holes and attributes. The machine's file systems might not support them.
  const memory = await mountTmpfs(`${run.root}/tree`, 400 * 1024 * 1024);
  const tree = `${run.root}/tree`;
  await shell(`cd "$1"; ${grow}`, tree);
  const identity = await generateX25519Identity();
  const recipients = [await identityToRecipient(identity)];
  const changes: Partial<BackupJob> = isEncrypted ? { encryption: { type: "recipients", recipients } } : {};
  const key: BackupToRead["key"] = isEncrypted ? { type: "identity", identity } : null;
  const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
  const backup = await run.run(source, changes);
  return {
    run,
    tree,
    backup,
    archive: `${run.directory}/${backup.objects.find(({ role }) => role === "archive")!.name}`,
    async send(path, range) {
      const request: BackupSend = {
        kind: "backup.send",
        backup: verifyJob(run, backup, key).backup,
        signed: [],
        what: { type: "file", path },
        range,
        stream: "once",
      };
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      await sendFromBackup(
        request,
        async ({ bytes, length }: BytesToSend) => {
          for await (const piece of bytes()) pieces.push(piece.slice());
          assert.equal(pieces.reduce((sum, { length }) => sum + length, 0), length);
        },
        systemClock,
        run.ports.signal,
      );
      return new Uint8Array(await new Blob(pieces).arrayBuffer());
    },
    [Symbol.asyncDispose]: async () => {
      await memory[Symbol.asyncDispose]();
      await run[Symbol.asyncDispose]();
    },
  };
}

/** Overwrites 1000 bytes of a file at the offset `from`. */
async function spoil(path: string, from: number): Promise<void> {
  await shell(
    'head -c 1000 /dev/urandom | dd of="$1" bs=1 seek="$2" conv=notrunc status=none',
    path,
    String(from),
  );
}

for (const isEncrypted of [false, true]) {
  const how = isEncrypted ? ", encrypted" : "";
  Deno.test(`every range of a file is sent correctly${how}`, async () => {
    await using at = await makeBackup(isEncrypted);
    const n = "n".repeat(150);
    for (const name of ["big", "linked", "second", "sparse", `${n}/${n}/${n}`]) {
      const file = await Deno.readFile(`${at.tree}/${name}`);
      const ranges: BackupSend["range"][] = [
        null,
        { from: file.length - 10, to: null },
        { from: null, to: 1000 },
        { from: 8_388_608, to: 8_388_609 },
        { from: 9_000_000, to: 11_000_000 },
        { from: 100, to: 200 },
      ];
      for (const range of ranges) {
        const from = range === null ? 0 : range.from ?? file.length - range.to;
        const to = range === null || range.from === null || range.to === null ? file.length : range.to + 1;
        const sent = await at.send(name, range);
        assert(Buffer.from(sent).equals(file.subarray(from, to)), `${name} ${JSON.stringify(range)}`);
      }
    }
  });

  Deno.test(`a range at a file's end is sent without the frames before it${how}`, async () => {
    await using at = await makeBackup(isEncrypted, `head -c ${SIZE} /dev/urandom > big`);
    const file = await Deno.readFile(`${at.tree}/big`);
    await spoil(at.archive, 30_000_000);
    const end = await at.send("big", { from: SIZE - 5000, to: null });
    assert(Buffer.from(end).equals(file.subarray(SIZE - 5000)));
    await assert.rejects(at.send("big", null), (error) => {
      assert(error instanceof BackupDamagedError, Deno.inspect(error));
      assert.match(
        error.damage,
        isEncrypted ? /: it is damaged at byte \d+/ : /: the frames .* do not unpack/,
      );
      return true;
    });
  });
}

Deno.test("a range far into a sparse file of terabytes is sent at once", async () => {
  const grow = "truncate -s 8T huge; for at in 1 4000000000000 7999999999000; do printf island | " +
    "dd of=huge bs=1 seek=$at conv=notrunc status=none; done";
  await using at = await makeBackup(false, grow);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const far = await at.send("huge", { from: 4_000_000_000_002, to: 4_000_000_000_005 });
  assert.equal(text(far), "land");
  const end = await at.send("huge", { from: 7_999_999_999_000 - 3, to: 7_999_999_999_000 + 6 });
  assert.equal(text(end), "\0\0\0island\0");
});

Deno.test("a fault of the transfer is not reported as damage", async () => {
  await using at = await makeBackup(false);
  const { read } = Deno.FsFile.prototype;
  // Alter one chunk of the archive in the first read only.
  let isWrong = true;
  Deno.FsFile.prototype.read = async function (buffer: Uint8Array) {
    const length = await read.call(this, buffer);
    if (isWrong && length !== null && length > 500_000) {
      isWrong = false;
      buffer.fill(7, 1000, 300_000);
    }
    return length;
  };
  try {
    await assert.rejects(at.send("big", null), (error) => {
      assert(error instanceof RunFailedError && !(error instanceof BackupDamagedError), Deno.inspect(error));
      return true;
    });
    assert.equal(isWrong, false);
  } finally {
    Deno.FsFile.prototype.read = read;
  }
});

Deno.test("members that are not plain files are extracted by tar", async () => {
  async function* bytes(content: Uint8Array) {
    yield await Promise.resolve(content.subarray(0, 300));
    yield content.subarray(300);
  }
  const directory = await Deno.makeTempDir();
  await shell('cd "$1"; echo one > one; tar --format=posix -cf a.tar one', directory);
  const tar = await Deno.readFile(`${directory}/a.tar`);
  const offsetIn = async (tar: Uint8Array, size: number) =>
    (await contentLayout(bytes(tar), size))?.offset ?? null;
  assert.equal(await offsetIn(tar, 4), 1536);
  assert.equal(await offsetIn(tar, 5), null);
  assert.equal(await offsetIn(tar.subarray(0, 1000), 4), null);
  for (let at = 0; at < 1536; at += 37) {
    const flipped = tar.slice();
    flipped[at]! ^= 1;
    const offset = await offsetIn(flipped, 4);
    assert([1536, null].includes(offset), `${offset} at ${at}`);
  }
  await Deno.remove(directory, { recursive: true });
});
