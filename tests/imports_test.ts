import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/**
 * Matches everything by which one module reaches another: static imports, dynamic imports, and resolved
 * names.
 */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|(?:^|\n)\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"|\bresolve\(\s*"([^"./][^"]*)"\s*\)/g;

/** Returns which folders each folder may import, by the table in the documentation of the architecture. */
async function importTable(): Promise<Map<string, Set<string>>> {
  const text = await Deno.readTextFile(join(ROOT, "docs/develop/architecture.md"));
  const section = /\n## Imports\n([\s\S]*?)(?:\n## |$)/.exec(text)?.[1];
  assert(section !== undefined, "docs/develop/architecture.md has no section named Imports");
  const table = new Map<string, Set<string>>();
  for (const [, folder, allowed] of section.matchAll(/^\| `([^`]+)` +\|[^|]+\|(.*)\|$/gm)) {
    table.set(folder!, new Set([...allowed!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)));
  }
  return table;
}

/** Returns the path of every source file, relative to the root. Tests and their fixtures are left out. */
async function sources(): Promise<string[]> {
  const files = ["main.ts"];
  const walk = async (directory: string) => {
    for await (const entry of Deno.readDir(join(ROOT, directory))) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) await walk(path);
      else if (/\.tsx?$/.test(path) && !/_(test|fixture)\.ts$/.test(path)) files.push(path);
    }
  };
  await walk("src");
  await walk("agent");
  return files;
}

function folderOf(path: string): string {
  const [top, second] = path.split("/");
  return top === "src" ? `src/${second}` : top!;
}

/**
 * Returns what a file imports: `src/x` for a file of this project, or the name of a package. Returns null for
 * a built-in module.
 */
function targetOf(file: string, specifier: string): string | null {
  if (specifier.startsWith("node:")) return null;
  if (specifier.startsWith(".")) {
    return folderOf(relative(ROOT, join(ROOT, dirname(file), specifier)));
  }
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

Deno.test("the architecture's table allows every import", async () => {
  const table = await importTable();
  assert(table.size > 10, "The table of imports is not read");
  const wrong: string[] = [];
  for (const file of await sources()) {
    const folder = folderOf(file);
    const allowed = table.get(folder);
    const text = await Deno.readTextFile(join(ROOT, file));
    for (const match of text.matchAll(IMPORT)) {
      const target = targetOf(file, match.slice(1).find((specifier) => specifier !== undefined)!);
      if (target === null || target === folder || allowed?.has(target)) continue;
      wrong.push(
        `${file} imports ${target}: ${folder} has ${allowed === undefined ? "no row" : "no such arrow"}`,
      );
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("npm packages are imported by their names in deno.json only", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const [name, specifier] of Object.entries(imports as Record<string, string>)) {
    assert.match(
      specifier,
      new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+(-[\\w.]+)?$`),
      `${name} is not pinned`,
    );
  }
  const { devDependencies } = JSON.parse(await Deno.readTextFile(join(ROOT, "package.json")));
  for (const [name, version] of Object.entries(devDependencies as Record<string, string>)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is not pinned`);
  }
  for (const file of await sources()) {
    const text = await Deno.readTextFile(join(ROOT, file));
    assert.doesNotMatch(text, /from "(npm|jsr|https?):/, file);
    for (const name of Object.keys(devDependencies)) {
      if (name.startsWith("@types/")) continue;
      assert.doesNotMatch(
        text,
        new RegExp(`"${name}"`),
        `${file}: ${name} is not installed by \`task start\``,
      );
    }
  }
});

Deno.test("only the clock reads the time", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    if (file === "src/domain/clock.ts") continue;
    const text = await Deno.readTextFile(join(ROOT, file));
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    if (/\bDate\.now\b|\bnew Date\b(?!\()|\bnew Date\(\s*\)|\bDate\(\s*\)|\bTemporal\.Now\b/.test(code)) {
      wrong.push(file);
    }
  }
  assert.deepEqual(wrong, []);
});

/**
 * The files that are allowed to open connections. The expression of a file matches the modules and functions
 * that the file is allowed to use for its connections. Only the network module is allowed to connect to
 * addresses that users enter. All other files connect only to addresses that the operator configures.
 */
const CONNECTS: Readonly<Record<string, RegExp>> = {
  "src/network/authorities.ts": /node:tls/, // connects to nothing
  "src/network/network.ts": /node:https?|^fetch/,
  "src/network/starttls.ts": /node:net/, // connects to SMTP_URL
  "src/network/tls_agent.ts": /node:(https|tls)/, // used by network.ts
  "src/notify/channels/email.ts": /createTransport/, // connects to SMTP_URL
  "src/store/database/database_servers.ts": /node:net/, // connects to DATABASE_URL
  "src/store/database/database_tls.ts": /node:tls/,
};

/** Matches imports that only parse addresses and cannot open connections. */
const HARMLESS = /import \{(?:\s*(?:isIP|BlockList|type \w+),?)+\s*\} from "node:net";/g;

Deno.test("the control plane connects only through its network module", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    // The command line and the agent are not part of the control plane. They run on their users' own
    // machines, so they are not checked.
    if (/^(agent|src\/cli)\//.test(file)) continue;
    const text = await Deno.readTextFile(join(ROOT, file));
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "").replaceAll(HARMLESS, "");
    const found = code.matchAll(
      /(?<![.\w#])fetch\(|globalThis\.fetch|\bDeno\.(connect|connectTls|createHttpClient)\b|new (WebSocket|EventSource)\b|createTransport|"node:(http|https|http2|net|tls|dgram)"/g,
    );
    for (const [match] of found) if (!CONNECTS[file]?.test(match)) wrong.push(`${file}: ${match}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("transactions begin only in the database module, and no connection is reserved", async () => {
  const found = [];
  for (const path of await sources()) {
    const text = await Deno.readTextFile(join(ROOT, path));
    if (/\b(database|sql)\.(begin|reserve)\(/.test(text)) found.push(path);
  }
  assert.deepEqual(found, ["src/store/database/lost_transactions.ts"]);
});
