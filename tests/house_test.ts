/** Checks rules of the source tree that no compiler checks. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import parameters from "./lint/parameters.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const MOST_FILES = 25;
const MOST_COLUMNS = 110;
const IMPORT = /\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;

/**
 * Returns the path of every TypeScript file below the directories, relative to the root. Leaves out the
 * generated types.
 */
async function filesBelow(...directories: string[]): Promise<string[]> {
  const files: string[] = [];
  for (const directory of directories) {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
      const path = `${directory}/${name}`;
      if (isDirectory) files.push(...await filesBelow(path));
      else if (/(?<!\.d)\.tsx?$/.test(name)) files.push(path);
    }
  }
  return files;
}

const isProduction = (path: string) => !/_test\.tsx?$/.test(path);
const read = (path: string) => Deno.readTextFile(join(ROOT, path));

Deno.test("no folder holds more files than a reader can survey", async () => {
  const counts = new Map<string, number>();
  for (const path of (await filesBelow("src", "agent")).filter(isProduction)) {
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  assert.deepEqual([...counts].filter(([, count]) => count > MOST_FILES), []);
});

Deno.test("no file imports itself through others, not even its types", async () => {
  const imports = new Map<string, string[]>();
  for (const path of ["main.ts", ...(await filesBelow("src", "agent")).filter(isProduction)]) {
    const found = [...(await read(path)).matchAll(IMPORT)].map(([, specifier]) =>
      relative(ROOT, join(ROOT, dirname(path), specifier!))
    );
    imports.set(path, found.filter((target) => /\.tsx?$/.test(target)));
  }
  assert.deepEqual(cyclesOf(imports), []);
});

/**
 * Returns the groups of files that import each other, directly or through others (Tarjan's strongly connected
 * components).
 */
function cyclesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (path: string) => {
    order.set(path, order.size);
    lowest.set(path, order.get(path)!);
    open.push(path);
    for (const target of imports.get(path) ?? []) {
      if (!order.has(target)) visit(target);
      if (open.includes(target)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(target)!));
    }
    if (lowest.get(path) !== order.get(path)) return;
    const group = open.splice(open.indexOf(path));
    if (group.length > 1) found.push(group.sort());
  };
  for (const path of imports.keys()) if (!order.has(path)) visit(path);
  return found;
}

Deno.test("no comment is wider than the page", async () => {
  const wide: string[] = [];
  for (const path of await filesBelow("src", "agent", "tests", "bench")) {
    for (const [index, line] of (await read(path)).split("\n").entries()) {
      if (line.length <= MOST_COLUMNS || !/^\s*(\/\*\*|\*(?! \|)|\/\/)/.test(line)) continue;
      wide.push(`${path}:${index + 1}`);
    }
  }
  assert.deepEqual(wide, []);
});

Deno.test("the lint rule counts the parameters of functions, methods and constructors", () => {
  const source = `
    function plain(a, b, c, d, e, f) {}
    const arrow = (a, b, c, d, e, f) => {};
    class Wide { constructor(a, b, c, d, e, private readonly f) {} method(a, b, c, d, e, f) {} }
    function narrow(a, b, c, d, { e, f, g }) {}`;
  const lines = Deno.lint.runPlugin(parameters, "wide.ts", source)
    .map(({ range }) => source.slice(0, range[0]).split("\n").length - 1);
  assert.deepEqual(lines, [1, 2, 3, 3]);
});

const EXPORTED = /^export (?:abstract )?(?:async )?(?:const|let|function\*?|class|enum) (\w+)/gm;

Deno.test("every exported value is used by another file", async () => {
  const words = new Map<string, Set<string>>();
  for (const path of ["main.ts", ...await filesBelow("src", "agent", "tests", "bench")]) {
    for (const word of new Set((await read(path)).match(/\w+/g))) {
      const users = words.get(word) ?? new Set();
      words.set(word, users.add(path));
    }
  }
  const unused: string[] = [];
  for (const path of (await filesBelow("src", "agent", "tests", "bench")).filter(isProduction)) {
    for (const [, name] of (await read(path)).matchAll(EXPORTED)) {
      if (words.get(name!)!.size === 1) unused.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(unused, []);
});
