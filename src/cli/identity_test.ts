import assert from "node:assert/strict";
import { readIdentity } from "./identity.ts";

const KEY = "AGE-SECRET-KEY-1QQQQQQQQ";

async function read(text: string): Promise<string | undefined> {
  const path = await Deno.makeTempFile({ prefix: "rearguard-identity-" });
  try {
    await Deno.writeTextFile(path, text);
    return await readIdentity({ from: "file", path });
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("the key is read from the file that age-keygen writes", async () => {
  assert.equal(await read(`# created: 2026-01-01T00:00:00Z\n# public key: age1qqq\n${KEY}\n`), KEY);
  assert.equal(await readIdentity(undefined), undefined);
});

Deno.test("no key, or several, is refused without showing one", async () => {
  await assert.rejects(
    read("age1qqq\n"),
    /^CommandError: Cannot read the identity: there is no AGE-SECRET-KEY in it$/,
  );
  await assert.rejects(
    read(`${KEY}\n${KEY}2\n`),
    /^CommandError: Cannot read the identity: it holds more than one key$/,
  );
});
