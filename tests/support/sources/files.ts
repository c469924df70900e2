/** The fixture for files: restores a tree with every type of file into another directory. */
import { shell } from "../fixtures/backup_run.ts";
import { describeTree, growTree, type TreeSizes } from "../fixtures/tree.ts";
import type { SourceFixture } from "./fixture.ts";

export async function filesFixture(sizes?: TreeSizes): Promise<SourceFixture> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-files-" });
  const source = `${root}/-source 'tree'`;
  const target = `${root}/target`;
  await Deno.mkdir(source);
  await Deno.mkdir(target);
  await growTree(source, sizes);
  const requested = `${root}/requested`;
  const excluded = `${root}/excluded`;
  return {
    variants: [{
      name: "a tree of everything",
      spec: {
        type: "files",
        path: source,
        excluded_paths: ["*.cache", `${source}/plain/deep/er/`, "with space/hard*"],
        allow_unreadable: false,
      },
    }],
    secrets: [],
    restoration: (line) =>
      Promise.resolve({ line: line.replace("TARGET", '"$TARGET"'), env: { TARGET: target } }),
    describeOriginal: async () => {
      await shell(
        `rm -rf "$2"; cp -a "$1" "$2"; cd "$2"; at=$(stat -c %y plain/deep); with=$(stat -c %y 'with space')
        rm -rf plain/deep/er 'with space/hard too'; touch -d "$at" plain/deep; touch -d "$with" 'with space'`,
        source,
        excluded,
      );
      return await describeTree(excluded);
    },
    describeRestored: () => describeTree(target),
    api: {
      requests: [{ target_path: requested }],
      describeRestored: () => describeTree(requested),
    },
    reset: async () => void await shell('rm -rf "$1" "$2"; mkdir "$1"', target, requested),
    [Symbol.asyncDispose]: async () => void await shell('chmod -R u+rwx "$1"; rm -rf "$1"', root),
  };
}
