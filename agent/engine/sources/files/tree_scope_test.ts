/**
 * Tests of sources that contain mounted file systems or subvolumes, and of file systems that report no blocks
 * for their files.
 */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import {
  missingBtrfs,
  mountBindfs,
  mountBtrfs,
  mountTmpfs,
} from "../../../../tests/support/fixtures/tmpfs.ts";
import { describeTree } from "../../../../tests/support/fixtures/tree.ts";

const source = (path: string, excluded_paths: string[] = []) => ({
  type: "files" as const,
  path,
  excluded_paths,
  allow_unreadable: false,
});

async function members(run: BackupRun): Promise<string[]> {
  const listed = await shell(
    'zstd -dc "$1" | tar -t --record-size=64K --quoting-style=literal',
    `${run.directory}/backup_7_20260102030405.tar.zst`,
  );
  return listed.trimEnd().split("\n").sort();
}

const asRoot = { ignore: Deno.uid() !== 0 };
const onBtrfs = { ignore: missingBtrfs() !== null };

Deno.test(
  "another file system below the source is left out, with a warning that names it",
  asRoot,
  async () => {
    for (const name of ["mnt", "with space\\", "grün", "new\nline"]) {
      await using run = await BackupRun.open();
      const tree = `${run.root}/tree`;
      await Deno.mkdir(`${tree}/deep`, { recursive: true });
      await Deno.writeTextFile(`${tree}/kept`, "x");
      await using _mount = await mountTmpfs(`${tree}/deep/${name}`, 2 ** 20);
      await Deno.writeTextFile(`${tree}/deep/${name}/other`, "x");
      await run.run(source(tree));
      const expected = ["./", "./deep/", ...`./deep/${name}/`.split("\n"), "./kept"];
      assert.deepEqual(await members(run), expected.sort());
      assert.deepEqual(run.warnings, [
        `Left out: ${tree}/deep/${name}, another file system (tmpfs, none). Back it up by a task of its own, ` +
        "or name it in excluded_paths",
      ]);
    }
  },
);

Deno.test(
  "a mount that the task excludes, and one of the same file system, give no warning",
  asRoot,
  async () => {
    await using run = await BackupRun.open();
    const tree = `${run.root}/tree`;
    await shell('mkdir -p "$1/bound" "$1/kept"; echo x > "$1/kept/x"', tree);
    await using _mount = await mountTmpfs(`${tree}/a/mnt`, 2 ** 20);
    await shell('mount --bind "$1/kept" "$1/bound"', tree);
    try {
      await run.run(source(tree, [`${tree}/a/mn*`]));
    } finally {
      await shell('umount "$1/bound"', tree);
    }
    assert.deepEqual(await members(run), ["./", "./a/", "./bound/", "./bound/x", "./kept/", "./kept/x"]);
    assert.deepEqual(run.warnings, []);
  },
);

Deno.test("pseudo file systems of the kernel are left out without a warning", asRoot, async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell('mkdir -p "$1/proc"; echo x > "$1/x"; mount -t proc none "$1/proc"', tree);
  try {
    await run.run(source(tree));
  } finally {
    await shell('umount "$1/proc"', tree);
  }
  assert.deepEqual(await members(run), ["./", "./proc/", "./x"]);
  assert.deepEqual(run.warnings, []);
  assert.match(run.lines.join("\n"), /^Left out: .*\/proc, another file system \(proc, none\)$/m);
});

Deno.test("a mount that the agent may not read does not fail the run", asRoot, async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell('mkdir "$1/tree"; echo x > "$1/tree/x"; chmod 755 "$1"', run.root);
  // A FUSE file system belongs to one user. By default, no other user is allowed to read it, not even root.
  await using _mount = await mountBindfs("/usr/share", `${tree}/mnt`, ["--no-allow-other"]);
  await run.run(source(tree), { run_as: "nobody" });
  assert.deepEqual(await members(run), ["./", "./x"]);
  assert.match(
    run.warnings.join("\n"),
    /^Left out: .*tree\/mnt, another file system \(fuse, .*\), which can't be accessed$/,
  );
});

Deno.test("nested subvolumes are backed up and restored", onBtrfs, async () => {
  await using run = await BackupRun.open();
  await using _btrfs = await mountBtrfs(`${run.root}/disk`);
  const tree = `${run.root}/disk/tree`;
  await shell(
    `cd "$(dirname "$1")"; btrfs -q subvolume create tree; cd tree; echo top > top
    mkdir -p a/b; btrfs -q subvolume create 'a/b/sub [1]*'; cd 'a/b/sub [1]*'; echo in > in; echo tmp > x.tmp
    mkdir deep; btrfs -q subvolume create deep/inner; echo inner > deep/inner/file; ln deep/inner/file deep/inner/hard
    btrfs -q subvolume snapshot -r deep/inner snap; cd ../../..; btrfs -q subvolume create empty
    btrfs -q subvolume create left; echo x > left/x`,
    tree,
  );
  await using _mount = await mountTmpfs(`${tree}/a/mnt`, 2 ** 20);
  await Deno.writeTextFile(`${tree}/a/mnt/other`, "x");
  const backup = await run.run(source(tree, ["sub*/*.tmp", `${tree}/left`, "deep/inner/h*"]));
  const sub = "./a/b/sub [1]*/";
  assert.deepEqual(await members(run), [
    ...["./", "./a/", "./a/b/", sub, `${sub}deep/`, `${sub}deep/inner/`, `${sub}deep/inner/file`, `${sub}in`],
    ...[`${sub}snap/`, `${sub}snap/file`, `${sub}snap/hard`, "./a/mnt/", "./empty/", "./top"],
  ]);
  assert.equal(backup.files_count, 13);
  assert.deepEqual(run.warnings.map((warning) => warning.replace(/ \(tmpfs.*/, "")), [
    `Left out: ${tree}/a/mnt, another file system`,
  ]);
  for (const name of ["a/b/sub [1]*", "a/b/sub [1]*/deep/inner", "a/b/sub [1]*/snap", "empty"]) {
    assert.ok(run.lines.includes(`Subvolume in the backup: ${tree}/${name}`), name);
  }
  assert.ok(!run.lines.some((line) => /Subvolume.*left/.test(line)));
  await restore(run, backup, { target: { path: `${run.root}/target` } });
  assert.equal(await Deno.readTextFile(`${run.root}/target/a/b/sub [1]*/deep/inner/file`), "inner\n");
});

Deno.test(
  "a subvolume that is mounted below the source is a mount: left out, with a warning",
  onBtrfs,
  async () => {
    await using run = await BackupRun.open();
    await using _btrfs = await mountBtrfs(`${run.root}/disk`);
    const tree = `${run.root}/disk/tree`;
    await shell(
      'cd "$1"; btrfs -q subvolume create other; echo x > other/x; mkdir -p tree/mnt; echo y > tree/y; mount --bind other tree/mnt',
      `${run.root}/disk`,
    );
    try {
      await run.run(source(tree));
    } finally {
      await shell('umount "$1/mnt"', tree);
    }
    assert.deepEqual(await members(run), ["./", "./mnt/", "./y"]);
    assert.match(run.warnings.join("\n"), /^Left out: .*tree\/mnt, another file system \(btrfs, /);
  },
);

Deno.test("a backup of a snapshot warns of the subvolumes that it lacks", onBtrfs, async () => {
  await using run = await BackupRun.open();
  await using _btrfs = await mountBtrfs(`${run.root}/disk`);
  await shell(
    'cd "$1"; btrfs -q subvolume create live; echo x > live/x; mkdir live/d live/empty; ' +
      "btrfs -q subvolume create live/d/in; echo y > live/d/in/y; btrfs -q subvolume create live/left; " +
      "btrfs -q subvolume snapshot -r live snap",
    `${run.root}/disk`,
  );
  const snap = `${run.root}/disk/snap`;
  await run.run(source(snap, ["./left"]));
  assert.deepEqual(await members(run), ["./", "./d/", "./d/in/", "./empty/", "./x"]);
  assert.deepEqual(run.warnings, [
    `Not in the snapshot: ${snap}/d/in, a subvolume of which the snapshot holds an empty directory only. ` +
    "Back up a snapshot of its own, or name it in excluded_paths",
  ]);
});

Deno.test("file systems that are mounted during a backup with subvolumes are reported", onBtrfs, async () => {
  await using run = await BackupRun.open();
  await using _btrfs = await mountBtrfs(`${run.root}/disk`);
  const tree = `${run.root}/disk`;
  await shell('cd "$1"; btrfs -q subvolume create sub; mkdir mnt; echo x > sub/x', tree);
  run.onLine = (line) => {
    if (line.startsWith("Writing to")) {
      new Deno.Command("mount", { args: ["-t", "tmpfs", "none", `${tree}/mnt`] }).outputSync();
    }
  };
  try {
    await run.run(source(tree));
  } finally {
    await shell('umount "$1/mnt"', tree);
  }
  assert.match(run.warnings.join("\n"), /disk\/mnt was mounted during the backup/);
});

Deno.test("files of a file system that counts no blocks are stored with their contents", asRoot, async () => {
  await using run = await BackupRun.open();
  // In sysfs, each file has a size of 4096 bytes and no blocks.
  const tree = "/sys/kernel/mm/transparent_hugepage";
  await run.run(source(tree));
  const stored = await shell(
    'zstd -dc "$1" | tar -x --record-size=64K --to-stdout ./enabled | tr -d "\\0"',
    `${run.directory}/backup_7_20260102030405.tar.zst`,
  );
  assert.equal(stored, await Deno.readTextFile(`${tree}/enabled`));
});

Deno.test("a tree on a FUSE file system is stored completely, with holes", asRoot, async () => {
  await using run = await BackupRun.open();
  await shell('mkdir "$1/from"; cd "$1/from"; echo x > x; truncate -s 3M hole; echo y >> hole', run.root);
  await using _mount = await mountBindfs(`${run.root}/from`, `${run.root}/tree`, []);
  const backup = await run.run(source(`${run.root}/tree`));
  await restore(run, backup, { target: { path: `${run.root}/target` } });
  const shown = async (path: string) =>
    (await describeTree(path)).map((line) => line.replace(" with holes", ""));
  assert.deepEqual(await shown(`${run.root}/target`), await shown(`${run.root}/from`));
});
