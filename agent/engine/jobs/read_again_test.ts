/**
 * Tests of reads that return wrong bytes: only once, different ones at each read, or the same ones at every
 * read.
 */
import assert from "node:assert/strict";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { BackupJob, BackupToRead, StoredBackup } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { BackupDamagedError, RunFailedError } from "../ports.ts";
import { runVerify } from "./verify.ts";

/**
 * A destination that alters one byte in reads of objects whose names contain `suffix`. For each of these
 * reads, `value` is called with the number of the read, from 1. `value` returns the bits to flip, or 0 for a
 * correct read.
 */
class FaultyPath extends LocalDestination {
  #reads = 0;

  constructor(
    run: BackupRun,
    private readonly suffix: string,
    private readonly value: (read: number) => number,
  ) {
    super({ type: "local", directory: run.directory }, run.ports.signal);
  }

  override localPath(): null {
    return null;
  }

  override async *read(name: string, from: number, to: number): AsyncGenerator<Uint8Array> {
    const flip = name.includes(this.suffix) && from === 0 ? this.value(++this.#reads) : 0;
    for await (const chunk of super.read(name, from, to)) {
      if (from === 0) chunk[chunk.length >> 1]! ^= flip;
      yield chunk;
      from += chunk.length;
    }
  }
}

interface Fixture extends AsyncDisposable {
  readonly run: BackupRun;
  readonly backup: StoredBackup;
  readonly key: BackupToRead["key"];
}

async function makeBackup(isEncrypted: boolean): Promise<Fixture> {
  const run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell('mkdir "$1"; head -c 300000 /dev/urandom > "$1/one"; echo two > "$1/two"', tree);
  const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
  const identity = await generateX25519Identity();
  const recipients = [await identityToRecipient(identity)];
  const changes: Partial<BackupJob> = isEncrypted ? { encryption: { type: "recipients", recipients } } : {};
  const backup = await run.run(source, changes);
  const key = isEncrypted ? { type: "identity" as const, identity } : null;
  return { run, backup, key, [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
}

async function failure(work: Promise<unknown>): Promise<RunFailedError> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  return error;
}

const once = (read: number) => read === 1 ? 1 : 0;
const anew = (read: number) => read;
const always = () => 1;

for (const isEncrypted of [false, true]) {
  const variant = isEncrypted ? "encrypted" : "plain";

  Deno.test(`a verification reports no damage if a second read is right, ${variant}`, async () => {
    await using at = await makeBackup(isEncrypted);
    const job = verifyJob(at.run, at.backup, at.key);
    for (const object of [".tar.zst", ".index", ".manifest"]) {
      for (const value of [once, anew]) {
        const error = await failure(runVerify(job, new FaultyPath(at.run, object, value), at.run.ports));
        assert(!(error instanceof BackupDamagedError), error.message);
        assert.match(
          error.message,
          /^Cannot verify backup 31: Cannot read \S+ reliably from .* may be intact\./,
        );
      }
      const damaged = await failure(runVerify(job, new FaultyPath(at.run, object, always), at.run.ports));
      assert(damaged instanceof BackupDamagedError, damaged.message);
      assert.match(damaged.damage, /its SHA-256 is/);
    }
  });

  Deno.test(`a restore blames the transfer if a second read is right, ${variant}`, async () => {
    await using at = await makeBackup(isEncrypted);
    const work = (value: (read: number) => number) =>
      failure(restore(at.run, at.backup, {
        target: { path: `${at.run.root}/restored` },
        key: at.key,
        destination: new FaultyPath(at.run, ".tar.zst", value),
      }));
    for (const value of [once, anew]) {
      const error = await work(value);
      assert(!(error instanceof BackupDamagedError), error.message);
      assert.match(error.message, /reliably/);
    }
    assert(await work(always) instanceof BackupDamagedError);
  });
}

Deno.test("damage of one object is reported although another can't be read reliably", async () => {
  await using at = await makeBackup(false);
  const index = at.backup.objects.find(({ role }) => role === "index")!;
  await shell(
    'printf xxxx | dd of="$1" bs=1 seek=30 conv=notrunc status=none',
    `${at.run.directory}/${index.name}`,
  );
  const job = verifyJob(at.run, at.backup, null);
  const error = await failure(runVerify(job, new FaultyPath(at.run, ".manifest", once), at.run.ports));
  assert(error instanceof BackupDamagedError, error.message);
  assert.match(error.damage, /index/);
});
