import assert from "node:assert/strict";
import {
  assertNothingLeft,
  backedUp,
  failure,
  type Fixture,
  isNoDamage,
  names,
} from "../../../tests/support/fixtures/backed_up.ts";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restoreJob, type RestoreOptions } from "../../../tests/support/fixtures/restore_job.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { mountTmpfs } from "../../../tests/support/fixtures/tmpfs.ts";
import { inspectRestoreDirectory } from "../restore_files/restore_directory.ts";
import { ON_DISK } from "../../../tests/support/memory.ts";
import { describeTree, growTree } from "../../../tests/support/fixtures/tree.ts";
import type { BackupJob, StoredBackup } from "../../../src/protocol/job.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { BackupDamagedError } from "../ports.ts";
import { runRestore } from "./restore.ts";

function passwordEncryption(key: { passphrase: string } | null): Partial<BackupJob> {
  return key === null ? {} : { encryption: { type: "password", password: key.passphrase } };
}

/** Asserts that a promise rejects with a `BackupDamagedError`, and returns the error's `damage`. */
async function damage(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof BackupDamagedError, Deno.inspect(error));
  assert.match(error.message, /^Cannot restore backup 31: [^\n]+$/);
  return error.damage;
}

for (const key of [null, { type: "passphrase" as const, passphrase: "correct horse" }]) {
  Deno.test(`a tree of every kind of file is restored unchanged${key === null ? "" : ", encrypted"}`, async () => {
    await using at = await backedUp(growTree, passwordEncryption(key));
    const original = await describeTree(at.tree);
    const { files_count } = await restore(at.run, at.backup, { target: { path: at.target }, key });
    assert.deepEqual(await describeTree(at.target), original);
    assert.equal(files_count, at.backup.files_count);
    // Restore to the original directory. It does not exist any more.
    await shell('chmod -R u+rwx "$1"; rm -rf "$1"', at.tree);
    await restore(at.run, at.backup, { key });
    assert.deepEqual(await describeTree(at.tree), original);
    assertNothingLeft(at);
  });
}

const asRoot = { ignore: Deno.uid() !== 0 };

Deno.test("a backup is restored into an empty directory; a missing one is created with its parents", async () => {
  await using at = await backedUp("mkdir a; echo one > a/one; chmod 750 .");
  const original = await describeTree(at.tree);
  for (const path of [at.target, `${at.run.root}/not/there/yet`]) {
    if (path === at.target) await Deno.mkdir(path);
    await restore(at.run, at.backup, { target: { path } });
    assert.deepEqual(await describeTree(path), original);
  }
});

Deno.test("an empty directory is not replaced, so that it stays valid where it is open or mounted", async () => {
  await using at = await backedUp("mkdir a; echo one > a/one; chmod 750 .; setfattr -n user.x -v 1 .");
  await Deno.mkdir(at.target);
  const { ino } = await Deno.stat(at.target);
  await restore(at.run, at.backup, { target: { path: at.target } });
  assert.equal((await Deno.stat(at.target)).ino, ino);
  assert.deepEqual(await describeTree(at.target), await describeTree(at.tree));
  assertNothingLeft(at);
});

Deno.test(
  "an empty directory that the agent may not write to is refused with the reason",
  asRoot,
  async () => {
    await using at = await backedUp("echo one > one");
    await Deno.mkdir(at.target);
    setImmutable(at.target, true);
    const message = await failure(restore(at.run, at.backup, { target: { path: at.target } }));
    setImmutable(at.target, false);
    assert.match(message, /the agent can't make .*\/target: Operation not permitted.*Give it the right to/);
    assert.deepEqual(names(at.target), []);
    assertNothingLeft(at);
  },
);

Deno.test("a missing target is created even if its path contains extra slashes and dots", async () => {
  await using at = await backedUp("echo one > one");
  for (const [n, written] of ["/./new/0/.", "//new//1/", "/new/./2/./"].entries()) {
    await restore(at.run, at.backup, { target: { path: at.run.root + written } });
    assert.deepEqual(names(`${at.run.root}/new/${n}`), ["one"]);
  }
});

Deno.test("a target that can't be a directory is refused with the reason", async () => {
  await using at = await backedUp("echo one > one; ln -s loop loop");
  for (
    const [path, reason] of [
      ["one", /\/tree\/one is not a directory\. Choose another target_path/],
      ["one/below", /\/one\/below can't be a directory: Not a directory \(os error 20\)\. Choose/],
      ["loop/below", /can't be a directory: Too many levels of symbolic links/],
      ["x".repeat(256), /can't be a directory: File name too long/],
    ] as const
  ) {
    assert.match(
      await failure(restore(at.run, at.backup, { target: { path: `${at.tree}/${path}` } })),
      reason,
    );
  }
});

Deno.test("a target whose own file system is not mounted is refused", async () => {
  const mounts = () => Promise.resolve({ mounts: [], expected: ["/", "/srv/not/mounted"] });
  for (const path of ["/srv/not/mounted", "/srv/not/mounted/there//yet/."]) {
    await assert.rejects(
      inspectRestoreDirectory(path, mounts),
      /\/etc\/fstab mounts a file system on \/srv\/not\/mounted, and/,
    );
  }
  assert.equal((await inspectRestoreDirectory("/srv/not/mounted2", mounts)).state, "missing");
});

Deno.test("existing files are refused, or replaced on request; other files stay", async () => {
  await using at = await backedUp(
    "mkdir a b; echo one > a/one; echo two > two; ln two hard; chmod 750 a; setfattr -n user.x -v 1 a",
  );
  const grow = 'mkdir -p "$1/a"; cd "$1"; echo mine > a/one; echo mine > a/mine; echo 2 > two';
  await shell(grow, at.target);
  const before = await describeTree(at.target);
  const message = await failure(restore(at.run, at.backup, { target: { path: at.target } }));
  assert.match(message, /target\/(a\/one|two) and 1 more are there already\. Set overwrite to replace/);
  assert.deepEqual(await describeTree(at.target), before);
  await restore(at.run, at.backup, { target: { path: at.target, overwrite: true } });
  assert.equal(await Deno.readTextFile(`${at.target}/a/mine`), "mine\n");
  await Deno.remove(`${at.target}/a/mine`);
  // The directories that contained "mine" have new modification times, so these directories are not compared.
  const shown = async (path: string) =>
    (await describeTree(path)).filter((line) => !/^"\.(\/a)?" /.test(line));
  assert.deepEqual(await shown(at.target), await shown(at.tree));
  assert.equal((await Deno.stat(`${at.target}/a`)).mode! & 0o777, 0o750);
  assertNothingLeft(at);
});

Deno.test("nothing is written through a symlink in the target", async () => {
  await using at = await backedUp("mkdir a; echo one > a/one");
  await shell('mkdir -p "$1" "$2"; ln -s "$2" "$1/a"', at.target, `${at.run.root}/elsewhere`);
  assert.match(
    await failure(restore(at.run, at.backup, { target: { path: at.target } })),
    /target\/a is there already/,
  );
  await restore(at.run, at.backup, { target: { path: at.target, overwrite: true } });
  assert.deepEqual(names(`${at.run.root}/elsewhere`), []);
  assert.equal(await Deno.readTextFile(`${at.target}/a/one`), "one\n");
});

Deno.test("a directory with a restored file's name is never removed", async () => {
  await using at = await backedUp("echo one > a");
  await shell('mkdir -p "$1/a"; echo mine > "$1/a/mine"', at.target);
  const target = { path: at.target, overwrite: true };
  assert.match(
    await failure(restore(at.run, at.backup, { target })),
    /target\/a is a directory, and the backup/,
  );
  assert.equal(await Deno.readTextFile(`${at.target}/a/mine`), "mine\n");
});

Deno.test("selected paths are restored with everything below them and nothing else", async () => {
  await using at = await backedUp(growTree);
  const paths = ["plain/deep", "grün – 日本.txt", "link", "-dash", "new\nline", "sparse"];
  const { files_count } = await restore(at.run, at.backup, { target: { path: at.target, paths } });
  assert.deepEqual(names(at.target), ["-dash", "grün – 日本.txt", "link", "new\nline", "plain", "sparse"]);
  assert.deepEqual(names(`${at.target}/plain`), ["deep"]);
  // One of the five is the hard link `plain/deep/hard`. Its target `plain/hello.txt` was not selected.
  assert.equal(files_count, 5);
  const of = async (directory: string) =>
    (await describeTree(`${directory}/plain/deep`)).map((line) => line.replace(/ = .*/, ""));
  assert.deepEqual(await of(at.target), await of(at.tree));
  assert.deepEqual(await describeTree(`${at.target}/-dash`), await describeTree(`${at.tree}/-dash`));
  const sparse = Deno.statSync(`${at.target}/sparse`);
  assert.ok(sparse.size === 16 * 2 ** 20 && sparse.blocks! < 1024);
  assertNothingLeft(at);
});

Deno.test("selected paths are restored into a directory in use without changing their parents", async () => {
  await using at = await backedUp("mkdir -p a/b c; echo 1 > a/b/one; echo 2 > a/two; chmod 750 a a/b");
  await shell('mkdir -p "$1/a"; chmod 700 "$1/a"; echo mine > "$1/mine"', at.target);
  await restore(at.run, at.backup, { target: { path: at.target, paths: ["a/b", "c"] } });
  assert.deepEqual(names(at.target), ["a", "c", "mine"]);
  assert.deepEqual(names(`${at.target}/a`), ["b"]);
  assert.equal((await Deno.stat(`${at.target}/a`)).mode! & 0o777, 0o700);
  assert.equal((await Deno.stat(`${at.target}/a/b`)).mode! & 0o777, 0o750);
  const message = await failure(
    restore(at.run, at.backup, { target: { path: at.target, paths: ["a", "no/such", "c"] } }),
  );
  assert.match(message, /it holds nothing under "no\/such"/);
});

Deno.test("names that are not UTF-8 are selected by their display name, unless a file has exactly that name", async () => {
  await using at = await backedUp(
    `touch "$(printf 'not \\377')" 'both \\377' "$(printf 'both \\377')"
    mkdir "$(printf 'odd \\303')"; touch "$(printf 'odd \\303/in')"`,
  );
  const restored = async (...paths: string[]) => {
    await restore(at.run, at.backup, { target: { path: at.target, paths } });
    const found = await shell(
      'cd "$1"; find . -type f -printf "%P\\0" | LC_ALL=C sort -z | xxd -p | tr -d "\\n"; rm -rf "$1"',
      at.target,
    );
    return new TextDecoder("latin1").decode(Uint8Array.fromHex(found)).split("\0").slice(0, -1);
  };
  assert.deepEqual(await restored("not \\377", "odd \\303"), ["not \xff", "odd \xc3/in"]);
  assert.deepEqual(await restored("odd \\303/in", "both \\377"), ["both \\377", "odd \xc3/in"]);
  const message = await failure(restored("not \\377", "no \\376"));
  assert.match(message, /it holds nothing under "no \\\\376"/);
});

Deno.test("restoring one file of many reads only its frames, also from an encrypted archive", async () => {
  for (const key of [null, { type: "passphrase" as const, passphrase: "p" }]) {
    await using at = await backedUp(
      "for n in $(seq 12); do head -c 10000000 /dev/urandom > $n; done",
      passwordEncryption(key),
      ON_DISK,
    );
    const { bytes_read } = await restore(at.run, at.backup, {
      target: { path: at.target, paths: ["7"] },
      key,
    });
    assert.deepEqual(await Deno.readFile(`${at.target}/7`), await Deno.readFile(`${at.tree}/7`));
    assert.ok(bytes_read < 27_000_000, `${bytes_read} bytes were read`);
  }
});

/** Makes and returns a second backup, of one file. */
async function backUpFile({ run }: Fixture, path: string): Promise<StoredBackup> {
  const source = { type: "files" as const, path, excluded_paths: [], allow_unreadable: false };
  return await run.run(source, { object: { prefix: "backup_8", stamp: "20260102030406" } });
}

for (const paths of [[], ["one"]]) {
  const what = paths.length === 0 ? "one file" : "one file, chosen by its path,";
  Deno.test(`${what} is restored into its original directory, which stays unchanged`, async () => {
    await using at = await backedUp(
      'echo one > one; echo two > two; chmod 755 .; setfattr -n user.x -v 1 .; [ "$(id -u)" != 0 ] || chown 1234:1234 .',
    );
    const backup = await backUpFile(at, `${at.tree}/one`);
    await Deno.remove(`${at.tree}/one`);
    await shell('touch -d 2001-01-01 "$1"', at.tree);
    // Describes the directory without its modification time, because any new file changes this time.
    const directory = async () =>
      (await describeTree(at.tree)).filter((line) => !line.includes("one"))
        .map((line) => line.replace(/^("\." d \d+ \S+) \S+/, "$1"));
    const before = await directory();
    assert.match(before[0]!, Deno.uid() === 0 ? /^"\." d 755 1234:1234 / : /^"\." d 755 /);
    await restore(at.run, backup, { target: { paths } });
    assert.equal(await Deno.readTextFile(`${at.tree}/one`), "one\n");
    assert.deepEqual(await directory(), before);
    await Deno.writeTextFile(`${at.tree}/one`, "another");
    await restore(at.run, backup, { target: { paths, overwrite: true } });
    assert.equal(await Deno.readTextFile(`${at.tree}/one`), "one\n");
    assert.deepEqual(await directory(), before);
    assertNothingLeft(at);
  });

  Deno.test(`${what} keeps an empty directory's attributes, and a new directory gets default ones`, async () => {
    await using at = await backedUp("echo one > one");
    const backup = await backUpFile(at, `${at.tree}/one`);
    await Deno.mkdir(at.target);
    await Deno.chmod(at.target, 0o715);
    await restore(at.run, backup, { target: { path: at.target, paths } });
    assert.equal((await Deno.stat(at.target)).mode! & 0o7777, 0o715);
    assert.deepEqual(names(at.target), ["one"]);
    await Deno.mkdir(`${at.run.root}/plain`);
    const made = `${at.run.root}/not/there/yet`;
    await restore(at.run, backup, { target: { path: made, paths } });
    for (const path of [made, `${at.run.root}/not/there`]) {
      assert.equal((await Deno.stat(path)).mode, (await Deno.stat(`${at.run.root}/plain`)).mode, path);
    }
    assert.deepEqual(names(made), ["one"]);
    assertNothingLeft(at);
  });
}

Deno.test("a source that is a link to a file is restored under the link's name with the file's contents", async () => {
  await using at = await backedUp(
    "mkdir run; echo one > run/stub; setfattr -n user.x -v 1 run/stub; chmod 640 run/stub; ln -s run/stub resolv",
  );
  const backup = await backUpFile(at, `${at.tree}/resolv`);
  await Deno.remove(`${at.tree}/resolv`);
  await restore(at.run, backup);
  assert.deepEqual(names(at.tree), ["resolv", "run"]);
  const shown = async (name: string) =>
    (await describeTree(at.tree)).filter((line) => line.includes(name))
      .map((line) => line.replaceAll(name, "NAME").replace(/ = .*/, ""));
  assert.deepEqual(await shown("./resolv"), await shown("./run/stub"));
  assert.equal(
    await shell('cd "$1"; getfattr --only-values -n user.x resolv', at.tree),
    "1",
  );
  // An existing symbolic link counts as an existing file. A restore does not write through the link.
  await shell('cd "$1"; rm resolv; ln -s run/stub resolv; echo two > run/stub', at.tree);
  assert.match(await failure(restore(at.run, backup)), /tree\/resolv is there already/);
  await restore(at.run, backup, { target: { paths: ["resolv"], overwrite: true } });
  assert.equal(await Deno.readTextFile(`${at.tree}/resolv`), "one\n");
  assert.equal(await Deno.readTextFile(`${at.tree}/run/stub`), "two\n");
});

/** Scripts that each damage the archive of a backup. `$1` is the archive. */
const DAMAGES: Record<string, [script: string, reason: RegExp]> = {
  "a byte of the archive is altered": [
    'printf "\\\\x$(printf %02x $(( $(od -An -tu1 -j4000 -N1 "$1") ^ 1 )))" | dd of="$1" bs=1 seek=4000 conv=notrunc status=none',
    /its SHA-256 is/,
  ],
  "the archive's last byte is altered": [
    'size=$(stat -c %s "$1"); printf "\\\\x$(printf %02x $(( $(od -An -tu1 -j$((size-1)) -N1 "$1") ^ 1 )))" | dd of="$1" bs=1 seek=$((size-1)) conv=notrunc status=none',
    /its SHA-256 is/,
  ],
  "the archive is cut short": ['truncate -s -100 "$1"', /it has \d+ bytes, but \d+ were stored/],
  "the archive is gone": ['rm "$1"', /it does not exist/],
  "the archive is another's": [
    'cd "$(dirname "$1")"; mkdir other; echo other > other/other; tar -C other -I "zstd -q" -cf "$1.new" .; ' +
    'truncate -s "$(stat -c %s "$1")" "$1.new"; mv "$1.new" "$1"; rm -r other',
    /its SHA-256 is/,
  ],
};

for (const [name, [script, reason]] of Object.entries(DAMAGES)) {
  const password = { type: "passphrase" as const, passphrase: "p" };
  for (const key of name.startsWith("a byte") ? [null, password] : [null]) {
    Deno.test(`${name}${key === null ? "" : ", encrypted"}: the target is not touched`, async () => {
      await using at = await backedUp(
        "head -c 300000 /dev/urandom > noise; seq 100000 > numbers",
        passwordEncryption(key),
      );
      await shell('mkdir "$1"; echo mine > "$1/mine"; touch -d 2001-01-01 "$1"', at.target);
      const before = await describeTree(at.target);
      const archive = at.backup.objects.find(({ role }) => role === "archive")!;
      await shell(script, `${at.run.directory}/${archive.name}`);
      for (const paths of [[], ["noise"]]) {
        const target = { path: at.target, overwrite: true, paths };
        const damaged = await damage(restore(at.run, at.backup, { target, key }));
        assert.match(damaged, new RegExp(`^${archive.name}: ${reason.source}`));
        assert.deepEqual(await describeTree(at.target), before);
      }
      assertNothingLeft(at);
    });
  }
}

Deno.test("a wrong password, a damaged index and an invalid path are reported in one line", async () => {
  await using at = await backedUp("echo one > one", passwordEncryption({ passphrase: "right" }));
  const key = { type: "passphrase" as const, passphrase: "wrong" };
  const wrong = await failure(restore(at.run, at.backup, { target: { path: at.target }, key }));
  assert.match(wrong, /password/);
  await assert.rejects(restore(at.run, at.backup, { target: { path: at.target }, key }), isNoDamage);
  assert.doesNotMatch(wrong, /wrong|right/);
  // A wrong password is reported without reading the rest of the archive, so damage at the archive's end is
  // not noticed.
  const archive = at.backup.objects.find(({ role }) => role === "archive")!;
  const path = `${at.run.directory}/${archive.name}`;
  await shell(
    'cp "$1" "$1.good"; printf xxxx | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 4)) conv=notrunc status=none',
    path,
  );
  await assert.rejects(restore(at.run, at.backup, { target: { path: at.target }, key }), isNoDamage);
  await Deno.rename(`${path}.good`, path);
  const right = { type: "passphrase" as const, passphrase: "right" };
  const options = (path: string): RestoreOptions => ({ target: { path, paths: ["one"] }, key: right });
  assert.match(await failure(restore(at.run, at.backup, options("relative"))), /not an absolute path/);
  assert.match(await failure(restore(at.run, at.backup, options(`${at.tree}/one`))), /is not a directory/);
  const index = at.backup.objects.find(({ role }) => role === "index")!;
  await shell('truncate -s -10 "$1"', `${at.run.directory}/${index.name}`);
  assert.match(await damage(restore(at.run, at.backup, options(at.target))), /it has \d+ bytes, but/);
  const without = { ...at.backup, objects: at.backup.objects.filter(({ role }) => role !== "index") };
  assert.match(await failure(restore(at.run, without, options(at.target))), /it has no index/);
  await restore(at.run, without, { target: { path: at.target }, key: right });
  assert.equal(await Deno.readTextFile(`${at.target}/one`), "one\n");
});

Deno.test({
  name:
    "device files are restored to their original directory only, except for common ones such as /dev/null",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using at = await backedUp(
      "mkdir dev; cd dev; mknod null c 1 3; mknod deleted c 0 0; mknod disk b 259 70000; mknod mem c 1 1; echo one > one",
    );
    const original = await describeTree(at.tree);
    await shell('mkdir "$1"; echo mine > "$1/mine"', at.target);
    const before = await describeTree(at.target);
    for (
      const [paths, path, message] of [
        [
          [],
          at.target,
          /dev\/(disk is a block special file \(259:70000\)|mem is a character special file \(1:1\))/,
        ],
        [
          ["dev/disk"],
          at.target,
          /: dev\/disk is a block special file \(259:70000\), and device files go back only/,
        ],
        [["dev"], `${at.run.root}/new`, /dev\/(disk|mem) is a /],
      ] as const
    ) {
      const restoring = restore(at.run, at.backup, { target: { path, paths: [...paths], overwrite: true } });
      assert.match(await failure(restoring), message);
      await assert.rejects(restoring, isNoDamage);
      assert.deepEqual(await describeTree(at.target), before);
      assert.throws(() => Deno.lstatSync(`${at.run.root}/new`), Deno.errors.NotFound);
      assertNothingLeft(at);
    }
    const paths = ["dev/null", "dev/deleted", "dev/one"];
    await restore(at.run, at.backup, { target: { path: at.target, paths } });
    assert.deepEqual(names(`${at.target}/dev`), ["deleted", "null", "one"]);
    for (const path of [null, `${at.tree}/`]) {
      await Deno.remove(at.tree, { recursive: true });
      await restore(at.run, at.backup, { target: { path } });
      assert.deepEqual(await describeTree(at.tree), original);
    }
  },
});

Deno.test("a target without free space is left unchanged", async () => {
  await using at = await backedUp("head -c 3000000 /dev/urandom > large");
  await using _room = await mountTmpfs(at.target, 2 ** 20);
  await Deno.writeTextFile(`${at.target}/mine`, "mine");
  const restoring = restore(at.run, at.backup, { target: { path: at.target } });
  const message = await failure(restoring);
  await assert.rejects(restoring, isNoDamage);
  assert.match(message, /there is no room for it in .*target/);
  assert.deepEqual(names(at.target), ["mine"]);
});

Deno.test("a full disk of the agent is distinguished from a full target", asRoot, async () => {
  await using at = await backedUp('for n in $(seq 3000); do : > "a-file-with-some-name-$n"; done');
  await shell('mkdir "$1"; echo mine > "$1/mine"', at.target);
  await using _work = await mountTmpfs(at.run.ports.workDirectory, 64 * 1024);
  const job = restoreJob(at.run.directory, at.backup, { target: { path: at.target } });
  const destination = new LocalDestination(
    { type: "local", directory: at.run.directory },
    at.run.ports.signal,
  );
  const message = await failure(runRestore(job, destination, at.run.ports));
  assert.match(
    message,
    /the agent's state directory has no room for its lists of names \(.*\/work\)\. Free some\.$/,
  );
  assert.deepEqual(names(at.target), ["mine"]);
});

Deno.test("a cancelled restore leaves nothing", async () => {
  await using at = await backedUp("head -c 30000000 /dev/urandom > large");
  at.run.onLine = (line) => {
    if (line.startsWith("Restoring into")) queueMicrotask(() => at.run.cancel());
  };
  await assert.rejects(restore(at.run, at.backup, { target: { path: at.target } }), {
    name: "RunAbortedError",
  });
  assertNothingLeft(at);
});

Deno.test("a cancel while files are published leaves no partial result", async () => {
  await using at = await backedUp("echo one > one; echo two > two");
  await shell('mkdir "$1"; echo mine > "$1/one"; echo mine > "$1/mine"', at.target);
  at.run.onLine = (line) => {
    if (line.startsWith("Everything is unpacked")) at.run.cancel();
  };
  await restore(at.run, at.backup, { target: { path: at.target, overwrite: true } });
  assert.deepEqual(names(at.target), ["mine", "one", "two"]);
  assert.equal(await Deno.readTextFile(`${at.target}/one`), "one\n");
});

for (const paths of [[], ["a", "new/deep", "sub"]]) {
  const what = paths.length === 0 ? "everything" : "chosen paths";
  Deno.test(`the target is unchanged if not all files can be published: ${what}`, async () => {
    await using at = await backedUp(
      "mkdir -p a new/deep sub b; echo one > a/one; echo new > a/new; ln -s one a/link; mkdir a/dir a/was; echo 1 > a/was/1; " +
        "echo deep > new/deep/file; mkfifo new/deep/fifo; echo in > sub/in; chmod 750 a; setfattr -n user.x -v 1 a; setfacl -m u:1:rx,d:u:1:rx a",
    );
    await shell(
      'mkdir "$1"; cd "$1"; mkdir -p a b sub; echo mine > a/one; echo mine > a/mine; ln -s /nowhere a/was; chmod 700 a; ' +
        "touch -d 2001-01-01 a/one a/mine; touch -h -d 2001-01-02 a/was; touch -d '2001-01-03 00:00:00.123456789' a b; touch -d 2001-01-04 .",
      at.target,
    );
    const before = await describeTree(at.target);
    const inodes = () => shell('find "$1" -printf "%i %p\\n" | sort', at.target);
    const inodesBefore = await inodes();
    // Make a directory immutable once everything is unpacked.
    at.run.onLine = (line) => {
      if (line.startsWith("Everything is unpacked")) setImmutable(`${at.target}/sub`, true);
    };
    const restoring = restore(at.run, at.backup, { target: { path: at.target, paths, overwrite: true } });
    await Promise.allSettled([restoring]);
    setImmutable(`${at.target}/sub`, false);
    assert.match(await failure(restoring), /Operation not permitted$/);
    await assert.rejects(restoring, isNoDamage);
    assert.deepEqual(await describeTree(at.target), before);
    assert.equal(await inodes(), inodesBefore);
    assertNothingLeft(at);
    // If the directory is immutable from the start, the run fails before anything is read.
    at.run.onLine = (line) => assert.doesNotMatch(line, /is unpacked/);
    setImmutable(`${at.target}/sub`, true);
    const refused = await restore(at.run, at.backup, { target: { path: at.target, paths, overwrite: true } })
      .then(() => "", (error: Error) => error.message);
    setImmutable(`${at.target}/sub`, false);
    assert.match(refused, /the agent can't write in .*\/target\/sub\. Give it the right/);
    assert.deepEqual(await describeTree(at.target), before);
    assertNothingLeft(at);
  });
}

function setImmutable(path: string, isImmutable: boolean): void {
  const { success } = new Deno.Command("chattr", { args: [isImmutable ? "+i" : "-i", path] }).outputSync();
  assert.ok(success, `chattr failed on ${path}`);
}

Deno.test("a failed restore into an empty file system keeps files that others created meanwhile, and nothing else", async () => {
  await using at = await backedUp("mkdir a b; echo one > a/one; echo two > b/two; chmod 750 .");
  await using _target = await mountTmpfs(at.target, 2 ** 20);
  await Deno.chmod(at.target, 0o705);
  const before = await describeTree(at.target);
  // Another program creates a file while the restore runs.
  at.run.onLine = (line) => {
    if (line.startsWith("Everything is unpacked")) Deno.writeTextFileSync(`${at.target}/b`, "mine");
  };
  assert.match(
    await failure(restore(at.run, at.backup, { target: { path: at.target } })),
    /overwrite|directory/i,
  );
  assert.equal(await Deno.readTextFile(`${at.target}/b`), "mine");
  await Deno.remove(`${at.target}/b`);
  await Deno.utime(at.target, 0, 0);
  const shown = (lines: string[]) => lines.map((line) => line.replace(/(0:0) \S+/, "$1"));
  assert.deepEqual(shown(await describeTree(at.target)), shown(before));
});

Deno.test("selected paths are not restored below a symlink in the target", async () => {
  await using at = await backedUp("mkdir -p a/b; echo one > a/b/one");
  await shell('mkdir -p "$1" "$2"; ln -s "$2" "$1/a"', at.target, `${at.run.root}/elsewhere`);
  for (const overwrite of [false, true]) {
    const target = { path: at.target, paths: ["a/b"], overwrite };
    assert.match(await failure(restore(at.run, at.backup, { target })), /target\/a is /);
    assert.deepEqual(names(`${at.run.root}/elsewhere`), []);
  }
});
