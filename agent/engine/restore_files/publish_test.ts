/**
 * Tests of restores into directories that span several file systems, or whose file system lacks a common
 * feature.
 */
import assert from "node:assert/strict";
import {
  assertNothingLeft,
  backedUp,
  failure,
  type Fixture,
  names,
} from "../../../tests/support/fixtures/backed_up.ts";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import {
  missingBtrfs,
  mountBindfs,
  mountBtrfs,
  mountExfat,
  mountTmpfs,
} from "../../../tests/support/fixtures/tmpfs.ts";
import { describeTree } from "../../../tests/support/fixtures/tree.ts";

const asRoot = { ignore: Deno.uid() !== 0 };
const GROW =
  "mkdir -p a/b/c new/deep sub/in/side; echo one > a/one; echo two > a/b/two; ln a/b/two a/b/c/hard; " +
  "echo in > sub/in/file; ln sub/in/file sub/in/side/hard; ln -s nowhere sub/link; mkfifo sub/fifo; echo deep > new/deep/x; " +
  "chown 12:34 sub/in/file; chmod 640 sub/in/file; setfattr -n user.x -v 1 sub/in; setfacl -m u:1:rx sub/in; chmod 2750 sub; " +
  "touch -d 2001-01-01 sub/in/side; touch -d 2002-02-02 sub/in; touch -d 2003-03-03 sub; touch -d 2004-04-04 a; touch -d 2005-05-05 .";

/** Functions that mount something at `path`, a directory below the restore directory. */
const ELSEWHERE: Record<string, (path: string) => Promise<AsyncDisposable>> = {
  "another file system": (path) => mountTmpfs(path, 2 ** 22),
  "a directory of the same file system": async (path) => {
    const other = await Deno.makeTempDir({ prefix: "rearguard-other-" });
    await shell('mkdir -p "$2"; mount --bind "$1" "$2"', other, path);
    return {
      async [Symbol.asyncDispose]() {
        await shell('umount "$1"', path);
        await Deno.remove(other, { recursive: true });
      },
    };
  },
};

for (const [what, mount] of Object.entries(ELSEWHERE)) {
  for (const paths of [[], ["a", "new/deep", "sub/in", "sub/link"]]) {
    const chosen = paths.length === 0 ? "everything" : "chosen paths";
    Deno.test(`${what} mounted below the target receives its files: ${chosen}`, asRoot, async () => {
      await using at = await backedUp(GROW);
      await using _mount = await mount(`${at.target}/sub`);
      await shell(
        'cd "$1"; mkdir -p a/b sub/in; echo mine > a/one; echo mine > sub/in/file; echo mine > sub/mine',
        at.target,
      );
      const target = { path: at.target, paths };
      assert.match(
        await failure(restore(at.run, at.backup, { target })),
        /are? (?:there already|more are there)|already/,
      );
      await restore(at.run, at.backup, { target: { ...target, overwrite: true } });
      assert.equal(await Deno.readTextFile(`${at.target}/sub/mine`), "mine\n");
      await Deno.remove(`${at.target}/sub/mine`);
      for (const part of ["a", "new/deep", "sub/in"]) {
        assert.deepEqual(
          await describeTree(`${at.target}/${part}`),
          await describeTree(`${at.tree}/${part}`),
          part,
        );
      }
      assert.equal(await Deno.readLink(`${at.target}/sub/link`), "nowhere");
      assert.deepEqual(
        names(`${at.target}/sub`),
        paths.length === 0 ? ["fifo", "in", "link"] : ["in", "link"],
      );
      assertNothingLeft(at);
      assert.deepEqual(at.run.warnings, []);
    });
  }

  Deno.test(`a failed restore leaves ${what} mounted below the target as it was`, asRoot, async () => {
    await using at = await backedUp(GROW);
    await using _mount = await mount(`${at.target}/sub`);
    await shell(
      'cd "$1"; mkdir -p a/b sub/in; echo mine > a/one; echo mine > sub/in/file; touch -d 2001-01-01 sub/in sub',
      at.target,
    );
    const before = await describeTree(at.target);
    // While the restore runs, another program creates the directory `sub/link`. In the backup, `sub/link` is
    // a symbolic link.
    at.run.onLine = (line) => {
      if (line.startsWith("Everything is unpacked")) {
        Deno.mkdirSync(`${at.target}/sub/link/x`, { recursive: true });
      }
    };
    await failure(restore(at.run, at.backup, { target: { path: at.target, overwrite: true } }));
    await Deno.remove(`${at.target}/sub/link`, { recursive: true });
    const shown = (lines: string[]) => lines.map((line) => line.replace(/^("\.\/sub" .*:\S+) \S+/, "$1"));
    assert.deepEqual(shown(await describeTree(at.target)), shown(before));
    assertNothingLeft(at);
  });
}

Deno.test(
  "a full mount below the target fails the restore before anything is published",
  asRoot,
  async () => {
    await using at = await backedUp("mkdir sub; head -c 3000000 /dev/urandom > sub/large; echo one > one");
    await using _mount = await mountTmpfs(`${at.target}/sub`, 2 ** 20);
    const before = await describeTree(at.target);
    const message = await failure(restore(at.run, at.backup, { target: { path: at.target } }));
    assert.match(message, /there is no room for it in .*\/target\/sub/);
    assert.deepEqual(
      (await describeTree(at.target)).map((line) => line.replace(/(0:0) \S+/, "$1")),
      before.map((line) => line.replace(/(0:0) \S+/, "$1")),
    );
    assertNothingLeft(at);
  },
);

Deno.test("subvolumes below the target, and one that is the target, receive their files", {
  ignore: missingBtrfs() !== null,
}, async () => {
  await using at = await backedUp(GROW);
  await using _disk = await mountBtrfs(`${at.run.root}/disk`);
  const target = `${at.run.root}/disk/target`;
  // Leave out hard links from the comparison. `describeTree` finds them by inode number, and inode numbers
  // are unique only within a subvolume.
  const described = async (path: string) =>
    (await describeTree(path)).map((line) => line.replace(/ = .*/, ""));
  await shell('btrfs -q subvolume create "$1"', target);
  await restore(at.run, at.backup, { target: { path: target } });
  assert.deepEqual(await described(target), await described(at.tree));
  await shell(
    'cd "$1"; rm -r sub a; mkdir a; btrfs -q subvolume create sub; btrfs -q subvolume create a/b',
    target,
  );
  await restore(at.run, at.backup, { target: { path: target, overwrite: true } });
  assert.deepEqual(await described(target), await described(at.tree));
  // Assert that the directories are still subvolumes.
  await shell('btrfs subvolume show "$1/sub"; btrfs subvolume show "$1/a/b"', target);
});

/**
 * Returns the names in a directory, and the files' contents and times. Leaves out owners and modes, because
 * some file systems do not keep them.
 */
async function contents(directory: string): Promise<string> {
  return await shell(
    'cd "$1"; find . -type d | LC_ALL=C sort; find . -type f | LC_ALL=C sort | xargs sha256sum; find . -type f -printf "%P %Ts\\n" | sort',
    directory,
  );
}

const PLAIN =
  "mkdir -p a/b c; echo one > a/one; echo two > a/b/two; ln a/b/two c/hard; echo x > x; touch -d 2020-02-02 a/one x a/b c a/b/two";

Deno.test(
  "a file system without hard links can be restored to: empty, in use, and with overwrite",
  asRoot,
  async () => {
    await using at = await backedUp(PLAIN);
    await using _disk = await mountExfat(at.target);
    const original = await contents(at.tree);
    for (const path of [at.target, `${at.target}/new`]) {
      await restore(at.run, at.backup, { target: { path } });
      assert.equal(await contents(path), original);
      await shell('cd "$1"; rm -r c; echo mine > a/one; echo mine > a/mine', path);
      assert.match(await failure(restore(at.run, at.backup, { target: { path } })), /already/);
      await restore(at.run, at.backup, { target: { path, overwrite: true } });
      await Deno.remove(`${path}/a/mine`);
      assert.equal(await contents(path), original);
      assertNothingLeft(at);
      await shell('rm -r "$1"/*', path);
    }
    assert.ok(at.run.warnings.some((line) => /^A copy, not a hard link to (a\/b\/two|c\/hard): /.test(line)));
  },
);

Deno.test("a failed restore leaves a file system without hard links as it was", asRoot, async () => {
  await using at = await backedUp(PLAIN);
  await using _disk = await mountExfat(at.target);
  await shell(
    'cd "$1"; mkdir -p a/b; echo mine > a/one; echo mine > a/mine; touch -d 2001-01-01 a/one',
    at.target,
  );
  const before = await contents(at.target);
  for (const paths of [[], ["a", "c"]]) {
    at.run.onLine = (line) => {
      if (line.startsWith("Everything is unpacked")) Deno.mkdirSync(`${at.target}/c/x`, { recursive: true });
    };
    const restoring = restore(at.run, at.backup, { target: { path: at.target, paths, overwrite: true } });
    assert.match(await failure(restoring), /Directory not empty$/);
    await Deno.remove(`${at.target}/c`, { recursive: true });
    assert.equal(await contents(at.target), before);
    assertNothingLeft(at);
  }
});

Deno.test(
  "members that the file system cannot hold are named, and all others are restored",
  asRoot,
  async () => {
    await using at = await backedUp(
      `${PLAIN}; ln -s x link; mkfifo fifo; echo q > 'what?'; echo A > X; mkdir 'd:'; echo in > 'd:/in'`,
    );
    await using _disk = await mountExfat(at.target);
    const { files_count } = await restore(at.run, at.backup, { target: { path: at.target } });
    const not = at.run.warnings.filter((line) => line.startsWith("Not restored: ")).map((line) =>
      line.split(": ")[1]
    );
    // The names x and X differ only in case, so only the first of them is restored. The file system decides
    // which one is first.
    assert.deepEqual(
      not.filter((name) => !/^x$/i.test(name!)).sort(),
      ["d:", "d:/in", "fifo", "link", "what?"].map((name) => name.split(": ")[0]).sort(),
    );
    assert.equal(not.length, 6);
    assert.equal(files_count, at.backup.files_count! - 6);
    assert.equal(await Deno.readTextFile(`${at.target}/a/one`), "one\n");
    assertNothingLeft(at);
  },
);

Deno.test("a restore fails if the file system can hold none of its members", asRoot, async () => {
  await using at = await backedUp(`${PLAIN}; ln -s x link`);
  await using _disk = await mountExfat(at.target);
  const restoring = restore(at.run, at.backup, { target: { path: at.target, paths: ["link"] } });
  assert.match(await failure(restoring), /nothing of it can be restored here/);
  assertNothingLeft(at);
});

Deno.test(
  "owners and modes that may not be set give a limited number of warnings, and the restore succeeds",
  asRoot,
  async () => {
    await using at = await backedUp(`${PLAIN}; for n in $(seq 50); do echo $n > $n; done; chown -R 12:34 .`);
    await Deno.mkdir(`${at.run.root}/behind`);
    await using _mount = await mountBindfs(`${at.run.root}/behind`, at.target, [
      "--chown-deny",
      "--chmod-deny",
    ]);
    for (const overwrite of [false, true]) {
      await restore(at.run, at.backup, { target: { path: at.target, overwrite } });
      assert.equal(await contents(at.target), await contents(at.tree));
    }
    const owners = at.run.warnings.filter((line) => /Cannot change ownership/.test(line));
    assert.equal(owners.length, 2 * 20);
    assert.match(at.run.warnings.join("\n"), /^owner not set: \d+ more like this$/m);
    assertNothingLeft(at);
  },
);

Deno.test("a full disk is reported as the reason, whatever tar printed before", asRoot, async () => {
  await using at = await backedUp("head -c 3000000 /dev/urandom > large; touch -d 2040-01-01 future .");
  await using _room = await mountTmpfs(at.target, 2 ** 20);
  // Without an index, the restore can't know the size before it unpacks.
  const backup = { ...at.backup, objects: at.backup.objects.filter(({ role }) => role !== "index") };
  const message = await failure(restore(at.run, backup, { target: { path: at.target } }));
  assert.match(message, /there is no room for it in [^:]*$/);
});

Deno.test("restored directories have the backup's times, and others keep their own", async () => {
  await using at = await backedUp(GROW);
  await shell('mkdir -p "$1/a/b" "$1/sub"; cd "$1"; echo mine > mine; touch -d 2011-01-01 .', at.target);
  await restore(at.run, at.backup, { target: { path: at.target, overwrite: true } });
  const times = (path: string) => shell('cd "$1"; find . -type d -printf "%T@ %P\\n" | sort -k2', path);
  assert.equal(await times(at.target), await times(at.tree));
  await shell('touch -d 2011-01-01 "$1"', at.target);
  await restore(at.run, at.backup, { target: { path: at.target, paths: ["a/b/two"], overwrite: true } });
  assert.equal((await Deno.stat(at.target)).mtime!.getUTCFullYear(), 2011);
});

/** Restores with an agent that runs as `nobody`. Returns the outcome and the warnings. */
async function restoreAsNobody(
  at: Fixture,
  target: unknown,
): Promise<{ outcome: string; warnings: string[] }> {
  const module = new URL("../../../tests/support/fixtures/restore_as.ts", import.meta.url).pathname;
  const { root } = at.run;
  await Deno.writeTextFile(`${root}/backup.json`, JSON.stringify(at.backup));
  await Deno.copyFile(Deno.execPath(), `${root}/deno`);
  await shell(
    'cd "$(dirname "$2")"; "$1/deno" bundle --quiet --output="$1/restore.js" "$2"; cd "$1"; chmod 755 . deno; chmod -R a+rX destination restore.js backup.json; ' +
      "rm -rf work; mkdir work; chown nobody work",
    root,
    module,
  );
  const { stdout, stderr } = await new Deno.Command("setpriv", {
    args: [
      ...[
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        `${root}/deno`,
        "run",
        "-A",
        `${root}/restore.js`,
      ],
      ...[
        root,
        `${root}/work`,
        JSON.stringify({ type: "files", path: null, paths: [], overwrite: false, ...target as object }),
      ],
    ],
    cwd: root,
    env: { HOME: `${root}/work`, DENO_DIR: `${root}/work/deno` },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

Deno.test(
  "an agent that is not root restores unwritable directories and files of other owners",
  asRoot,
  async () => {
    await using at = await backedUp(
      "mkdir -p a/b closed/in; echo one > a/b/one; echo two > closed/in/two; chmod 555 a/b a closed/in; chmod 500 closed; chown 12:34 a/b/one; chmod 555 .",
    );
    const shown = (path: string) => shell('cd "$1"; find . -printf "%P %y %m %s\\n" | sort', path);
    const original = await shown(at.tree);
    // Restore into an empty directory, a missing directory, and a directory in use.
    await shell(
      'mkdir "$1" "$1/mine" "$1/used"; echo mine > "$1/used/mine"; chown -R nobody "$1/mine" "$1/used"',
      at.target,
    );
    for (const path of [`${at.target}/mine`, `${at.target}/mine/not/there`, `${at.target}/used`]) {
      if (path.endsWith("there")) await shell('chmod 755 "$1"', `${at.target}/mine`);
      const { outcome, warnings } = await restoreAsNobody(at, { path, overwrite: true });
      assert.equal(outcome, "restored", path);
      if (path.endsWith("used")) {
        await Deno.remove(`${path}/mine`);
      } else {
        await shell('chmod -R u+w "$1"', path);
        assert.equal((await restoreAsNobody(at, { path, overwrite: true })).outcome, "restored", path);
      }
      assert.equal(await shown(path), original, path);
      assert.match(
        warnings.join("\n"),
        /^The agent is not root: \d+ of the backup's files belonged to others/m,
      );
    }
    const refused = await restoreAsNobody(at, { path: `${at.target}/closed/x`, overwrite: true });
    assert.match(refused.outcome, /the agent can't write in .*\/target\. Give it the right/);
  },
);

/**
 * Shell commands that create deep trees. The paths are longer than 4,096 bytes, and the deepest directories
 * contain a file.
 */
const DEEP =
  `perl -e 'for (1..17) { mkdir "d" x 250; chdir "d" x 250; open F, ">f" } open F, ">file"; print F "deep"'; ` +
  `perl -e 'for (1..60) { mkdir "\\xe9" x 250; chdir "\\xe9" x 250 } open F, ">file"'; ` +
  `mkdir a; echo one > a/one; echo two > two`;

Deno.test("the backup warns of paths that are too long, and a restore leaves only these out", async () => {
  await using at = await backedUp(DEEP);
  const reported = at.run.warnings.filter((line) => line.startsWith("Too long to be restored: "));
  assert.match(reported[0]!, /a path of \d+ bytes, where Linux opens 4093 at most/);
  // `DEEP` nests 17 directories in one tree and 60 in another. In each tree, only the first 16 directories
  // have a path that is short enough. The agent reports the remaining 1 and 44 directories, and three files.
  const long = 1 + 44 + 3;
  assert.equal(reported.length, 21);
  assert.match(reported.at(-1)!, new RegExp(`: ${long - 20} more paths$`));
  for (const state of ["missing", "in use"]) {
    at.run.warnings.length = 0;
    const { files_count } = await restore(at.run, at.backup, {
      target: { path: at.target, overwrite: true },
    });
    assert.equal(await Deno.readTextFile(`${at.target}/two`), "two\n", state);
    assert.ok(at.run.warnings.length > 0 && at.run.warnings.length < 30);
    assert.ok(files_count! > 0 && files_count! <= at.backup.files_count! - long, String(files_count));
  }
  // A long path of the restore directory must not reduce what is restored.
  const far = `${at.run.root}/${Array(8).fill("f".repeat(200)).join("/")}`;
  for (let times = 0; times < 2; times++) {
    await restore(at.run, at.backup, { target: { path: far, overwrite: true } });
    assert.equal(names(far).length, 4);
    const deepest = ["-mindepth", "16", "-maxdepth", "16", "-type", "d"];
    const found = () => shell('find "$@" | wc -l', far, ...deepest);
    assert.equal((await found()).trim(), "2");
    await shell('find "$@" -execdir rm -r {} +', far, ...deepest);
  }
  const name = "d".repeat(250);
  await restore(at.run, at.backup, { target: { path: `${at.run.root}/chosen`, paths: [name, "a"] } });
  assert.deepEqual(names(`${at.run.root}/chosen`), ["a", name]);
  await restore(at.run, at.backup, {
    target: { path: `${at.run.root}/chosen`, paths: [name, "two"], overwrite: true },
  });
  assert.deepEqual(names(`${at.run.root}/chosen`), ["a", name, "two"]);
  assertNothingLeft(at);
});
