/**
 * Tests with objects that were replaced by other contents of the same size. The agent reports these objects
 * as damaged, whatever error its parsers throw.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import type { StoredBackup, StoredObject } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { verify, verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import { Children } from "../programs/children.ts";
import { browseBackup } from "./browse.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { runDrill } from "./drill.ts";
import { StoredObjects } from "./stored_objects.ts";
import { BackupDamagedError, RunFailedError } from "../ports.ts";

interface Fixture extends AsyncDisposable {
  run: BackupRun;
  backup: StoredBackup;
}

async function makeBackup(): Promise<Fixture> {
  const run = await BackupRun.open();
  const path = `${run.root}/tree`;
  // Create names that do not compress, so that the index is larger than every replacement below.
  await shell(
    `mkdir "$1"; cd "$1"; head -c 60000 /dev/urandom | base32 -w 100 | xargs touch`,
    path,
  );
  const backup = await run.run({ type: "files", path, excluded_paths: [], allow_unreadable: false });
  return { run, backup, [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
}

/** Replaces an object by a script's output. A skippable zstd frame pads the output to the object's size. */
async function replace({ run }: Fixture, { name, size }: StoredObject, script: string): Promise<void> {
  const path = `${run.directory}/${name}`;
  await shell(`${script} > "$1"`, path);
  const bytes = await Deno.readFile(path);
  assert(bytes.length + 8 <= size, `${bytes.length} bytes are too many for ${size}`);
  const filled = new Uint8Array(size);
  filled.set(bytes);
  const view = new DataView(filled.buffer);
  view.setUint32(bytes.length, 0x184d2a50, true);
  view.setUint32(bytes.length + 4, size - bytes.length - 8, true);
  await Deno.writeFile(path, filled);
}

const INDEXES: Record<string, string> = {
  "a line longer than any": "head -c 3000000 /dev/zero | tr '\\0' x | zstd -q -c",
  "lines of nothing known": "seq 5000000 | tr -c '\\n' x | zstd -q -c",
  "names that lead out": `echo 'block 3: -rw-r--r-- 0/0 6 2026-01-02 03:04:05 "./../x"' | zstd -q -c`,
  "no bytes of zstd's": "head -c 300 /dev/urandom",
  "bytes that are no text": "head -c 20000 /dev/urandom | zstd -q -c",
  "a window of gigabytes": "printf '\\x28\\xb5\\x2f\\xfd\\x00\\xa8\\x00\\x00\\x00'",
  "a frame that is cut short": "seq 9999 | zstd -q -c | (head -c 2000; cat > /dev/null)",
};

const damaged = (error: unknown): true => {
  assert(error instanceof BackupDamagedError, Deno.inspect(error));
  assert.match(error.damage, /: its SHA-256 is [0-9a-f]+, but [0-9a-f]+ was stored/);
  return true;
};

for (const [what, script] of Object.entries(INDEXES)) {
  Deno.test(`an index with ${what} is reported as damaged by every reader`, async () => {
    await using at = await makeBackup();
    const { run, backup } = at;
    await replace(at, backup.objects.find(({ role }) => role === "index")!, script);
    const { backup: toRead, ...job } = verifyJob(run, backup, null);
    for (const from of ["here", "elsewhere"] as const) {
      await assert.rejects(verify(run, backup, { from }), damaged);
    }
    const browse = {
      kind: "backup.browse" as const,
      backup: toRead,
      signed: [],
      path: "",
      offset: 0,
      limit: 9,
    };
    await assert.rejects(browseBackup(browse, systemClock, run.ports.signal), damaged);
    const target = { path: `${run.root}/target`, paths: ["some"] };
    await assert.rejects(restore(run, backup, { target }), damaged);
    const drill = { ...job, kind: "drill" as const, bytes_read: backup.bytes_read, backup: toRead };
    const destination = new LocalDestination({ type: "local", directory: run.directory }, run.ports.signal);
    await assert.rejects(runDrill(drill, destination, run.ports), damaged);
  });
}

Deno.test("a replaced index is not unpacked, because unpacking may never end", async () => {
  await using at = await makeBackup();
  const { run, backup } = at;
  const index = backup.objects.find(({ role }) => role === "index")!;
  await replace(
    at,
    index,
    `(yes 'block 1: -rw-r--r-- 0/0 5 2026-01-01 00:00:00 "./some"' || true) | head -n 100000 | zstd -q -c`,
  );
  const destination = new LocalDestination({ type: "local", directory: run.directory }, run.ports.signal);
  await using children = new Children(systemClock, run.ports.signal);
  const objects = new StoredObjects(verifyJob(run, backup, null).backup, destination, children);
  let taken = 0;
  await assert.rejects(objects.lines(index, () => void taken++), damaged);
  assert.equal(taken, 0);
});

const MANIFESTS: Record<string, string> = {
  "no JSON": "head -c 100 /dev/urandom",
  "brackets without an end": "head -c 1000 /dev/zero | tr '\\0' '['",
  "another's objects": `printf '{"format":"rearguard-backup","objects":[]}'`,
};

for (const [what, script] of Object.entries(MANIFESTS)) {
  Deno.test(`a manifest with ${what} is reported as damaged`, async () => {
    await using at = await makeBackup();
    await replace(at, at.backup.objects.find(({ role }) => role === "manifest")!, script);
    await assert.rejects(verify(at.run, at.backup), damaged);
  });
}

Deno.test("an archive with a wrong SHA-256 is damaged even if its reader is killed", async () => {
  await using at = await makeBackup();
  const archive = at.backup.objects.find(({ role }) => role === "archive")!;
  await replace(at, archive, "printf '\\x28\\xb5\\x2f\\xfd\\x00\\xa8\\x00\\x00\\x00'");
  await assert.rejects(verify(at.run, at.backup), damaged);
});

Deno.test("an unparsable object with the right SHA-256 is no damage", async () => {
  await using at = await makeBackup();
  const manifest = at.backup.objects.find(({ role }) => role === "manifest")!;
  await Deno.writeTextFile(`${at.run.directory}/${manifest.name}`, "a manifest of another release");
  const sha256 = (await shell('sha256sum < "$1"', `${at.run.directory}/${manifest.name}`)).slice(0, 64);
  const objects = at.backup.objects.map((object) =>
    object === manifest ? { ...object, size: 29, sha256 } : object
  );
  await verify(at.run, { ...at.backup, objects });
  assert.match(at.run.warnings.join("\n"), /The manifest is as it was stored, but can't be read/);
});

Deno.test("an index that can't be stored temporarily is not reported as damaged", async () => {
  await using at = await makeBackup();
  await Deno.writeTextFile(`${at.run.ports.workDirectory}/proven`, "in the way");
  await assert.rejects(verify(at.run, at.backup), (error) => {
    assert(error instanceof RunFailedError && !(error instanceof BackupDamagedError), Deno.inspect(error));
    return true;
  });
});
