/** Tests that a preview changes nothing, and that it reports everything that would make the restore fail. */
import assert from "node:assert/strict";
import {
  assertNothingLeft,
  backedUp,
  failure,
  type Fixture,
} from "../../../tests/support/fixtures/backed_up.ts";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restoreJob, type RestoreOptions } from "../../../tests/support/fixtures/restore_job.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { mountTmpfs } from "../../../tests/support/fixtures/tmpfs.ts";
import { describeTree } from "../../../tests/support/fixtures/tree.ts";
import type { Obstacle, RestorePreviewResult } from "../../../src/protocol/restore_preview.ts";
import { previewRestore } from "./preview_restore.ts";

const GROW =
  `mkdir -p etc/app logs; printf 12345 > etc/app/conf; echo x > index; ln -s index link; head -c 1000 /dev/zero > logs/a`;

async function preview(at: Fixture, target: RestoreOptions["target"] = {}): Promise<RestorePreviewResult> {
  const { clock, signal } = at.run.ports;
  const job = restoreJob(at.run.directory, at.backup, { target });
  const workDirectory = await Deno.makeTempDir({ prefix: "rearguard-preview-" });
  try {
    return await previewRestore(
      { kind: "restore.preview", backup: job.backup, signed: [], target: job.target },
      { clock, signal, workDirectory },
    );
  } finally {
    await Deno.remove(workDirectory, { recursive: true });
  }
}

const sentence = ({ path, problem, solution }: Obstacle) =>
  `${path === null ? "" : `${path} `}${problem}. ${solution}`;

Deno.test("a preview names the final paths and counts what would be restored", async () => {
  await using at = await backedUp(GROW);
  const whole = await preview(at, { path: at.target });
  assert.deepEqual(whole.targets, [{
    source: at.tree,
    path: at.target,
    database_name: null,
    state: "missing",
  }]);
  assert.deepEqual(whole.requested, {
    files_count: 4,
    directories_count: 3,
    bytes: 1007,
    databases_count: null,
    rows_count: null,
  });
  assert.deepEqual([whole.obstacles, whole.obstacles_count, whole.warnings], [[], 0, []]);
  assert.ok(whole.free_bytes! > 0);
  const some = await preview(at, { path: at.target, paths: ["etc", "index"] });
  assert.deepEqual(some.targets.map(({ source, path, state }) => [source, path, state]), [
    ["etc", `${at.target}/etc`, "missing"],
    ["index", `${at.target}/index`, "missing"],
  ]);
  const { files_count, directories_count, bytes } = some.requested;
  assert.deepEqual([files_count, directories_count, bytes], [2, 2, 7]);
  const home = await preview(at);
  assert.deepEqual(home.targets[0], {
    source: at.tree,
    path: at.tree,
    database_name: null,
    state: "occupied",
  });
  assertNothingLeft(at);
});

Deno.test("a restore writes what its preview counts, and reports both", async () => {
  const links = "ln logs/a logs/same; ln logs/a other; mkfifo fifo; truncate -s 5M sparse";
  await using at = await backedUp(`${GROW}; ${links}`);
  const selections = [[], ["etc", "index"], ["logs"], ["other"], ["fifo", "link"]];
  for (const [index, paths] of selections.entries()) {
    const target = { path: `${at.target}${index}`, paths };
    const { requested } = await preview(at, target);
    const { report } = await restore(at.run, at.backup, { target });
    assert.deepEqual(report!.requested, requested);
    assert.deepEqual(report!.written, requested, JSON.stringify(paths));
    assert.deepEqual([report!.skipped_count, report!.targets, report!.targets_count], [
      0,
      paths.length === 0 ? [target.path] : paths.map((path) => `${target.path}/${path}`),
      Math.max(paths.length, 1),
    ]);
  }
  const output = at.run.lines.join("\n");
  assert.match(
    output,
    /Asked for: 8 files, 3 directories, 5\.2 MB\. Written: 8 files, 3 directories, 5\.2 MB/,
  );
});

/** Shell scripts that prepare a target, and the options of the restore into it. */
const BLOCKED: Record<string, { prepare: string; target: (at: Fixture) => RestoreOptions["target"] }> = {
  "existing files": {
    prepare: 'mkdir -p "$1/etc/app"; echo mine > "$1/etc/app/conf"; echo mine > "$1/index"',
    target: ({ target }) => ({ path: target }),
  },
  "a directory where a file comes": {
    prepare: 'mkdir -p "$1/index/mine"',
    target: ({ target }) => ({ path: target, overwrite: true }),
  },
  "a symbolic link above a chosen path": {
    prepare: 'mkdir -p "$1" "$1.elsewhere"; ln -s "$1.elsewhere" "$1/etc"',
    target: ({ target }) => ({ path: target, paths: ["etc/app/conf"], overwrite: true }),
  },
  "a file at the place of the directory": {
    prepare: 'echo mine > "$1"',
    target: ({ target }) => ({ path: target }),
  },
  "a broken link at the place of the directory": {
    prepare: 'ln -s nowhere "$1"',
    target: ({ target }) => ({ path: target }),
  },
  "a path that the backup lacks": {
    prepare: "true",
    target: ({ target }) => ({ path: target, paths: ["nothing/here"] }),
  },
};

for (const [title, { prepare, target }] of Object.entries(BLOCKED)) {
  Deno.test(`a preview and the restore report the same: ${title}`, async () => {
    await using at = await backedUp(GROW);
    await shell(prepare, at.target);
    const before = await describeTree(at.run.root);
    const found = await preview(at, target(at)!);
    assert.deepEqual(await describeTree(at.run.root), before, "the preview changed something");
    assert.ok(found.obstacles_count > 0);
    const reason = await failure(restore(at.run, at.backup, { target: target(at)! }));
    const first = found.obstacles[0]!;
    const told = found.obstacles_count === 1
      ? sentence(first).replace(/\.? *$/, "")
      : `${first.path} and ${found.obstacles_count - 1} more are there already`;
    assert.ok(reason.includes(told), `${reason}\n${told}`);
  });
}

Deno.test("a preview lists every file that is in the way", async () => {
  await using at = await backedUp(GROW);
  await shell(BLOCKED["existing files"]!.prepare, at.target);
  const found = await preview(at, { path: at.target });
  assert.deepEqual(
    found.obstacles.toSorted((a, b) => a.path! < b.path! ? -1 : 1),
    ["etc/app/conf", "index"].map((name) => ({
      path: `${at.target}/${name}`,
      problem: "is there already",
      solution: "Set overwrite to replace, or restore elsewhere.",
    })),
  );
  assert.equal((await preview(at, { path: at.target, overwrite: true })).obstacles_count, 0);
});

Deno.test(
  "a preview finds that there is too little room",
  { ignore: Deno.uid() !== 0 },
  async () => {
    await using at = await backedUp("head -c 3000000 /dev/urandom > large; truncate -s 9G sparse");
    await using _room = await mountTmpfs(at.target, 2 ** 20);
    const { obstacles: [obstacle], free_bytes } = await preview(at, { path: at.target });
    assert.match(
      obstacle!.problem,
      /^there is no room for it in .*target: it takes 3\.\d MB, and 1\.0 MB are free$/,
    );
    assert.equal(free_bytes, 2 ** 20);
    assert.match(
      await failure(restore(at.run, at.backup, { target: { path: at.target } })),
      /there is no room/,
    );
    // A sparse file takes no more space than its contents in the archive.
    assert.equal((await preview(at, { path: at.target, paths: ["sparse"] })).obstacles_count, 0);
  },
);
