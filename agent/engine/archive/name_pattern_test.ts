import assert from "node:assert/strict";
import fc from "fast-check";
import { NamePattern } from "./name_pattern.ts";

const matching = (pattern: string, paths: readonly string[]) =>
  paths.filter((path) => new NamePattern(pattern).matches(path));

const PATHS = [
  "etc/nginx/nginx.conf",
  "etc/hosts",
  "home/Éva/Résumé.PDF",
  "home/a[1].txt",
  "notes",
  "a/b/c/notes",
];

Deno.test("a text matches names that contain it, or paths if it has a slash", () => {
  assert.deepEqual(matching("NGINX", PATHS), ["etc/nginx/nginx.conf"]);
  assert.deepEqual(matching("nginx/", PATHS), ["etc/nginx/nginx.conf"]);
  assert.deepEqual(matching("/etc", PATHS), ["etc/nginx/nginx.conf", "etc/hosts"]);
  assert.deepEqual(matching("/notes", PATHS), ["notes", "a/b/c/notes"]);
  assert.deepEqual(matching("résumé", PATHS), ["home/Éva/Résumé.PDF"]);
  assert.deepEqual(matching("resume\u0301", PATHS), []);
  assert.deepEqual(matching("re\u0301sume\u0301", PATHS), ["home/Éva/Résumé.PDF"]);
  assert.deepEqual(matching("etc", PATHS), []);
});

Deno.test("a glob matches whole names, or whole paths if it has a slash", () => {
  assert.deepEqual(matching("*.conf", PATHS), ["etc/nginx/nginx.conf"]);
  assert.deepEqual(matching("*.CONF", PATHS), ["etc/nginx/nginx.conf"]);
  assert.deepEqual(matching("conf*", PATHS), []);
  assert.deepEqual(matching("host?", PATHS), ["etc/hosts"]);
  assert.deepEqual(matching("etc/*", PATHS), ["etc/hosts"]);
  assert.deepEqual(matching("/etc/**", PATHS), ["etc/nginx/nginx.conf", "etc/hosts"]);
  assert.deepEqual(matching("**/notes", PATHS), ["notes", "a/b/c/notes"]);
  assert.deepEqual(matching("a/**/notes", PATHS), ["a/b/c/notes"]);
  assert.deepEqual(matching("[en]ot*", PATHS), ["notes", "a/b/c/notes"]);
  assert.deepEqual(matching("[!e]o*", PATHS), ["etc/hosts", "notes", "a/b/c/notes"]);
  assert.deepEqual(matching("a[[]1[]].txt", PATHS), ["home/a[1].txt"]);
  assert.deepEqual(matching("a\\[1\\].*", PATHS), ["home/a[1].txt"]);
});

Deno.test("a glob with many wildcards takes no longer than its length times that of the name", () => {
  const name = "a".repeat(4000);
  assert.equal(new NamePattern(`${"*a".repeat(100)}b`).matches(name), false);
  assert.equal(new NamePattern(`${"**a".repeat(50)}`).matches(name), true);
});

/** Returns for each line whether `grep -i -E` selects it in the C locale. */
async function selects(filter: string, lines: readonly string[]): Promise<boolean[]> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
    const { stdout, stderr } = await new Deno.Command("grep", {
      args: ["-a", "-n", "-i", "-E", "-e", filter, "--", path],
      env: { LC_ALL: "C" },
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "", filter);
    const found = new Set(
      new TextDecoder("latin1").decode(stdout).split("\n").map((line) => Number(line.split(":")[0])),
    );
    return lines.map((_, index) => found.has(index + 1));
  } finally {
    await Deno.remove(path);
  }
}

/** Quotes a name as tar does in an index. */
const quoted = (name: string) => `"./${name.replace(/["\\]/g, "\\$&")}"`;

Deno.test("the filter for grep selects every line that the pattern matches", async () => {
  const word = fc.string({
    unit: fc.constantFrom(...'aAkKiI\u0130\u212aéÉße\u0301.-_ ;`$^(){}|+[]*?\\"日Я1'),
    minLength: 1,
    maxLength: 5,
  });
  const name = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join("/"));
  const part = fc.oneof(word, fc.constantFrom("*", "?", "**", "[a-k]", "[!a]", "/"));
  const glob = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
  const sample = fc.sample(fc.record({ name, pattern: fc.oneof(word, name, glob) }), 400);
  const names = sample.map(({ name }) => name);
  const lines = names.map((each) => `block 1: -rw-r--r-- 0/0 1 2026-01-01 00:00:00 ${quoted(each)}`);
  for (const { pattern } of sample.slice(0, 150)) {
    const filter = new NamePattern(pattern).lineFilter();
    if (filter === null) continue;
    const selected = await selects(filter, lines);
    for (const [index, each] of names.entries()) {
      if (new NamePattern(pattern).matches(each)) assert.ok(selected[index], JSON.stringify([pattern, each]));
    }
  }
});

Deno.test("the filter leaves out lines where only a directory above matches", async () => {
  const line = (name: string) => `block 1: -rw-r--r-- 0/0 1 2026-01-01 00:00:00 "./${name}"`;
  const filter = new NamePattern("home").lineFilter()!;
  const lines = [
    line("home/a"),
    line("a/my home.txt"),
    line("home/"),
    'block 2: h 0/0 0 "./a" link to "./home"',
  ];
  assert.deepEqual(await selects(filter, lines), [false, true, true, true]);
  assert.equal(new NamePattern("***").lineFilter(), null);
});
