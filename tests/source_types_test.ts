/**
 * Checks that only the code of a source type names this type. All other code uses the type's definition, or
 * the agent's module for the type.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceTypes } from "../agent/engine/sources/registry.ts";
import { DEFINITIONS } from "../src/definitions/sources/registry.ts";
import { sourceFixtures } from "./support/sources/registry.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Files that may name a source type although they do not belong to it, each with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "src/cli/demo.ts": "creates one task of files through the public API",
  "src/cli/commands/backups.ts": "the command that lists the files of a backup",
  "src/cli/commands/explore_server.ts": "the command that lists the files of a server",
  "src/web/pages/destinations/destination_form.tsx": "the control plane reaches some destinations",
  "src/web/pages/welcome/first_backup.tsx": "the first backup is one of files",
  "src/definitions/destinations/definition.ts": "one of the parties that reach a destination",
  "src/definitions/destinations/s3.ts": "the control plane reaches it",
  "src/definitions/destinations/custom_s3.ts": "the control plane reaches it",
  "src/definitions/destinations/settings.ts": "the control plane reaches some destinations",
  "src/http/routes/tasks/backup_tasks.ts": "examples in the API's document",
  "src/protocol/version.ts": "the history of the protocol",
  "src/services/jobs/jobs.ts": "the control plane reaches some destinations",
};

/** The names of source types and of database engines. */
const names = [...DEFINITIONS].flatMap(([type, { engine }]) => [type, engine]);

/**
 * Names that have a second meaning: `tar` is also a program that the agent runs, and `rearguard` is also the
 * product. Each pattern matches the paths of files that use the name in its second meaning.
 */
const IS_OTHER: Readonly<Record<string, RegExp>> = {
  tar: new RegExp(
    "^agent/engine/(?:archive|jobs|manifest|restore_files|programs)/|^agent/engine/sources/\\w+\\.ts$|" +
      "^src/(?:cli|process)/|_view\\.ts$",
  ),
  rearguard: /^agent\/engine\/sources\/postgresql\/|^src\/(?:cli|services|store|telemetry)\//,
};

async function productionFiles(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = `${directory}/${name}`;
    if (isDirectory) found.push(...await productionFiles(path));
    else if (/(?<!_test|\.d)\.tsx?$/.test(path)) found.push(path);
  }
  return found;
}

/** Returns whether a file belongs to the source type, or is a registry of source types. */
function isOwn(path: string, type: string): boolean {
  if (/^(?:src\/definitions|agent\/engine)\/sources\/registry\.ts$/.test(path)) return true;
  const own = [`src/definitions/sources/${type}.ts`, `agent/engine/sources/${type}/`];
  if (type === "files") own.push("agent/engine/restore_files/");
  return own.some((each) => path.startsWith(each));
}

/** Returns the source type for the name of a type or of an engine. */
function typeOf(name: string): string {
  return [...DEFINITIONS].find(([type, { engine }]) => type === name || engine === name)![0];
}

Deno.test("no file but its own names a source type or the engine of its backups", async () => {
  const files = ["main.ts", ...await productionFiles("src"), ...await productionFiles("agent")];
  const named: string[] = [];
  const used = new Set<string>();
  for (const file of files) {
    const text = await Deno.readTextFile(join(ROOT, file));
    for (const name of names) {
      if (!new RegExp(`["'\`]${name}["'\`]`).test(text)) continue;
      if (isOwn(file, typeOf(name)) || IS_OTHER[name]?.test(file)) continue;
      if (file in EXCEPTIONS) used.add(file);
      else named.push(`${file}: ${name}`);
    }
  }
  assert.deepEqual(named, [], "Ask the definition (src/definitions/sources) in place of naming a type");
  assert.deepEqual(
    [...used].sort(),
    Object.keys(EXCEPTIONS).sort(),
    "Drop exceptions that are none any more",
  );
});

Deno.test("every source type has an agent's half, a fixture, and a page", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/guide/sources.md"));
  for (const [type] of DEFINITIONS) {
    assert.ok(Object.hasOwn(sourceTypes, type), `agent/engine/sources has no ${type}`);
    assert.ok(Object.hasOwn(sourceFixtures, type), `${type} has no fixture`);
    assert.match(page, new RegExp(`\`${type}\``), `docs/guide/sources.md does not name ${type}`);
  }
  assert.deepEqual(Object.keys(sourceTypes).sort(), [...DEFINITIONS.keys()].sort());
});

Deno.test("each type has an engine of its own, and a name that no other has", () => {
  assert.equal(new Set(names).size, names.length);
  const labels = [...DEFINITIONS.values()].map(({ label }) => label);
  assert.equal(new Set(labels).size, labels.length);
});
