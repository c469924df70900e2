import assert from "node:assert/strict";
import { jobEncryption } from "./job.ts";

Deno.test("a job of protocol 1 is encrypted as it says, and one without encryption is refused", () => {
  assert.deepEqual(jobEncryption({ encryption_password: "x" }), { type: "password", password: "x" });
  assert.deepEqual(jobEncryption({ encryption_password: null }), { type: "none" });
  const encryption = { type: "recipients" as const, recipients: ["age1a"] };
  assert.deepEqual(jobEncryption({ encryption }), encryption);
  assert.throws(() => jobEncryption({}), /does not say how to encrypt it/);
});
