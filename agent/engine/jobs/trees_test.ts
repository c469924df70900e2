/** Tests with directories that other backup programs are known to store or restore incorrectly. */
import assert from "node:assert/strict";
import { assertNothingLeft, backedUp, names } from "../../../tests/support/fixtures/backed_up.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { missingBtrfs, mountBindfs, mountBtrfs, mountTmpfs } from "../../../tests/support/fixtures/tmpfs.ts";
import { describeTree } from "../../../tests/support/fixtures/tree.ts";

const asRoot = { ignore: Deno.uid() !== 0 };

Deno.test("hard links and symbolic links are restored over existing ones", async () => {
  await using at = await backedUp(
    "mkdir a; echo x > a/one; ln a/one a/two; ln a/one three; ln -s a/one link; ln link linked",
  );
  const original = await describeTree(at.tree);
  const target = { path: at.target, overwrite: true };
  for (let times = 0; times < 3; times++) {
    await restore(at.run, at.backup, { target });
    assert.deepEqual(await describeTree(at.target), original);
  }
  await restore(at.run, at.backup, { target: { ...target, paths: ["a/two", "link"] } });
  await restore(at.run, at.backup, { target: { ...target, paths: ["three"] } });
  assert.equal(await Deno.readTextFile(`${at.target}/three`), "x\n");
  assertNothingLeft(at);
});

Deno.test("names with pattern characters are selected literally", async () => {
  const odd = [
    "[.txt",
    "[].txt",
    "[abc].txt",
    "a.txt",
    "*.txt",
    "?.txt",
    "bla\\blup",
    "bla\\344",
    "{a,b}",
    "$HOME",
    "!x",
    "-x",
    "~",
    " ",
  ];
  await using at = await backedUp((tree) =>
    Promise.all(odd.flatMap((name) => [
      Deno.mkdir(`${tree}/d${name}`).then(() => Deno.writeTextFile(`${tree}/d${name}/in`, name)),
      Deno.writeTextFile(`${tree}/${name}`, name),
    ]))
  );
  for (const [index, name] of odd.entries()) {
    const path = `${at.target}-${index}`;
    await restore(at.run, at.backup, { target: { path, paths: [name, `d${name}`] } });
    assert.deepEqual(names(path), [name, `d${name}`].sort());
    assert.equal(await Deno.readTextFile(`${path}/${name}`), name);
    assert.deepEqual(names(`${path}/d${name}`), ["in"]);
  }
});

Deno.test("a pattern for everything in a directory keeps the directory itself", async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell('mkdir -p "$1/proc/1" "$1/kept"; cd "$1"; touch proc/1/x proc/y proc/.hidden kept/z', tree);
  const source = {
    type: "files" as const,
    path: tree,
    excluded_paths: [`${tree}/proc/*`],
    allow_unreadable: false,
  };
  const backup = await run.run(source);
  await restore(run, backup, { target: { path: `${run.root}/target` } });
  assert.deepEqual(names(`${run.root}/target`), ["kept", "proc"]);
  assert.deepEqual(names(`${run.root}/target/proc`), []);
  assert.deepEqual(run.warnings, []);
});

Deno.test("an exclusion that other programs take for the source's root causes a warning", async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell('mkdir -p "$1/cache2"; touch "$1/cache2/x"', tree);
  const excluded_paths = ["/cache2", "/cache2/"];
  await run.run({ type: "files", path: tree, excluded_paths, allow_unreadable: false });
  assert.deepEqual(run.warnings, [
    `Excluded path /cache2 is not in ${tree}: nothing is left out for it`,
    `Excluded path /cache2/ is not in ${tree}: nothing is left out for it`,
  ]);
});

Deno.test("a source with trailing slashes stays on its file system", asRoot, async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await using _mount = await mountTmpfs(`${tree}/mnt`, 2 ** 20);
  await Deno.writeTextFile(`${tree}/mnt/other`, "x");
  const source = { type: "files" as const, path: `${tree}//`, excluded_paths: [], allow_unreadable: false };
  const backup = await run.run(source);
  assert.equal(backup.files_count, 1);
  assert.match(run.warnings.join("\n"), /^Left out: .*\/tree\/mnt, another file system/);
});

Deno.test("a link keeps its own owner, mode and time on every file system", asRoot, async () => {
  for (const behind of [false, true]) {
    await using at = await backedUp((tree) =>
      shell(
        'cd "$1"; echo x > ../elsewhere; chmod 600 ../elsewhere; touch -d 2001-01-01 ../elsewhere; ln -s "$PWD/../elsewhere" link; ' +
          "ln link hard; chown -h 12:34 link; touch -h -d 2002-02-02 link",
        tree,
      )
    );
    await Deno.mkdir(`${at.run.root}/behind`);
    await using _mount = behind
      ? await mountBindfs(`${at.run.root}/behind`, at.target, [])
      : { [Symbol.asyncDispose]: () => Promise.resolve() };
    await restore(at.run, at.backup, { target: { path: at.target } });
    const shown = await shell(
      'cd "$1"; stat -c "%a %u %Y" ../elsewhere; stat -c "%u:%g %Y" link hard',
      at.target,
    );
    assert.equal(shown, "600 0 978307200\n12:34 1012608000\n12:34 1012608000\n");
  }
});

Deno.test("subvolumes that were created for a restore are not replaced by directories", {
  ignore: missingBtrfs() !== null,
}, async () => {
  await using at = await backedUp("mkdir -p home/ada var; echo x > home/ada/x; echo y > var/y");
  await using _disk = await mountBtrfs(`${at.run.root}/disk`);
  const target = `${at.run.root}/disk/target`;
  await shell(
    'btrfs -q subvolume create "$1"; for n in home home/ada var; do btrfs -q subvolume create "$1/$n"; done',
    target,
  );
  await restore(at.run, at.backup, { target: { path: target } });
  await shell('for n in . home home/ada var; do btrfs subvolume show "$1/$n"; done', target);
  assert.equal(await Deno.readTextFile(`${target}/home/ada/x`), "x\n");
  assert.deepEqual(names(`${target}/home`), ["ada"]);
});
