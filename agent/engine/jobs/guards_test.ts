import assert from "node:assert/strict";
import type { JobGuards } from "../../../src/protocol/guards.ts";
import type { FilesSource } from "../../../src/definitions/sources/files.ts";
import type { StoredBackup } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { refuseEmpty } from "./guards.ts";
import type { StoredPart } from "../manifest/stored_part.ts";

/** Backs up a directory of 40 text files of 50 kB each. */
async function fixture() {
  const run = await BackupRun.open();
  const path = `${run.root}/tree`;
  await shell('mkdir "$1"; cd "$1"; seq 300000 | split -b 50000 -da 2 -', path);
  const source: FilesSource = { type: "files", path, excluded_paths: [], allow_unreadable: false };
  const before = await run.run(source);
  return { run, source, before, [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
}

const again = { prefix: "backup_7", stamp: "20260103030405" };

function guards(
  { size, bytes_read, files_count, incompressible_share }: StoredBackup,
  actions: Partial<Pick<JobGuards, "on_shrink" | "on_incompressible">> = {},
): JobGuards {
  return {
    on_shrink: "warn",
    on_incompressible: "warn",
    ...actions,
    usual: {
      backups_count: 5,
      size,
      bytes_read,
      files_count,
      incompressible_share: incompressible_share!,
      compression: size / bytes_read,
    },
  };
}

const loseMost = (path: string) => shell('cd "$1"; rm x[012]*', path);
const scramble = (path: string, count: number) =>
  shell('cd "$1"; head -c "$2" /dev/urandom | split -b 50000 -da 2 -', path, String(count * 50_000));

/** Returns the manifest of the second backup. */
async function manifestAgain({ run }: { run: BackupRun }) {
  return JSON.parse(
    await Deno.readTextFile(`${run.directory}/${again.prefix}_${again.stamp}.manifest.json`),
  );
}

Deno.test("an unchanged tree causes no warning", async () => {
  await using at = await fixture();
  const backup = await at.run.run(at.source, { object: again, guards: guards(at.before) });
  assert.deepEqual(at.run.warnings, []);
  assert.equal(backup.suspicion, null);
  assert.equal(backup.incompressible_share, 0);
});

Deno.test("a tree that lost most of its files is stored with a warning, counted in the manifest", async () => {
  await using at = await fixture();
  await loseMost(at.source.path);
  const backup = await at.run.run(at.source, { object: again, guards: guards(at.before) });
  assert.equal(backup.files_count, 10);
  assert.equal(backup.suspicion, null);
  assert.match(
    backup.shrinking!,
    /^It shrank to less than half .* 10 files \(median 40\), [^.]+\.\d kB read/,
  );
  assert.doesNotMatch(backup.shrinking!, /on_shrink/);
  const [warning, ...others] = at.run.warnings;
  assert.deepEqual(others, []);
  assert.match(
    warning!,
    /^This backup looks wrong: it shrank to less than half .* 10 files \(median 40\), /,
  );
  assert.match(warning!, /5\d\d\.\d kB read \(median 2\.\d MB\), .*stored \(median .*on_shrink/);
  const { warnings_count, suspicion, findings } = await manifestAgain(at);
  assert.deepEqual(findings, [{ name: "shrink", message: backup.shrinking, severity: "critical" }]);
  assert.deepEqual(backup.findings, findings);
  assert.deepEqual([warnings_count, suspicion], [1, backup.shrinking]);
});

Deno.test("a backup that must not shrink fails and leaves nothing behind", async () => {
  await using at = await fixture();
  const stored = at.run.stored();
  await loseMost(at.source.path);
  const running = at.run.run(at.source, { object: again, guards: guards(at.before, { on_shrink: "fail" }) });
  await assert.rejects(running, {
    name: "RunFailedError",
    message: /^Cannot trust this backup: it shrank .*10 files.*on_shrink/,
    leftovers: [],
  });
  assert.deepEqual(at.run.stored(), stored);
  // The guard fails the run after all objects were stored.
  assert.match(at.run.lines.join("\n"), /Stored its index as backup_7_20260103030405/);
});

Deno.test("a tree of random bytes is flagged as possible ransomware", async () => {
  await using at = await fixture();
  await scramble(at.source.path, 40);
  const backup = await at.run.run(at.source, { object: again, guards: guards(at.before) });
  assert.ok(backup.incompressible_share! > 0.95, String(backup.incompressible_share));
  assert.match(backup.suspicion!, /^Possible ransomware: the data compresses much worse/);
  assert.equal(at.run.warnings.length, 1);
  assert.match(at.run.warnings[0]!, /possible ransomware: .*Look at the files .*on_incompressible/);
  const manifest = await manifestAgain(at);
  assert.equal(manifest.suspicion, backup.suspicion);
  assert.equal(manifest.incompressible_share, backup.incompressible_share);
});

Deno.test("a partly encrypted tree is flagged, even if the archive itself is encrypted", async () => {
  await using at = await fixture();
  await scramble(at.source.path, 24);
  const encrypted = { object: again, guards: guards(at.before), encryption_password: "correct horse" };
  assert.match((await at.run.run(at.source, encrypted)).suspicion!, /^Possible ransomware/);
});

Deno.test("small encrypted files are flagged although tar's headers between them compress", async () => {
  await using run = await BackupRun.open();
  const path = `${run.root}/tree`;
  await shell('mkdir "$1"; cd "$1"; seq 300000 | split -b 3000 -a 3 -', path);
  const source: FilesSource = { type: "files", path, excluded_paths: [], allow_unreadable: false };
  const before = await run.run(source);
  await shell('cd "$1"; head -c 2000000 /dev/urandom | split -b 3000 -a 3 -', path);
  const backup = await run.run(source, { object: again, guards: guards(before) });
  assert.equal(backup.incompressible_share, 0);
  assert.match(backup.suspicion!, /^Possible ransomware/);
});

Deno.test("an encrypted backup alone is no sign of ransomware", async () => {
  await using at = await fixture();
  const encrypted = { object: again, guards: guards(at.before), encryption_password: "correct horse" };
  const backup = await at.run.run(at.source, encrypted);
  assert.deepEqual([backup.suspicion, backup.incompressible_share], [null, 0]);
});

Deno.test("what is stored uncompressed is no sign of ransomware, even after compressed backups", async () => {
  await using at = await fixture();
  const stored = {
    object: again,
    guards: guards(at.before, { on_incompressible: "fail" }),
    options: { compression_level: 0 },
  };
  const backup = await at.run.run(at.source, stored);
  assert.ok(backup.size > backup.bytes_read);
  assert.deepEqual([backup.findings, backup.suspicion, at.run.warnings], [[], null, []]);
  // This backup is larger than the data it contains. The guards against shrinking still apply to such
  // backups.
  await loseMost(at.source.path);
  const shrunken = { ...stored, object: { ...again, stamp: "20260104030405" }, guards: guards(backup) };
  assert.match((await at.run.run(at.source, shrunken)).shrinking!, /^It shrank/);
});

Deno.test("possible ransomware fails the run if the task is set to fail, and leaves nothing behind", async () => {
  await using at = await fixture();
  const stored = at.run.stored();
  await scramble(at.source.path, 40);
  const failing = guards(at.before, { on_incompressible: "fail" });
  await assert.rejects(at.run.run(at.source, { object: again, guards: failing }), {
    name: "RunFailedError",
    message: /^Cannot trust this backup: possible ransomware: /,
  });
  assert.deepEqual(at.run.stored(), stored);
});

Deno.test("an anomaly that the task ignores causes no warning and no flag", async () => {
  await using at = await fixture();
  await scramble(at.source.path, 40);
  const ignoring = guards(at.before, { on_shrink: "ignore", on_incompressible: "ignore" });
  assert.equal((await at.run.run(at.source, { object: again, guards: ignoring })).suspicion, null);
  await loseMost(at.source.path);
  const shrunken = { object: { ...again, stamp: "20260104030405" }, guards: ignoring };
  assert.equal((await at.run.run(at.source, shrunken)).shrinking, null);
  assert.deepEqual(at.run.warnings, []);
});

Deno.test("a run without earlier backups reports that nothing was compared", async () => {
  await using at = await fixture();
  await at.run.run(at.source, { object: again, guards: { ...guards(at.before), usual: null } });
  assert.ok(
    at.run.lines.includes("Not compared with earlier backups: too few backups of this source are stored"),
  );
});

Deno.test("an empty archive is refused", () => {
  const part = { part: { label: "/data" }, archive: { size: 10 }, bytesRead: 10 } as StoredPart;
  refuseEmpty(part);
  const refusal = { name: "RunFailedError", message: /^Cannot trust the archive of \/data: it is empty/ };
  assert.throws(() => refuseEmpty({ ...part, bytesRead: 0 }), refusal);
  assert.throws(() => refuseEmpty({ ...part, archive: { ...part.archive, size: 0 } }), refusal);
});
