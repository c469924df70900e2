import assert from "node:assert/strict";
import { argon2id } from "hash-wasm";
import { PasswordHasher } from "./password_hasher.ts";

Deno.test("a password fits its own hash only, and a hash tells its parameters", async () => {
  using hasher = new PasswordHasher();
  const [one, other] = await Promise.all([hasher.hash("pässword"), hasher.hash("pässword")]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(one, other, "salted");
  assert.ok(await hasher.verify(one, "pa\u0308ssword"), "however the keyboard composes it");
  assert.ok(!await hasher.verify(one, "password"));
  assert.ok(!await hasher.verify(null, "pässword"));
  assert.ok(hasher.isCurrent(one));
  const weak = { salt: new Uint8Array(16), iterations: 1, memorySize: 8, parallelism: 1, hashLength: 32 };
  const outdated = await argon2id({ password: "x", ...weak, outputType: "encoded" });
  assert.ok(!hasher.isCurrent(outdated));
  assert.ok(await hasher.verify(outdated, "x"));
  await assert.rejects(hasher.verify("no hash", "x"), /Cannot hash a password/);
});

Deno.test("only so many passwords wait, and a stop ends the waiting", async () => {
  const hasher = new PasswordHasher();
  const waiting = Array.from(
    { length: 50 },
    () => hasher.verify(null, "x").then(() => "done", () => "ended"),
  );
  await assert.rejects(hasher.verify(null, "x"), /Too many log-ins are waiting/);
  hasher[Symbol.dispose]();
  assert.ok((await Promise.all(waiting)).includes("ended"));
});
