/** A backup as its destination holds it, fetched past Rearguard and held against its manifest. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { DestinationFixture } from "./destinations.ts";
import { type Manifest, type RestoreKey, restoreStored } from "./restore.ts";
import type { Restoration } from "./sources/fixture.ts";

/** As the API lists it. */
export interface BackupRecord {
  id: number;
  file_name: string;
  size: number;
  sha256: string;
  encrypted: boolean;
  encryption: "none" | "password" | "recipients";
}

/** The objects whose path holds `directory`, by their names. */
export async function objectsIn(
  destination: DestinationFixture,
  directory: string,
): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const [path, content] of await destination.objects()) {
    const cut = path.lastIndexOf("/");
    if (path.slice(0, cut) === directory) found.set(path.slice(cut + 1), content);
  }
  return found;
}

/** Of the backup whose archive the record names; every object that it names must be there, with its size and digest. */
export function manifestOf(
  objects: Map<string, Uint8Array>,
  record: BackupRecord,
): Manifest & { names: string[] } {
  const own = [...objects.keys()].filter((name) => name.endsWith(".manifest.json"))
    .map((name) => ({ name, manifest: JSON.parse(new TextDecoder().decode(objects.get(name))) as Manifest }))
    .find(({ manifest }) => manifest.objects.some((object) => object.name === record.file_name));
  assert.ok(own, `No manifest names ${record.file_name}`);
  const { name, manifest } = own;
  for (const object of manifest.objects) {
    const content = objects.get(object.name);
    assert.ok(content, `${object.name} is not there`);
    assert.equal(content.length, object.size);
    assert.equal(createHash("sha256").update(content).digest("hex"), object.sha256);
  }
  const archives = manifest.objects.filter(({ role }) => role === "archive");
  assert.equal(archives.reduce((sum, { size }) => sum + size, 0), record.size);
  assert.equal(archives.find((archive) => archive.name === record.file_name)!.sha256, record.sha256);
  return { ...manifest, names: [...manifest.objects.map((object) => object.name), name] };
}

/** Restores with stock tools, from copies in a directory that is gone afterwards. */
export async function restoreFetched(
  objects: Map<string, Uint8Array>,
  manifest: Manifest & { names: string[] },
  place: { restoration(line: string, database: string | null): Promise<Restoration> },
  key: RestoreKey = null,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-fetched-" });
  try {
    for (const name of manifest.names) await Deno.writeFile(`${directory}/${name}`, objects.get(name)!);
    await restoreStored(directory, manifest, place, key);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
