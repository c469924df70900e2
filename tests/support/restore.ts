/** Restores a stored backup as a person would: from its manifest, with stock tools, in the directory of its objects. */
import assert from "node:assert/strict";
import { typePassphrase } from "./age.ts";
import type { Restoration } from "./sources/fixture.ts";

/** What opens the archives: a passphrase, a secret key, null where they are not encrypted. */
export type RestoreKey = string | { identity: string } | null;

export interface Manifest {
  encryption?: string | null;
  recipients?: string[];
  objects: {
    role: string;
    name: string;
    size: number;
    sha256: string;
    database: string | null;
    bytes_read?: number;
  }[];
  restore: string[];
}

/** Runs every line of the manifest's `restore`, its place filled in by `place`. */
export async function restoreStored(
  directory: string,
  manifest: Manifest,
  place: { restoration(line: string, database: string | null): Promise<Restoration> },
  key: RestoreKey,
): Promise<void> {
  const archives = manifest.objects.filter(({ role }) => role === "archive");
  assert.equal(archives.length, manifest.restore.length);
  for (const [index, { name, database, bytes_read }] of archives.entries()) {
    const { line, env } = await place.restoration(manifest.restore[index]!, database);
    if (key === null) {
      assert.equal(
        Number(await commandLine(`zstd -dc -- "$NAME" | wc -c`, directory, { NAME: name })),
        bytes_read,
      );
    } else assert.match(name, /\.age$/);
    if (typeof key === "string") await typePassphrase(line, key, { cwd: directory, env });
    else if (key === null) await commandLine(line, directory, env);
    else await withKeyFile(line, key.identity, (filled) => commandLine(filled, directory, env));
  }
}

/** The manifest leaves the place of the reader's own key open. */
async function withKeyFile(
  line: string,
  identity: string,
  run: (line: string) => Promise<unknown>,
): Promise<void> {
  assert.match(line, / -i KEY_FILE /);
  const file = await Deno.makeTempFile({ prefix: "rearguard-key-" });
  try {
    await Deno.writeTextFile(file, identity);
    await run(line.replaceAll("KEY_FILE", file));
  } finally {
    await Deno.remove(file);
  }
}

/** Runs a shell's command line; fails with its stderr. Returns its stdout. */
async function commandLine(line: string, cwd: string, env: Record<string, string>): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", line],
    cwd,
    env,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot run ${line}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
