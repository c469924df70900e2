import assert from "node:assert/strict";
import { definitionOf, DESTINATION_TYPES, type DestinationType } from "./registry.ts";
import {
  ALL_FIELDS,
  fieldValues,
  isSameStorage,
  missingFields,
  movedSettings,
  sentNames,
  storedSecrets,
  storedSettings,
  type TypedSettings,
} from "./settings.ts";

Deno.test("each type names every field it lacks, as callers call it", () => {
  const missing = (type: DestinationType, fields: Record<string, string> = {}) =>
    Object.keys(missingFields(type, (name) => name in fields));
  assert.deepEqual(missing("local"), []);
  assert.deepEqual(missing("s3"), ["s3_access_key", "s3_secret_key", "s3_bucket_name", "s3_region"]);
  assert.deepEqual(missing("custom_s3"), [
    "s3_access_key",
    "s3_secret_key",
    "s3_bucket_name",
    "custom_s3_endpoint",
  ]);
  assert.deepEqual(missing("sftp"), ["sftp_host", "sftp_username", "sftp_password"]);
  assert.deepEqual(missing("sftp", { sftp_private_key: "x" }), ["sftp_host", "sftp_username"]);
});

Deno.test("a new type keeps nothing of the old one", () => {
  const settings = { local_path: "/x", s3_endpoint: "https://x", s3_region: "r", path_style_endpoint: true };
  const secrets = { s3_secret_key: "sealed", sftp_password: null };
  assert.deepEqual(storedSettings("local", settings), { local_path: "/x" });
  assert.deepEqual(storedSecrets("local", secrets), {});
  assert.deepEqual(storedSettings("s3", settings), { s3_region: "r", path_style_endpoint: true });
  assert.deepEqual(storedSecrets("s3", secrets), { s3_secret_key: "sealed" });
});

Deno.test("what is not set gets its default, and a passphrase is not stored", () => {
  const sent = { sftp_host: "nas", sftp_port: null, sftp_private_key_passphrase: "p" };
  assert.deepEqual(storedSettings("sftp", sent), { sftp_host: "nas", sftp_port: 22 });
  assert.deepEqual(storedSecrets("sftp", { sftp_private_key_passphrase: "p", sftp_password: "q" }), {
    sftp_password: "q",
  });
  assert.deepEqual(storedSettings("custom_s3", {}), { path_style_endpoint: false });
});

Deno.test("of two names of a field, the one with a value counts", () => {
  assert.deepEqual(fieldValues({ label: "x", custom_s3_endpoint: "https://x" }), {
    s3_endpoint: "https://x",
  });
  assert.deepEqual(fieldValues({ s3_region: null, custom_s3_region: "r" }), { s3_region: "r" });
  assert.deepEqual(fieldValues({ s3_region: "a", custom_s3_region: "b" }), { s3_region: "a" });
  assert.deepEqual(fieldValues({ custom_s3_region: null }), { s3_region: null });
  assert.deepEqual(fieldValues({ s3_endpoint: "https://not-this-name" }), {});
});

Deno.test("types that share a field agree on it, and no two fields have the same name", () => {
  const names = [...ALL_FIELDS].flatMap(([name, field]) => sentNames(name, field));
  assert.deepEqual(names.toSorted(), [...new Set(names)].sort());
  for (const type of DESTINATION_TYPES) {
    for (const [name, { isRequired: _, ...field }] of Object.entries(definitionOf(type).fields)) {
      const { isRequired: _, ...shared } = ALL_FIELDS.get(name)!;
      assert.deepEqual(field, shared, `${name} of ${type}`);
    }
  }
});

Deno.test("the two kinds of S3 are one storage", () => {
  assert.ok(isSameStorage("s3", "custom_s3") && isSameStorage("sftp", "sftp"));
  assert.ok(!isSameStorage("s3", "sftp") && !isSameStorage("local", "custom_s3"));
});

Deno.test("another bucket, service, host, port or user is another place; another spelling or path is not", () => {
  const moved = (
    type: DestinationType,
    before: TypedSettings["settings"],
    { type: next = type, ...after }: Partial<TypedSettings["settings"]> & { type?: DestinationType },
  ) => movedSettings({ type, settings: before }, { type: next, settings: { ...before, ...after } });
  const minio = { s3_bucket_name: "b", s3_endpoint: "https://minio.example.com:9000" };
  assert.deepEqual(moved("custom_s3", minio, { s3_bucket_name: "c" }), ["s3_bucket_name"]);
  for (const elsewhere of ["https://minio.example.com:9001", "https://minio.example.com:9000/store"]) {
    assert.deepEqual(moved("custom_s3", minio, { s3_endpoint: elsewhere }), ["custom_s3_endpoint"]);
  }
  for (
    const same of [
      { s3_endpoint: "minio.example.com:9000" },
      { s3_endpoint: "http://MINIO.example.com:9000/" },
      { s3_region: "eu-west-1", path_style_endpoint: true },
    ]
  ) assert.deepEqual(moved("custom_s3", minio, same), []);
  // Amazon's bucket names are unique within a partition. So another region, or another spelling of the
  // endpoint, still means the same bucket.
  const amazon = { s3_bucket_name: "b", s3_region: "eu-west-1" };
  assert.deepEqual(moved("s3", amazon, { s3_region: "eu-central-1" }), []);
  for (const s3_endpoint of ["https://s3.dualstack.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]) {
    assert.deepEqual(moved("s3", amazon, { type: "custom_s3", s3_endpoint }), []);
  }
  assert.deepEqual(moved("s3", amazon, { s3_region: "cn-north-1" }), ["custom_s3_endpoint"]);
  const sftp = { sftp_host: "nas", sftp_port: 22, sftp_username: "ada" };
  assert.deepEqual(moved("sftp", sftp, { sftp_host: "other", sftp_port: 23, sftp_username: "eve" }), [
    "sftp_host",
    "sftp_port",
    "sftp_username",
  ]);
  assert.deepEqual(moved("sftp", sftp, { sftp_host: "NAS", sftp_path: "/b" }), []);
  assert.deepEqual(moved("local", { local_path: "/a" }, { local_path: "/b" }), []);
});
