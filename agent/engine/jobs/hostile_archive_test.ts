/**
 * Tests with malicious archives whose SHA-256 is correct. Nothing is written outside the restore directory,
 * and the restore directory stays unchanged.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { describeTree } from "../../../tests/support/fixtures/tree.ts";

/**
 * Scripts that create a tar archive at the path `$1`. `$2` is a directory outside the restore directory. This
 * directory contains the file `victim`.
 */
const HOSTILE: Record<string, [script: string, reason: RegExp]> = {
  "a name above the target": [
    `echo evil > evil; tar -P -cf "$1" --transform 's,^evil,../evil,' evil`,
    /leads out of the target.*Removing leading/,
  ],
  "a name above the target, half way": [
    `mkdir d; echo evil > d/evil; tar -P -cf "$1" --transform 's,^d/evil,./d/../../evil,' d/evil`,
    /leads out of the target/,
  ],
  "an absolute name": [
    `echo evil > evil; tar -P -cf "$1" --transform "s,^evil,$2/evil," evil`,
    /leads out of the target.*Removing leading/,
  ],
  "a hard link to a file outside": [
    `echo evil > evil; ln evil link; tar -P -cf "$1" --transform "flags=h;s,^evil$,$2/victim," evil link`,
    /leads out of the target.*hard link targets/,
  ],
  "a file behind a symbolic link that leads outside": [
    `ln -s "$2" out; tar -P -cf "$1" out; rm out; mkdir out; echo evil > out/victim; tar -P -rf "$1" out/victim`,
    /can't be unpacked/,
  ],
};

for (const [name, [script, reason]] of Object.entries(HOSTILE)) {
  for (const isOccupied of [false, true]) {
    Deno.test(`${name}, into ${isOccupied ? "a directory in use" : "a new directory"}`, async () => {
      await using run = await BackupRun.open();
      const tree = `${run.root}/tree`;
      const there = `${run.root}/there`;
      const outside = `${there}/outside`;
      const target = `${there}/target`;
      await shell('mkdir -p "$1" "$2" && echo good > "$1/good" && echo mine > "$2/victim"', tree, outside);
      if (isOccupied) await shell('mkdir "$1"; echo mine > "$1/mine"', target);
      const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
      const backup = await run.run(source);
      const archive = backup.objects.find(({ role }) => role === "archive")!;
      const path = `${run.directory}/${archive.name}`;
      await shell(
        `work=$(mktemp -d); cd "$work"; ${script}; pzstd -q -f "$1" -o "$3"; rm -r "$work" "$1"`,
        `${run.root}/evil.tar`,
        outside,
        path,
      );
      const bytes = await Deno.readFile(path);
      const forged = {
        ...archive,
        size: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
      };
      const objects = backup.objects.map((object) => (object === archive ? forged : object));
      const before = await describeTree(there);
      const error = await restore(run, { ...backup, objects }, { target: { path: target, overwrite: true } })
        .then(() => assert.fail("it was restored"), (error) => error as Error);
      assert.match(error.message, /^Cannot restore backup 31: /);
      assert.match(error.message, reason);
      assert.deepEqual(await describeTree(there), before);
    });
  }
}
