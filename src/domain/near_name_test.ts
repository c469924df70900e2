import assert from "node:assert/strict";
import { editDistance, nearestName } from "./near_name.ts";

const KNOWN = [
  "label",
  "type",
  "port",
  "encryption_password",
  "encryption_recipients",
  "database_password",
  "maximum_backups_to_keep",
  "custom_cron_expression",
  "remote_server_id",
  "tag_ids",
];

Deno.test("a name similar to a known one is matched to it", () => {
  for (
    const [name, meant] of [
      ["encryption_pasword", "encryption_password"],
      ["encryptionPassword", "encryption_password"],
      ["Encryption-Password", "encryption_password"],
      ["encryption_passphrase", "encryption_password"],
      ["db_pass", "database_password"],
      ["lable", "label"],
      ["max_backups_to_keep", "maximum_backups_to_keep"],
      ["cron_expression", "custom_cron_expression"],
      ["server_id", "remote_server_id"],
      ["tag_id", "tag_ids"],
    ] as const
  ) {
    assert.equal(nearestName(name, KNOWN), meant, name);
  }
});

Deno.test("an unrelated name matches none", () => {
  for (
    const name of ["id", "note", "created_at", "x", "", "created_by_tool", "host", "prefix", "é".repeat(9)]
  ) {
    assert.equal(nearestName(name, KNOWN), null, name);
  }
});

Deno.test("the distance of two names counts each wrong, missing, added or swapped letter once", () => {
  assert.deepEqual(
    [["label", "label"], ["lable", "label"], ["labl", "label"], ["labell", "label"], ["", "ab"]].map(
      ([a, b]) => editDistance(a!, b!),
    ),
    [0, 1, 1, 1, 2],
  );
});
