/**
 * Checks the documentation's structure: the sizes of documents, links, paths, the lists of files, and the
 * changelog's groups.
 */
import assert from "node:assert/strict";
import { anchorOf } from "../src/web/pages/help/anchor.ts";
import { dirname, join } from "node:path";
import { codeSpansOf, projectFiles, proseOf, readDocument } from "./support/fixtures/documents.ts";

const FILES = await projectFiles();
const DOCUMENTS = FILES.filter((path) => path.endsWith(".md") && !path.startsWith("tests/"));
const TEXTS = new Map(
  await Promise.all(DOCUMENTS.map(async (path) => [path, await readDocument(path)] as const)),
);

Deno.test("the README fits into two screens", () => {
  assert.ok(new TextEncoder().encode(TEXTS.get("README.md")).length <= 8192);
});

Deno.test("every relative link and anchor of the documentation resolves", () => {
  const paths = new Set(FILES.flatMap((path) => [path, ...parentsOf(path)]));
  const broken: string[] = [];
  for (const [page, text] of TEXTS) {
    for (const [, link] of proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link!)) continue;
      const [path, anchor] = link!.split("#") as [string, string?];
      const target = path === "" ? page : join(dirname(page), path).replace(/\/$/, "");
      if (!paths.has(target)) broken.push(`${page}: ${link}`);
      else if (anchor !== undefined) {
        const headings = [...proseOf(TEXTS.get(target) ?? "").matchAll(/^#+ (.+)$/gm)];
        if (!headings.some(([, heading]) => anchorOf(heading!) === anchor)) broken.push(`${page}: ${link}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

Deno.test("every page of the documentation is reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    for (const [, link] of (TEXTS.get(page) ?? "").matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      const target = join(dirname(page), link!);
      for (const path of DOCUMENTS) if (path === target || dirname(path) === target) reached.add(path);
    }
  }
  assert.deepEqual(DOCUMENTS.filter((path) => !reached.has(path)), []);
});

Deno.test("every file that the documentation names exists", () => {
  const names = new Set(FILES.flatMap((path) => [path, `${path.split("/").at(-1)}`, ...parentsOf(path)]));
  const missing: string[] = [];
  for (const [page, text] of TEXTS) {
    if (page === "CHANGELOG.md") continue;
    const spans = codeSpansOf(proseOf(text));
    const paths = spans.filter((span) =>
      /^(src|agent|tests|docs|systemd|deploy|bench|migrations|\.ci)\/[\w./@-]*$/.test(span) ||
      /^[\w/.-]+\.(ts|sql|service|cfg)$/.test(span)
    );
    for (const path of paths) if (!names.has(path.replace(/\/$/, ""))) missing.push(`${page}: ${path}`);
  }
  assert.deepEqual(missing, []);
});

Deno.test("the architecture has a row for each folder of the programs, and for no other", () => {
  const section = /\n## Folders\n([\s\S]*?)\n## /.exec(TEXTS.get("docs/develop/architecture.md")!)![1]!;
  const listed = [...section.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, folder]) => folder!);
  const production = FILES.filter((path) => /^(src|agent)\/.*(?<!_test)\.tsx?$/.test(path)).map(dirname);
  // The outermost folders are left out, because the table of imports lists them.
  const folders = new Set(production.filter((folder) => /^(agent\/|src\/[^/]+\/)./.test(folder)));
  assert.deepEqual(listed.toSorted(), [...folders].toSorted());
});

Deno.test("no text uses a term that the glossary rules out", async () => {
  const rows = TEXTS.get("docs/develop/glossary.md")!.match(/^\| .+ \|$/gm)!.slice(2);
  // Only terms of several words are checked, because single words have other meanings too.
  const terms = rows.flatMap((row) => row.split("|")[3]!.split(",")).map((term) => term.trim())
    .filter((term) => /[ -]/.test(term));
  assert.ok(terms.length > 1);
  const pattern = new RegExp(`\\b(${terms.join("|")})s?\\b`, "i");
  const texts = FILES.filter((path) => /^((src|agent)\/.*\.tsx?|README\.md|docs\/.*\.md)$/.test(path));
  const using = await Promise.all(
    texts.map(async (path) => pattern.test(await readDocument(path)) ? [path] : []),
  );
  assert.deepEqual(using.flat().filter((path) => path !== "docs/develop/glossary.md"), []);
});

Deno.test("each list of files to add something is the files that name its example", async () => {
  const page = TEXTS.get("docs/develop/adding-things.md")!;
  const production = FILES.filter((path) =>
    /^(main\.ts|(src|agent)\/.*(?<!_test|_fixture|\.d)\.tsx?)$/.test(path)
  );
  const sources = await Promise.all(
    production.map(async (path) => [path, await readDocument(path)] as const),
  );
  let compared = 0;
  for (const section of page.split(/^## /m).slice(1)) {
    const example = /Example: `([^`]+)`/.exec(section)?.[1];
    if (example === undefined) continue;
    const items = section.match(/^- (?:.|\n(?!- |\n))+/gm)!.filter((item) => !item.startsWith("- a "));
    const listed = items.flatMap((item) => codeSpansOf(item.split(":")[0]!));
    const naming = sources.filter(([, text]) => text.includes(example)).map(([path]) => path);
    const title = section.split("\n")[0];
    assert.deepEqual(
      naming.filter((path) =>
        !listed.some((entry) => path === entry || path.startsWith(`${entry}`) && entry.endsWith("/"))
      ),
      [],
      `${title}: files that are not listed`,
    );
    assert.deepEqual(
      listed.filter((entry) =>
        entry.endsWith("/") ? !FILES.some((path) => path.startsWith(entry)) : !naming.includes(entry)
      ),
      [],
      `${title}: listed files that do not name ${example}`,
    );
    compared++;
  }
  assert.ok(compared >= 11);
});

Deno.test("the table of things to add counts the files that each section names", () => {
  const page = TEXTS.get("docs/develop/adding-things.md")!;
  const sections = new Map(
    page.split(/^## /m).slice(1).map((text) => [text.slice(0, text.indexOf("\n")), text] as const),
  );
  const rows = [...page.matchAll(/^\| \[([^\]]+)\]\([^)]+\) +\| (\d+) +\|$/gm)];
  assert.deepEqual(
    rows.map(([, title, count]) => [title, Number(count)]),
    rows.map(([, title]) => [title, countFiles(sections.get(title!)!)]),
  );
  assert.ok(rows.length >= 12);
});

/**
 * Counts the files that a section tells its readers to write or to change. In a section without a list, these
 * are all files that the text names. In a section with a list, these are:
 * - The files that are named at the start of an item.
 * - The registries that are named after the words "one line of".
 */
function countFiles(section: string): number {
  const items = section.match(/^- (?:.|\n(?!- |\n))+/gm) ?? [];
  const named = items.length === 0 ? codeSpansOf(section) : [
    ...items.filter((item) => !item.startsWith("- a type")).flatMap((item) =>
      codeSpansOf(item.split(":")[0]!)
    ),
    ...[...section.matchAll(/\bone line of\s+`([^`]+)`/gi)].map(([, path]) => path!),
  ];
  const files = new Set(named.filter((path) => /^(src|agent)\//.test(path)));
  return files.size + (/\ba migration(,|$)/m.test(section) ? 1 : 0);
}

Deno.test("the changelog groups what changed by Added, Changed and Fixed", () => {
  const [, ...releases] = TEXTS.get("CHANGELOG.md")!.split(/^## /m);
  const entries = TEXTS.get("CHANGELOG.md")!.split(/^(?=- |#)/m).filter((part) => part.startsWith("- "));
  assert.deepEqual(
    entries.filter((entry, index) => entries.indexOf(entry) !== index),
    [],
    "an entry is twice",
  );
  assert.ok(releases.length > 0);
  for (const release of releases) {
    const [head, ...groups] = release.split(/^### /m);
    const order = ["Added", "Changed", "Fixed"];
    const titles = groups.map((group) => group.split("\n")[0]!);
    assert.deepEqual(titles, order.filter((title) => titles.includes(title)), head);
    assert.doesNotMatch(head!, /^- /m, "an entry is outside of its group");
  }
});
