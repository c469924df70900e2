import assert from "node:assert/strict";
import { fieldsOf, isSameStorage, missingDestinationFields, NO_FIELDS } from "./backup_destination.ts";

Deno.test("each type names every field it lacks, as callers call it", () => {
  const missing = (type: "local" | "s3" | "custom_s3" | "sftp", fields = {}) =>
    Object.keys(missingDestinationFields(type, { ...NO_FIELDS, ...fields }));
  assert.deepEqual(missing("local"), []);
  assert.deepEqual(missing("s3"), ["s3_access_key", "s3_secret_key", "s3_bucket_name", "s3_region"]);
  assert.deepEqual(missing("custom_s3"), [
    "s3_access_key",
    "s3_secret_key",
    "s3_bucket_name",
    "custom_s3_endpoint",
  ]);
  assert.deepEqual(missing("sftp"), ["sftp_host", "sftp_username", "sftp_password"]);
  assert.deepEqual(missing("sftp", { sftp_private_key_encrypted: "x" }), ["sftp_host", "sftp_username"]);
});

Deno.test("a new type keeps nothing of the old one", () => {
  const fields = {
    ...NO_FIELDS,
    local_path: "/x",
    s3_secret_key_encrypted: "sealed",
    s3_endpoint: "https://x",
    s3_region: "r",
    path_style_endpoint: true,
  };
  assert.deepEqual(fieldsOf("local", fields), { ...NO_FIELDS, local_path: "/x" });
  assert.deepEqual(fieldsOf("s3", fields), {
    ...NO_FIELDS,
    s3_secret_key_encrypted: "sealed",
    s3_region: "r",
    path_style_endpoint: true,
  });
});

Deno.test("the two kinds of S3 are one storage", () => {
  assert.ok(isSameStorage("s3", "custom_s3") && isSameStorage("sftp", "sftp"));
  assert.ok(!isSameStorage("s3", "sftp") && !isSameStorage("local", "custom_s3"));
});
