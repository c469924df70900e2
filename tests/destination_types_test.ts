/**
 * Checks that each destination type is defined in one place. All other code uses the type's definition, and
 * never the type's name.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { destinationTypes } from "../agent/engine/destinations/registry.ts";
import { definitionOf, DESTINATION_TYPES, typesOfReach } from "../src/definitions/destinations/registry.ts";
import { isStorageType } from "../src/storage/registry.ts";
import { destinationFixtures } from "./support/fixtures/destinations.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/**
 * Exceptions: these files are allowed to name a destination type although they do not belong to it. The
 * values are the reasons.
 */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "src/cli/demo.ts": "creates one local destination through the public API",
  "src/http/routes/destinations/backup_destinations.ts": "examples in the API's document",
  "src/web/pages/welcome/first_backup.tsx": "the first backup goes to a disk",
};

/** Returns the path of every production file below a directory, relative to the root. */
async function sources(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = `${directory}/${name}`;
    if (isDirectory) found.push(...await sources(path));
    else if (/(?<!_test|\.d)\.tsx?$/.test(path)) found.push(path);
  }
  return found;
}

/**
 * Returns whether a file belongs to a destination type: whether the name of the file, or of one of its
 * folders, begins with the type's name. A prefix `custom_` of the type's name is optional.
 */
function isOwn(path: string, type: string): boolean {
  const family = type.replace(/^custom_/, "");
  return path.split("/").some((part) =>
    [type, family].some((name) => new RegExp(`^${name}([_.]|$)`).test(part))
  );
}

Deno.test("no file but its own names a destination type", async () => {
  const files = ["main.ts", ...await sources("src"), ...await sources("agent")];
  const named: string[] = [];
  for (const file of files) {
    const text = await Deno.readTextFile(join(ROOT, file));
    for (const type of DESTINATION_TYPES) {
      if (!new RegExp(`["'\`]${type}["'\`]`).test(text)) continue;
      if (!isOwn(file, type) && EXCEPTIONS[file] === undefined) named.push(`${file}: ${type}`);
    }
  }
  assert.deepEqual(named, [], "Ask the definition (src/definitions/destinations) in place of naming a type");
  for (const [file, reason] of Object.entries(EXCEPTIONS)) {
    assert.ok(files.includes(file) && reason !== "", `${file} is no exception any more`);
  }
});

Deno.test("every destination type has an agent's half, a fixture, and a page of its settings", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/guide/destinations.md"));
  for (const type of DESTINATION_TYPES) {
    const onWire = definitionOf(type).jobShape.shape.type.value;
    assert.ok(Object.hasOwn(destinationTypes, onWire), `agent/engine/destinations has no ${onWire}`);
    assert.ok(Object.hasOwn(destinationFixtures, onWire), `${onWire} has no fixture`);
    assert.match(page, new RegExp(`\`${type}\``), `docs/guide/destinations.md does not name ${type}`);
  }
});

Deno.test("the control plane has the storage of those types that it reaches itself", () => {
  assert.deepEqual(DESTINATION_TYPES.filter(isStorageType), typesOfReach("control_plane"));
});
