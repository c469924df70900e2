import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { mountTmpfs } from "../../../tests/support/fixtures/tmpfs.ts";
import { growTree } from "../../../tests/support/fixtures/tree.ts";
import { verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import type { BackupJob, BackupToRead, DrillJob, Proven, StoredBackup } from "../../../src/protocol/job.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { runDrill } from "./drill.ts";
import { BackupDamagedError, RunFailedError, type RunPorts } from "../ports.ts";

interface Fixture extends AsyncDisposable {
  run: BackupRun;
  backup: StoredBackup;
  drill(changes?: Partial<BackupToRead>, ports?: RunPorts): Promise<Proven>;
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
  await shell('rm -rf "$1"; mkdir "$1"', run.ports.workDirectory);
  return {
    run,
    backup,
    drill: (changes = {}, ports = run.ports) => {
      const { backup: toRead, ...job } = verifyJob(run, backup, null);
      const whole: DrillJob = {
        ...job,
        kind: "drill",
        bytes_read: backup.bytes_read,
        backup: { ...toRead, ...changes },
      };
      return runDrill(
        whole,
        new LocalDestination({ type: "local", directory: run.directory }, run.ports.signal),
        ports,
      );
    },
    [Symbol.asyncDispose]: async () => {
      await shell('chmod -R u+rwx "$1"', run.root);
      await run[Symbol.asyncDispose]();
    },
  };
}

const left = (at: Fixture) => [...Deno.readDirSync(at.run.ports.workDirectory)].map(({ name }) => name);

async function failureOf(work: Promise<unknown>): Promise<RunFailedError> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.doesNotMatch(error.message, /\n/);
  return error;
}

Deno.test("a tree of every kind of file is restored, compared and removed", async () => {
  await using at = await makeBackup(growTree);
  const { files_count, restore_ms, duration_ms } = await at.drill();
  assert.equal(files_count, at.backup.files_count);
  assert.ok(restore_ms > 0 && restore_ms <= duration_ms);
  assert.deepEqual(left(at), []);
});

Deno.test("an encrypted backup is restored with its password", async () => {
  const passphrase = "correct horse";
  await using at = await makeBackup("echo one > one", {
    encryption: { type: "password", password: passphrase },
  });
  assert.equal((await at.drill({ key: { type: "passphrase", passphrase } })).files_count, 1);
  assert.match(
    (await failureOf(at.drill())).message,
    /^Cannot prove backup 31: it is encrypted to recipients/,
  );
});

Deno.test("restored files that differ from the index are damage", async () => {
  await using at = await makeBackup("mkdir d; echo one > d/one; ln d/one hard; ln -s one link");
  await at.drill();
  const spoilt = async (script: string): Promise<BackupDamagedError> => {
    const index = at.backup.objects.find(({ role }) => role === "index")!;
    const path = `${at.run.directory}/${index.name}`;
    await shell(
      'zstd -dqc "$1" > "$1.text"; sed -i "$2" "$1.text"; cp "$1" "$1.good"; zstd -qf "$1.text" -o "$1"',
      path,
      script,
    );
    const [sha256] = (await shell('sha256sum < "$1"', path)).split(" ");
    const { size } = await Deno.stat(path);
    const objects = at.backup.objects.map((object) =>
      object === index ? { ...object, size, sha256: sha256! } : object
    );
    const error = await failureOf(at.drill({ objects }));
    await shell('mv "$1.good" "$1"', path);
    assert(error instanceof BackupDamagedError, Deno.inspect(error));
    assert.deepEqual(left(at), []);
    return error;
  };
  assert.match(
    (await spoilt("s#d/one#d/two#")).message,
    /^Backup 31 is damaged: \d differences .* the first at d\//,
  );
  assert.match(
    (await spoilt("s#^\\(block .: \\)l\\(.*\\) -> .*#\\1p\\2#")).damage,
    /2 differences .* at link \(type [lp]/,
  );
  assert.match((await spoilt('/"\\.\\/link"/d')).damage, /1 difference .* at link \(type l, 0 bytes\)/);
});

Deno.test("a replaced archive is damage", async () => {
  await using at = await makeBackup("seq 1000 > numbers");
  const archive = at.backup.objects.find(({ role }) => role === "archive")!;
  const path = `${at.run.directory}/${archive.name}`;
  await shell('zstd -dqc "$1" > "$1.tar"; pzstd -q -c -9 "$1.tar" > "$1.new"; mv "$1.new" "$1"', path);
  const { size } = await Deno.stat(path);
  const objects = at.backup.objects.map((object) => object === archive ? { ...object, size } : object);
  const error = await failureOf(at.drill({ objects }));
  assert(error instanceof BackupDamagedError, Deno.inspect(error));
  assert.match(error.message, /^Backup 31 is damaged: \S+\.tar\.zst: its SHA-256 is/);
});

Deno.test("without free space nothing is unpacked, and that is no damage", async () => {
  await using at = await makeBackup("head -c 3000000 /dev/urandom > large");
  const workDirectory = `${at.run.root}/small`;
  await using _room = await mountTmpfs(workDirectory, 2 ** 20);
  const error = await failureOf(at.drill({}, { ...at.run.ports, workDirectory }));
  assert(!(error instanceof BackupDamagedError));
  assert.match(
    error.message,
    /^Cannot prove backup 31: there is no room for it in .*: it needs .* are free\. Free some/,
  );
  assert.deepEqual([...Deno.readDirSync(workDirectory)], []);
});

Deno.test("a cancelled drill leaves nothing", async () => {
  await using at = await makeBackup("head -c 30000000 /dev/urandom > large");
  at.run.onLine = (line) => {
    if (line.startsWith("Restoring into")) queueMicrotask(() => at.run.cancel());
  };
  await assert.rejects(at.drill(), { name: "RunAbortedError" });
  assert.throws(() => Deno.lstatSync(`${at.run.ports.workDirectory}/drill`), Deno.errors.NotFound);
});

Deno.test("a path that is too long to be restored is no damage", async () => {
  await using at = await makeBackup(
    `perl -e 'for (1..17) { mkdir "d" x 250; chdir "d" x 250 } open F, ">file"'; echo one > one`,
  );
  assert.equal((await at.drill()).files_count, at.backup.files_count);
  assert.match(
    at.run.lines.join("\n"),
    /Of its 19 files and directories 2 can't be restored here; the others were restored/,
  );
  assert.deepEqual(left(at), []);
});
