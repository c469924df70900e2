import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { makeKeyFile, readKeyFile } from "./key_file.ts";

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a key file is created once, is private, and can be read", () =>
  withDirectory(async (directory) => {
    const path = `${directory}/secret.key`;
    assert.equal(await readKeyFile(path), null);
    const key = await makeKeyFile(path);
    assert.equal(key.length, 32);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual(Buffer.from((await readKeyFile(path))!.trim(), "base64"), Buffer.from(key));
    await assert.rejects(makeKeyFile(path), /Cannot make the secret key/);
    assert.deepEqual(Buffer.from((await readKeyFile(path))!.trim(), "base64"), Buffer.from(key));
  }));

Deno.test("a key that other users may read is refused", () =>
  withDirectory(async (directory) => {
    const path = `${directory}/secret.key`;
    await Deno.writeTextFile(path, "x");
    await Deno.chmod(path, 0o640);
    await assert.rejects(readKeyFile(path), /other users may read it; chmod 600 it/);
  }));
