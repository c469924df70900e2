import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { shell } from "../../../tests/support/fixtures/backup_run.ts";
import { Children } from "../programs/children.ts";
import { joinNames } from "./names.ts";
import { saveAttributes } from "./attributes.ts";
import { planUndo, undo, undoFiles } from "./undo.ts";

interface Half {
  root: string;
  undo(): Promise<string | null>;
  contents(): Promise<string>;
}

/**
 * Prepares a restore that was killed while it published: `moved` and `dir` are published, `later` is not
 * published. Then calls `work`.
 */
async function withHalfDoneRestore(work: (half: Half) => Promise<void>, isSingle = false): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-undo-" });
  await using children = new Children(systemClock, new AbortController().signal);
  try {
    await shell(
      `cd "$1"; mkdir work place staging staging.replaced; cd place; echo mine > mine; echo new > moved; mkdir dir; echo new > dir/in
      echo somebody > dir/somebodys; echo old > later; echo later > ../staging/later; echo old > ../staging.replaced/moved; touch ../work/time`,
      root,
    );
    const files = undoFiles(`${root}/work`);
    const lists = {
      others: ["moved", "dir/in", "later"],
      directories: ["dir"],
      replaced: ["moved", "later"],
    };
    for (const [list, names] of Object.entries({ ...lists, above: [], standing: [], missing: [] })) {
      await Deno.writeFile(files[list as keyof typeof files], joinNames(names));
    }
    await saveAttributes(`${root}/place`, [], true, files.attributes, children);
    const staged = { staging: `${root}/staging`, aside: `${root}/staging.replaced` };
    const { directories, others, replaced } = files;
    const stage = { base: `${root}/place`, ...staged, directories, others, replaced };
    await planUndo(`${root}/work`, stage.base, [stage]);
    if (isSingle) await Deno.writeTextFile(files.plan, JSON.stringify({ place: stage.base, ...staged }));
    await work({
      root,
      undo: () => undo(`${root}/work`, children, systemClock),
      contents: () => shell('cd "$1/place"; find . -type f | sort | xargs grep ""', root),
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const BEFORE = "./dir/somebodys:somebody\n./later:old\n./mine:mine\n./moved:old\n";

for (const isSingle of [false, true]) {
  Deno.test(`published files are removed and replaced ones put back${isSingle ? ", by an old plan" : ""}`, () =>
    withHalfDoneRestore(async ({ root, undo, contents }) => {
      assert.equal(await undo(), `${root}/place`);
      assert.equal(await contents(), BEFORE);
      assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name).sort(), ["place", "work"]);
      assert.equal(await undo(), null);
    }, isSingle));
}

Deno.test("an undo that was killed while it put files back does not remove them again", () =>
  withHalfDoneRestore(async ({ root, undo, contents }) => {
    // Let the undo fail at its end, by moving the saved attributes away.
    const { attributes } = undoFiles(`${root}/work`);
    await Deno.rename(attributes, `${attributes}.away`);
    await assert.rejects(undo(), /could not all be undone/);
    assert.equal(await contents(), BEFORE);
    await Deno.rename(`${attributes}.away`, attributes);
    assert.equal(await undo(), `${root}/place`);
    assert.equal(await contents(), BEFORE);
  }));
