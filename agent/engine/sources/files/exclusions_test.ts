import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { isExcluded, quotePattern, ruleMatcher } from "./exclusion_rules.ts";
import { planExclusions } from "./exclusions.ts";

interface Stored {
  /** Names of the archived files and directories, sorted. Directories have no trailing slash. */
  names: string[];
  warnings: string[];
  lines: string[];
}

/**
 * Fills the directory `tree` with the commands in `grow`, backs it up, and returns what was stored. In an
 * exclusion, `$tree` stands for the directory `tree`, and `$root` for its parent directory.
 */
async function backUp(grow: string, excluded: string[], from = "$tree"): Promise<Stored> {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await Deno.mkdir(tree);
  await shell(`cd "$1"; root=$2; ${grow}`, tree, run.root);
  const named = (path: string) => path.replace("$tree", tree).replace("$root", run.root);
  await run.run({
    type: "files",
    path: named(from),
    excluded_paths: excluded.map(named),
    allow_unreadable: false,
  });
  const listed = await shell(
    'zstd -dc "$1" | tar -t --record-size=64K --quoting-style=literal',
    `${run.directory}/backup_7_20260102030405.tar.zst`,
  );
  const names = listed.trimEnd().split("\n").map((name) => name.slice(2).replace(/\/$/, ""))
    .filter((name) => name !== "");
  const plain = (text: string) => text.replaceAll(tree, "$tree").replaceAll(run.root, "$root");
  return { names: names.sort(), warnings: run.warnings.map(plain), lines: run.lines.map(plain) };
}

const GROW = "mkdir -p cache/sub keep; touch cache/x cache/sub/y keep/z";
const KEPT = ["keep", "keep/z"];

for (
  const [what, path] of [
    ["a trailing slash", "$tree/cache/"],
    ["doubled slashes", "/$tree//cache"],
    ["a dot in the middle", "$tree/./cache/."],
    ["two dots", "$tree/keep/../cache"],
    ["a link above the source", "$root/way/cache"],
    ["a link inside of the source", "$tree/inner/cache"],
    ["a link elsewhere that leads to it", "$root/direct"],
  ] as const
) {
  Deno.test(`an excluded path with ${what} is resolved`, async () => {
    const links = 'ln -s "$root/tree" "$root/way"; ln -s "$root/tree/cache" "$root/direct"; ln -s . inner';
    const { names, warnings } = await backUp(`${GROW}; ${links}`, [path]);
    assert.deepEqual(names, ["inner", ...KEPT]);
    assert.deepEqual(warnings, []);
  });
}

for (const from of ["$root/way", "$root/way/", "$root/./way//.", "$root//tree/", "/$tree"]) {
  Deno.test(`exclusions match in a source with the path ${from}`, async () => {
    const grow = `${GROW}; ln -s "$root/tree" "$root/way"`;
    for (const excluded of ["$tree/cache", "$root/way/cache", "$root/w?y/cac*", "$root/tr*/cache", "cache"]) {
      const { names, warnings } = await backUp(grow, [excluded], from);
      assert.deepEqual([names, warnings], [KEPT, []], excluded);
    }
  });
}

Deno.test("an excluded link is left out itself; with a trailing slash, its target as well", async () => {
  const grow = `${GROW}; ln -s cache link`;
  const all = ["cache", "cache/sub", "cache/sub/y", "cache/x"];
  assert.deepEqual((await backUp(grow, ["$tree/link"])).names, [...all, ...KEPT]);
  assert.deepEqual((await backUp(grow, ["$tree/link/"])).names, KEPT);
});

Deno.test("an existing absolute path is taken literally, whatever characters it has", async () => {
  const odd = ["[a]", "b*", "c?", "d\\e", "f\\", " g ", "-h", "{i}", "j\nk"];
  const near = ["a", "bb", "cc", "de", "f", "g", "h", "i", "j"];
  for (const name of odd) {
    const grow = `mkdir near; touch ${near.map((name) => `near/${name} ${name}`).join(" ")}; ` +
      `mkdir -- ./$'${name.replaceAll("\\", "\\\\").replace("\n", "\\n")}'; touch ./$'${
        name.replaceAll("\\", "\\\\").replace("\n", "\\n")
      }'/in`;
    const { names, warnings } = await backUp(grow, [`$tree/${name}`]);
    assert.deepEqual(names, [...near, "near", ...near.map((name) => `near/${name}`)].sort(), name);
    assert.deepEqual(warnings, [], name);
  }
});

Deno.test("an absolute glob matches from the root, and its wildcards match no slash", async () => {
  const grow = "mkdir -p a/b c/d/e; touch a/x.log a/b/x.log c/x.log c/d/x.log x.log a/b/y c/d/e/z";
  const { names, warnings } = await backUp(grow, ["$tree/*/x.log", "$tree/c/*/e"]);
  assert.deepEqual(names, ["a", "a/b", "a/b/x.log", "a/b/y", "c", "c/d", "c/d/x.log", "x.log"]);
  assert.deepEqual(warnings, []);
});

Deno.test("a relative pattern matches at every depth, its wildcards match no slash", async () => {
  const grow = "mkdir -p cache/deep a/cache; touch cache/x.tmp cache/deep/y.tmp a/cache/z.tmp a/cache/keep";
  const stored = async (...excluded: string[]) => {
    const { names, warnings } = await backUp(grow, excluded);
    assert.deepEqual(warnings, [], excluded.join());
    return names.filter((name) => /\.tmp$|keep$/.test(name));
  };
  assert.deepEqual(await stored("cache/*.tmp"), ["a/cache/keep", "cache/deep/y.tmp"]);
  assert.deepEqual(await stored("cache//./*.tmp"), ["a/cache/keep", "cache/deep/y.tmp"]);
  assert.deepEqual(await stored("./cache"), ["a/cache/keep", "a/cache/z.tmp"]);
  assert.deepEqual(await stored(".//cache/"), ["a/cache/keep", "a/cache/z.tmp"]);
  assert.deepEqual(await stored("ca[a-c]he"), []);
  assert.deepEqual(await stored("d?ep", "a/cach*"), ["cache/x.tmp"]);
});

Deno.test("a relative pattern that exists as a name in the root is taken literally", async () => {
  const grow = "mkdir '[ab]' a; touch '[ab]/in' a/in b 'c\\d' cd";
  assert.deepEqual((await backUp(grow, ["[ab]", "c\\d"])).names, ["a", "a/in", "b", "cd"]);
});

Deno.test("existing names in a glob are taken literally", async () => {
  const grow = "mkdir -p '[ab]/c' a/c; touch '[ab]/c/x.log' '[ab]/c/y' a/c/x.log";
  for (const excluded of ["$tree/[ab]/c/*.log", "[ab]/*/x.log", "$root/tr*/[ab]/*/x*"]) {
    const { names, warnings } = await backUp(grow, [excluded]);
    assert.deepEqual(
      [names, warnings],
      [["[ab]", "[ab]/c", "[ab]/c/y", "a", "a/c", "a/c/x.log"], []],
      excluded,
    );
  }
});

Deno.test("each exclusion that matches nothing is a warning", async () => {
  const { warnings, lines } = await backUp(`${GROW}; mkdir "$root/other"`, [
    "$tree/cach",
    "$root/other",
    "$root",
    "$tree/cache/*.tmp",
    "*.tmp",
    "node_modules/",
    "keep",
    "sub/y",
  ]);
  assert.deepEqual(warnings, [
    "Excluded path $tree/cach does not exist: nothing is left out for it",
    "Excluded path $root/other is not in $tree: nothing is left out for it",
    "Excluded path $root holds the source itself: nothing is left out for it",
    "Excluded path $tree/cache/*.tmp matches nothing: nothing is left out for it",
    "Excluded path node_modules/ matches nothing: nothing is left out for it",
  ]);
  // The pattern might match files that are created later. So the run prints a line, and does not warn.
  assert.ok(lines.includes("Excluded path *.tmp matches nothing: nothing is left out for it"));
});

Deno.test("a source of one file warns that exclusions have no effect", async () => {
  const { names, warnings } = await backUp("touch one", ["$tree/two"], "$tree/one");
  assert.deepEqual(names, ["one"]);
  assert.deepEqual(warnings, ["Excluded path $tree/two is not in $tree/one: nothing is left out for it"]);
});

Deno.test("excluding the source itself, or an invalid pattern, is rejected", async () => {
  const link = 'touch x; ln -s "$root/tree" "$root/way"';
  for (const excluded of ["$tree", "$tree/", "/$tree/.", "$root/way", "$root/tr*", "/", "./", "."]) {
    await assert.rejects(
      backUp(link, [excluded]),
      /^RunFailedError: Cannot exclude .* it is the source itself/,
    );
  }
  for (const excluded of ["", "a\0b", "\ud800"]) {
    await assert.rejects(backUp(link, [excluded]), /it is not a pattern/);
  }
});

Deno.test("staging directories of restores are left out and reported", async () => {
  const grow = "mkdir -p .rearguard-restore-31-0a1b2c3d a/b/.rearguard-restore-7-ffffffff.replaced keep; " +
    "touch .rearguard-restore-31-0a1b2c3d/x a/b/.rearguard-restore-7-ffffffff.replaced/y keep/z";
  const { names, warnings } = await backUp(grow, []);
  assert.deepEqual(names, ["a", "a/b", ...KEPT]);
  assert.match(warnings.join("\n"), /^Left out: \$tree\/\.rearguard-restore-31-0a1b2c3d, where a restore/);
});

Deno.test("a search and tar agree on excluded names", async () => {
  const names = [
    "a",
    "ab",
    "b",
    "[",
    "]",
    "a]",
    "-",
    "^",
    "!",
    "é",
    "ü",
    "\\",
    "a\\",
    "*",
    "1",
    "Z",
    "x.y",
    "日",
  ];
  const patterns = [
    ...[
      "?",
      "[a-c]",
      "[!a]",
      "[^a]",
      "[]a]",
      "[[:digit:]]",
      "[a",
      "[]",
      "\\*",
      "\\",
      "a\\",
      "*\\\\",
      "[\\]a]",
    ],
    ...[
      "[a-",
      "[-a]",
      "[a-]",
      "[é-ü]",
      "*.?",
      "**",
      "[[:upper:][:digit:]]",
      "a\\b",
      "[[:nope:]]",
      "{a,b}",
      "?b",
    ],
  ];
  for (const pattern of patterns) {
    const grow = `touch keep.me -- ${names.map((name) => `'./${name}'`).join(" ")}`;
    const { names: stored } = await backUp(grow, [`./${pattern}`]).catch(
      () => ({
        names: [] as string[],
      }),
    );
    const matches = ruleMatcher({ given: "", pattern, isAnchored: true, isLiteral: false });
    const isLiteral = names.includes(pattern) && /[\\[]/.test(pattern);
    const expected = [...names, "keep.me"].filter((name) =>
      isLiteral ? name !== pattern : !isExcluded(name, [matches])
    );
    assert.deepEqual(stored, expected.sort(), pattern);
  }
});

Deno.test("paths below the file system's root can be excluded", async () => {
  const plan = await planExclusions({
    sourcePath: "/",
    patterns: ["/var/cache"],
    ownDirectories: ["/opt/backups"],
    objectPrefix: "backup_7",
    mounts: [],
  });
  assert.ok(plan.arguments.includes("--exclude=./var/cache"));
  assert.ok(plan.arguments.includes("--exclude=./opt/backups"));
});

Deno.test("directories elsewhere, or below a file, add no options for tar", async () => {
  const ownDirectories = ["/usrlocal", "/var/backups", "/etc/passwd/backups/here"];
  const request = { sourcePath: "/usr", patterns: [], ownDirectories, objectPrefix: "b", mounts: [] };
  const plan = await planExclusions(request);
  assert.deepEqual(plan.arguments.filter((argument) => argument.startsWith("--exclude=")), [
    "--exclude=*.rearguard-restore-*",
  ]);
  assert.deepEqual(plan.notes, []);
});

Deno.test("a quoted name with wildcards matches literally", () => {
  assert.equal(quotePattern("a*b?[c]\\"), "a\\*b\\?\\[c\\]\\\\");
});
