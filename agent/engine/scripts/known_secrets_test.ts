import assert from "node:assert/strict";
import { definitionOf, DESTINATION_TYPES } from "../../../src/definitions/destinations/registry.ts";
import type { BackupJob } from "../../../src/protocol/job.ts";
import { maskSecrets, secretsIn, secretsOf } from "./known_secrets.ts";

Deno.test("the secrets of every type of destination are known", () => {
  for (const type of DESTINATION_TYPES) {
    const { fields, job, reach } = definitionOf(type);
    // The control plane itself reaches this destination, so agents get none of the destination's secrets.
    if (reach === "control_plane") continue;
    const secrets = Object.fromEntries(
      Object.entries(fields).filter(([, { isSecret }]) => isSecret).map((
        [name],
      ) => [name, `value of ${name}`]),
    );
    const settings = Object.fromEntries(Object.keys(fields).map((name) => [name, "setting"]));
    const destination = job(settings, secrets, "/backups");
    const found = secretsOf({ source: { type: "control_plane" }, destination } as unknown as BackupJob);
    assert.deepEqual(found.toSorted(), Object.values(secrets).toSorted(), type);
  }
});

Deno.test("passwords of a job are known in every protocol's form", () => {
  const job = (fields: object) => ({ destination: {}, ...fields }) as unknown as BackupJob;
  assert.deepEqual(
    secretsOf(job({
      source: { type: "database", password: "of the database", host: "h" },
      encryption: { type: "password", password: "of the archive" },
    })),
    ["of the database", "of the archive"],
  );
  assert.deepEqual(secretsOf(job({ source: {}, encryption_password: "old form" })), ["old form"]);
  assert.deepEqual(secretsOf(job({ source: { password: null }, encryption: { type: "none" } })), []);
});

Deno.test("secrets are masked: the longest first, line by line, escaped, and cut off", () => {
  const mask = maskSecrets([
    "swordfish",
    "swordfish-and-more",
    "-----KEY-----\nfirst\r\nsecond\n",
    "a\tb\x01c",
    "abc",
  ]);
  assert.equal(mask("x swordfish-and-more swordfishswordfish y"), "x *** ****** y");
  assert.equal(mask("first, then second of KEY"), "***, then *** of KEY");
  assert.equal(mask("a\tb\\x01c"), "***");
  // This secret is too short to be masked: it might be part of a word.
  assert.equal(mask("abc"), "abc");
  assert.equal(mask("it is sword … (cut)"), "it is *** … (cut)");
  assert.equal(mask("it is sword"), "it is sword");
});

Deno.test("only the secrets that a script contains are kept with it", () => {
  assert.deepEqual(secretsIn("PGPASSWORD=swordfish pg_dump", ["swordfish", "other secret"]), ["swordfish"]);
});
