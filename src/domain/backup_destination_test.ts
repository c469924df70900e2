import assert from "node:assert/strict";
import {
  type DestinationSettings,
  fieldsOf,
  isSameStorage,
  missingDestinationFields,
  movedSettings,
  NO_FIELDS,
} from "./backup_destination.ts";

Deno.test("each type reports every missing field by its name in requests", () => {
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

Deno.test("a change of type keeps no field of the old type", () => {
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

Deno.test("both S3 types count as the same storage", () => {
  assert.ok(isSameStorage("s3", "custom_s3") && isSameStorage("sftp", "sftp"));
  assert.ok(!isSameStorage("s3", "sftp") && !isSameStorage("local", "custom_s3"));
});

Deno.test("another bucket, service, host, port or user is another location; another spelling, key or path is not", () => {
  const moved = (before: Partial<DestinationSettings>, after: Partial<DestinationSettings>) =>
    movedSettings(
      { ...NO_FIELDS, type: "custom_s3", s3_bucket_name: "b", ...before },
      { ...NO_FIELDS, type: "custom_s3", s3_bucket_name: "b", ...before, ...after },
    );
  const minio = { s3_endpoint: "https://minio.example.com:9000" };
  assert.deepEqual(moved(minio, { s3_bucket_name: "c" }), ["s3_bucket_name"]);
  assert.deepEqual(moved(minio, { s3_endpoint: "https://minio.example.com:9001" }), ["custom_s3_endpoint"]);
  assert.deepEqual(moved(minio, { s3_endpoint: "https://minio.example.com:9000/store" }), [
    "custom_s3_endpoint",
  ]);
  for (
    const same of [
      { s3_endpoint: "minio.example.com:9000" },
      { s3_endpoint: "http://MINIO.example.com:9000/" },
      { s3_region: "eu-west-1", path_style_endpoint: true },
      { s3_access_key_encrypted: "new", s3_secret_key_encrypted: "new" },
    ]
  ) assert.deepEqual(moved(minio, same), []);
  // Amazon's bucket names are unique within a partition, whatever the region or spelling of the address.
  const amazon = { type: "s3" as const, s3_region: "eu-west-1" };
  assert.deepEqual(moved(amazon, { s3_region: "eu-central-1" }), []);
  assert.deepEqual(
    moved(amazon, { type: "custom_s3", s3_endpoint: "https://s3.dualstack.eu-west-1.amazonaws.com" }),
    [],
  );
  assert.deepEqual(moved(amazon, { type: "custom_s3", s3_endpoint: "s3.eu-west-1.amazonaws.com" }), []);
  assert.deepEqual(moved(amazon, { s3_region: "cn-north-1" }), ["custom_s3_endpoint"]);
  const sftp = { type: "sftp" as const, sftp_host: "nas", sftp_port: 22, sftp_username: "ada" };
  assert.deepEqual(moved(sftp, { sftp_host: "other", sftp_port: 23, sftp_username: "eve" }), [
    "sftp_host",
    "sftp_port",
    "sftp_username",
  ]);
  assert.deepEqual(moved(sftp, { sftp_host: "NAS", sftp_path: "/b", sftp_password_encrypted: "new" }), []);
  assert.deepEqual(moved({ type: "local", local_path: "/a" }, { local_path: "/b" }), []);
});
