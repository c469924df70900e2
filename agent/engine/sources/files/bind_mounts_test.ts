/** Tests sources in which a file or directory has a second path because of a bind mount. */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";

const asRoot = { ignore: Deno.uid() !== 0 };

interface Tree extends AsyncDisposable {
  run: BackupRun;
  tree: string;
  /** Backs up the directory. Resolves with the names of the stored files. */
  backUp(excluded: string[], stamp?: string): Promise<string[]>;
}

async function bound(grow: string, mounts: [from: string, to: string][]): Promise<Tree> {
  const run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell(`mkdir "$1/tree"; cd "$1"; ${grow}`, run.root);
  for (const [from, to] of mounts) await shell('cd "$1"; mount --bind "$2" "$3"', run.root, from, to);
  return {
    run,
    tree,
    async backUp(excluded_paths, stamp = "20260102030405") {
      const source = { type: "files" as const, path: tree, excluded_paths, allow_unreadable: false };
      await run.run(source, { object: { prefix: "backup_7", stamp } });
      const archive = `${run.directory}/backup_7_${stamp}.tar.zst`;
      const listed = await shell('zstd -dc "$1" | tar -t --record-size=64K', archive);
      return listed.trimEnd().split("\n").filter((name) => !name.endsWith("/")).sort();
    },
    async [Symbol.asyncDispose]() {
      for (const [, to] of mounts.toReversed()) await shell('umount "$1"', `${run.root}/${to}`);
      await run[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a destination that is a bind mount of a directory in the source is left out", asRoot, async () => {
  const grow = "mkdir -p destination tree/a/backups; touch tree/kept tree/a/kept";
  await using at = await bound(grow, [["tree/a/backups", "destination"]]);
  for (const stamp of ["20260102030405", "20260102030406"]) {
    assert.deepEqual(await at.backUp([], stamp), ["./a/kept", "./kept"]);
  }
  assert.ok(at.run.lines.includes(`Left out: ${at.tree}/a/backups, which this run writes to`));
});

Deno.test("a destination whose directory is bound into the source is left out there", asRoot, async () => {
  const grow = "mkdir -p destination/old tree/a; touch tree/kept destination/old/x";
  await using at = await bound(grow, [["destination", "tree/a"]]);
  assert.deepEqual(await at.backUp([]), ["./kept"]);
});

Deno.test("an exclusion by a bind mount's path is found in the source", asRoot, async () => {
  const grow = "mkdir -p alias tree/cache/deep tree/keep; touch tree/cache/x tree/cache/deep/y tree/keep/z";
  await using at = await bound(grow, [["tree", "alias"]]);
  for (const [n, excluded] of ["alias/cache", "alias/cache/", "al*/cac*", "alias/**/cache"].entries()) {
    const stored = await at.backUp([`${at.run.root}/${excluded}`], `2026010203040${n}`);
    assert.deepEqual(stored, ["./keep/z"], excluded);
  }
  assert.deepEqual(at.run.warnings, []);
  await assert.rejects(at.backUp([`${at.run.root}/alias`]), /it is the source itself/);
});

Deno.test(
  "a directory bound to two paths in the source is left out under the excluded path only",
  asRoot,
  async () => {
    const grow = "mkdir -p tree/a tree/b; touch tree/a/x tree/kept";
    await using at = await bound(grow, [["tree/a", "tree/b"]]);
    assert.deepEqual(await at.backUp([`${at.tree}/a`]), ["./b/x", "./kept"]);
    assert.deepEqual(await at.backUp([`${at.tree}/b`], "20260102030406"), ["./a/x", "./kept"]);
  },
);
