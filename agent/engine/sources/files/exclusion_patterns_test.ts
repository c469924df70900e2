/** Tests that tar leaves out the right files if a pattern ends with a slash or contains `**`. */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { isExcluded, ruleMatcher } from "./exclusion_rules.ts";

const GROW =
  "mkdir -p log a/log a/b/c p/q/r/node_modules p/node_modules 'x  '; touch log/f a/log/f a/b/log " +
  "a/b/c/x.log a/x.log x.log p/q/r/node_modules/m p/node_modules/m 'x  /f' kept";

/**
 * Backs up the directory that `grow` makes. Resolves with the names that were left out, and with the output
 * about them. The names do not include the contents of a directory that was left out.
 */
async function leftOut(excluded: string[], grow = GROW): Promise<{ names: string[]; reported: string[] }> {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await Deno.mkdir(tree);
  await shell(`cd "$1"; ${grow}`, tree);
  const named = (path: string) => path.replace("$tree", tree).replace("$root", run.root);
  const excluded_paths = excluded.map(named);
  await run.run({ type: "files", path: tree, excluded_paths, allow_unreadable: false });
  const list = (script: string, ...args: string[]) =>
    shell(script, ...args).then((text) => text.split("\n").map((name) => name.replace(/\/$/, "")));
  const all = await list('cd "$1"; find . -mindepth 1', tree);
  const archive = `${run.directory}/backup_7_20260102030405.tar.zst`;
  const stored = new Set(
    await list('zstd -dc "$1" | tar -t --record-size=64K --quoting-style=literal', archive),
  );
  const missing = all.filter((name) => name !== "" && !stored.has(name)).map((name) => name.slice(2));
  const isTop = (name: string) => !missing.some((other) => name.startsWith(`${other}/`));
  const reported = run.lines.filter((line) => line.includes("Excluded path"))
    .map((line) => line.replaceAll(tree, "$tree"));
  return { names: missing.filter(isTop).sort(), reported };
}

Deno.test("a pattern that ends with a slash excludes directories, but not files of that name", async () => {
  const kept = (given: string) =>
    `Excluded path ${given}: the contents of directories are left out; files of that name are kept`;
  assert.deepEqual(await leftOut(["log/"]), { names: ["a/log/f", "log/f"], reported: [kept("log/")] });
  assert.deepEqual(await leftOut(["l?g/."]), { names: ["a/log/f", "log/f"], reported: [kept("l?g/.")] });
  assert.deepEqual(await leftOut(["$tree/*/log/"]), { names: ["a/log"], reported: [] });
  assert.deepEqual(await leftOut(["./log/", "node_modules/"]), {
    names: ["log", "p/node_modules", "p/q/r/node_modules"],
    reported: [],
  });
  assert.deepEqual(await leftOut(["$tree/a/b/log/", "x.log/", "$tree/log/"]), {
    names: ["log"],
    reported: [
      "Warning: Excluded path $tree/a/b/log/ is no directory: nothing is left out for it",
      "Warning: Excluded path x.log/ matches nothing: nothing is left out for it",
      "Excluded path x.log/: the contents of directories are left out; files of that name are kept",
    ],
  });
});

Deno.test("two stars match any number of directories", async () => {
  const cases: [string, string[]][] = [
    ["**/*.log", ["a/b/c/x.log", "a/x.log", "x.log"]],
    ["./**/x.log", ["a/b/c/x.log", "a/x.log", "x.log"]],
    ["a/**/x.log", ["a/b/c/x.log", "a/x.log"]],
    ["$tree/p/**/node_modules", ["p/node_modules", "p/q/r/node_modules"]],
    ["$tree/**/node_modules/", ["p/node_modules", "p/q/r/node_modules"]],
    ["$tree/**/q/**/m", ["p/q/r/node_modules/m"]],
    ["$root/**/node_modules", ["p/node_modules", "p/q/r/node_modules"]],
    ["$root/**/tree/p/q", ["p/q"]],
    ["$tree/a/**", ["a/b", "a/log", "a/x.log"]],
    ["$tree/a/**/**/c", ["a/b/c"]],
    ["$tree/**", ["a", "kept", "log", "p", "x  ", "x.log"]],
  ];
  for (const [pattern, expected] of cases) {
    const run = leftOut([pattern]);
    if (pattern === "$tree/**") await assert.rejects(run, /all of it is excluded/, pattern);
    else assert.deepEqual(await run, { names: expected, reported: [] }, pattern);
  }
  await assert.rejects(leftOut(["$root/**"]), /it is the source itself/);
});

Deno.test("a pattern with ** matches a directory of that name if it exists", async () => {
  const grow = "mkdir -p '**/x' a/x; touch '**/x/f' a/x/f";
  assert.deepEqual(await leftOut(["$tree/**/x"], grow), { names: ["**/x"], reported: [] });
});

Deno.test("rule matchers and tar agree on patterns with **", async () => {
  const patterns = ["**/log", "a/**/x.log", "a/**", "**/**/b", "?/**/c/*", "**/q/**/m", "a**/*.log"];
  for (const pattern of patterns) {
    const matches = ruleMatcher({ given: "", pattern, isAnchored: false, isLiteral: false });
    const all = (await leftOut(["none*"])).names;
    assert.deepEqual(all, []);
    const { names } = await leftOut([pattern]);
    const tree = await Deno.makeTempDir();
    const found = (await shell(`cd "$1"; ${GROW}; find . -mindepth 1 -printf '%P\\n'`, tree)).trim().split(
      "\n",
    );
    await Deno.remove(tree, { recursive: true });
    const isTop = (name: string) => !isExcluded(name.slice(0, Math.max(name.lastIndexOf("/"), 0)), [matches]);
    assert.deepEqual(
      names,
      found.filter((name) => isExcluded(name, [matches]) && isTop(name)).sort(),
      pattern,
    );
  }
});

Deno.test("entries with leading or trailing blanks are quoted in the output", async () => {
  const { names, reported } = await leftOut(["x  ", "x ", "\tkept"]);
  assert.deepEqual(names, ["x  "]);
  assert.deepEqual(reported, [
    'Warning: Excluded path "x " matches nothing: nothing is left out for it',
    'Warning: Excluded path "\\tkept" matches nothing: nothing is left out for it',
  ]);
});

Deno.test("exclusions that are too long for a command line are rejected with a reason", async () => {
  const many = (pattern: (n: number) => string) => Array.from({ length: 1000 }, (_, n) => pattern(n));
  for (const excluded of [many((n) => "x".repeat(2500) + n), many((n) => `a${n}/**/b/**/c${n}`)]) {
    await assert.rejects(
      leftOut(excluded),
      /excluded_paths name: together they are longer than a command line/,
    );
  }
  assert.deepEqual((await leftOut(many((n) => n === 7 ? "a/**/x.log" : `a${n}/**/b`).slice(0, 300))).names, [
    "a/b/c/x.log",
    "a/x.log",
  ]);
});
