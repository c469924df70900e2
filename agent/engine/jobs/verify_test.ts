import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { type Origin, verify, verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import { growTree } from "../../../tests/support/fixtures/tree.ts";
import type { BackupJob, BackupToRead, StoredBackup, StoredObject } from "../../../src/protocol/job.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { BackupDamagedError, RunFailedError } from "../ports.ts";
import { runVerify } from "./verify.ts";

const PASSWORD = { type: "passphrase" as const, passphrase: "correct horse" };
const SEALED: Partial<BackupJob> = { encryption: { type: "password", password: PASSWORD.passphrase } };
const RECIPIENTS: Partial<BackupJob> = {
  encryption: {
    type: "recipients",
    recipients: ["age14dzgq5jzjzp4lwnp2udpu2naeqrzcjm9xwrzu7hrp8jc5cpxzpgqdtsnsn"],
  },
};

interface Fixture extends AsyncDisposable {
  run: BackupRun;
  backup: StoredBackup;
  path(role: StoredObject["role"]): string;
}

async function makeBackup(
  grow: string | ((tree: string) => Promise<unknown>),
  changes: Partial<BackupJob> = {},
): Promise<Fixture> {
  const run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await Deno.mkdir(tree);
  await (typeof grow === "string" ? shell(`cd "$1"; ${grow}`, tree) : grow(tree));
  const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
  const backup = await run.run(source, changes);
  return {
    run,
    backup,
    path: (role) => `${run.directory}/${backup.objects.find((object) => object.role === role)!.name}`,
    [Symbol.asyncDispose]: async () => {
      await shell('chmod -R u+rwx "$1"', run.root);
      await run[Symbol.asyncDispose]();
    },
  };
}

async function damage(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof BackupDamagedError, Deno.inspect(error));
  const state = error.damage.split("; ").every((fault) => /it does not exist|and \d+ more/.test(fault));
  assert.equal(error.message, `Backup 31 is ${state ? "missing" : "damaged"}: ${error.damage}`);
  assert.doesNotMatch(error.message, /\n/);
  return error.damage;
}

const VARIANTS: Record<string, [Partial<BackupJob>, BackupToRead["key"], Origin]> = {
  plain: [{}, null, "here"],
  "plain and elsewhere": [{}, null, "elsewhere"],
  encrypted: [SEALED, PASSWORD, "here"],
};

for (const [variant, [changes, key, from]] of Object.entries(VARIANTS)) {
  Deno.test(`a backup of every kind of file passes verification, ${variant}`, async () => {
    await using at = await makeBackup(growTree, changes);
    const verified = await verify(at.run, at.backup, { key, from });
    assert.equal(verified.files_count, at.backup.files_count);
    assert.equal(verified.is_opened, true);
    assert.equal(verified.objects_count, at.backup.objects.length);
    assert.equal(verified.bytes_read, at.backup.objects.reduce((sum, { size }) => sum + size, 0));
    assert.equal(at.run.lines.filter((line) => line.startsWith("Whole: ")).length, 3);
  });
}

Deno.test("a backup encrypted to recipients is verified by sizes and digests only, as its output says", async () => {
  await using at = await makeBackup("echo one > one", RECIPIENTS);
  const { is_opened, files_count } = await verify(at.run, at.backup);
  assert.deepEqual([is_opened, files_count], [false, null]);
  assert.match(at.run.lines.join("\n"), /encrypted to recipients: its sizes and SHA-256 are checked/);
  await shell('printf xxxx | dd of="$1" bs=1 seek=300 conv=notrunc status=none', at.path("archive"));
  assert.match(await damage(verify(at.run, at.backup)), /\.tar\.zst\.age: its SHA-256 is/);
});

const DAMAGES: Record<string, [script: string, fault: RegExp]> = {
  "is cut short": ['truncate -s -1 "$1"', /it has \d+ bytes, \d+ were stored/],
  "has something behind its end": ['printf x >> "$1"', /it has \d+ bytes, \d+ were stored/],
  // Keep another file in the directory, because an empty directory might be an unmounted file system.
  "is gone": ['touch "$1.other"; rm "$1"', /it does not exist/],
  "is empty": [': > "$1"', /it has 0 bytes/],
  "is another's of the same size": [
    'head -c $(stat -c %s "$1") /dev/urandom > "$1.new"; mv "$1.new" "$1"',
    /its SHA-256 is/,
  ],
};

for (const [name, [script, fault]] of Object.entries(DAMAGES)) {
  Deno.test(`each object that ${name} is reported by its name`, async () => {
    await using at = await makeBackup("echo one > one; seq 1000 > numbers");
    for (const role of ["archive", "index", "manifest"] as const) await shell(script, at.path(role));
    // Keep another file in the directory: an empty directory would look like an unmounted file system.
    await Deno.writeTextFile(`${at.run.directory}/another object`, "");
    const reported = await damage(verify(at.run, at.backup));
    const found = at.run.lines.filter((line) => line.startsWith("Damaged: "));
    for (const { name } of at.backup.objects) {
      const line = found.find((line) => line.startsWith(`Damaged: ${name}: `));
      assert.match(line ?? "", fault);
    }
    assert.match(reported, fault);
  });
}

Deno.test("a backup replaced by another one is detected by all of its objects", async () => {
  await using at = await makeBackup("echo one > one");
  const source = {
    type: "files" as const,
    path: `${at.run.root}/tree`,
    excluded_paths: [],
    allow_unreadable: false,
  };
  await Deno.writeTextFile(`${source.path}/one`, "two\n");
  const other = await at.run.run(source, { object: { prefix: "backup_7", stamp: "20260102030406" } });
  for (const [index, { name }] of at.backup.objects.entries()) {
    await Deno.rename(`${at.run.directory}/${other.objects[index]!.name}`, `${at.run.directory}/${name}`);
  }
  await damage(verify(at.run, at.backup));
  const found = at.run.lines.filter((line) => line.startsWith("Damaged: "));
  assert.equal(new Set(found.map((line) => line.split(": ")[1])).size, 3);
});

Deno.test("a wrongly stored object is detected although its digest is right", async () => {
  await using at = await makeBackup("mkdir d; echo one > d/one; echo two > two");
  // Changes the archive with a script. Returns the backup's description with the size and digest of the
  // changed archive.
  const spoil = async (script: string): Promise<StoredBackup> => {
    const archive = at.backup.objects.find(({ role }) => role === "archive")!;
    const path = at.path("archive");
    await shell(`cd "$(dirname "$1")"; ${script}`, path);
    const [sha256] = (await shell('sha256sum < "$1"', path)).split(" ");
    const { size } = await Deno.stat(path);
    const objects = at.backup.objects.map((object) =>
      object === archive ? { ...object, size, sha256: sha256! } : object
    );
    return { ...at.backup, objects };
  };
  const archive = (options: string) =>
    `mkdir -p x; echo 1 > x/one; tar -C x --format=posix ${options} -b 128 -cf x.tar .; pzstd -q -c x.tar > "$1"`;
  const assertDamaged = async (backup: StoredBackup, fault: RegExp) => {
    for (const from of ["here", "elsewhere"] as const) {
      assert.match(await damage(verify(at.run, backup, { from })), fault);
    }
  };
  await assertDamaged(await spoil(archive("")), /it holds 2 members, where its index lists 4/);
  assert.match(at.run.lines.join("\n"), /manifest\.json: it does not list backup_7_/);
  const cut = `${
    archive("")
  }; head -c 65536 x.tar > y.tar; dd if=/dev/urandom of=y.tar bs=512 seek=3 conv=notrunc count=125 status=none; pzstd -q -c y.tar > "$1"`;
  await assertDamaged(await spoil(cut), /tar\.zst: (?:it does not unpack|the archive)/);
  await assertDamaged(await spoil('echo text > "$1"'), /does not unpack|frames|cut short/);
});

Deno.test("a wrong password is reported in one line that does not contain it", async () => {
  await using at = await makeBackup("echo one > one", SEALED);
  const key = { type: "passphrase" as const, passphrase: "wrong" };
  const reported = await damage(verify(at.run, at.backup, { key }));
  assert.match(reported, /password/);
  assert.doesNotMatch(reported, /wrong|horse/);
});

Deno.test("a lost connection, a missing directory and a cancel are no damage", async () => {
  await using at = await makeBackup("echo one > one");
  const job = verifyJob(at.run, at.backup, null);
  const failing = async (work: Promise<unknown>, message: RegExp) => {
    const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
    assert(error instanceof RunFailedError && !(error instanceof BackupDamagedError), Deno.inspect(error));
    assert.match(error.message, message);
  };
  const local = new LocalDestination({ type: "local", directory: at.run.directory }, at.run.ports.signal);
  const unread = {
    ...local,
    description: "a network",
    size: (name: string) => local.size(name),
    localPath: () => null,
    // deno-lint-ignore require-yield
    async *read(): AsyncGenerator<Uint8Array> {
      throw new RunFailedError("Cannot read x: the connection was lost");
    },
  } as unknown as LocalDestination;
  await failing(
    runVerify(job, unread, at.run.ports),
    /^Cannot verify backup 31: Cannot read x: the connection/,
  );
  await Deno.rename(at.run.directory, `${at.run.root}/elsewhere`);
  await failing(
    verify(at.run, at.backup),
    /^Cannot verify backup 31: .* does not exist\. Check whether its file system/,
  );
  await Deno.rename(`${at.run.root}/elsewhere`, at.run.directory);
  at.run.cancel();
  await assert.rejects(verify(at.run, at.backup), { name: "RunAbortedError" });
});
