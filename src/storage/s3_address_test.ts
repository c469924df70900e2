import assert from "node:assert/strict";
import { bucketUrl, objectUrl, regionOf } from "./s3_address.ts";

function address(endpoint: string | null, bucket: string, pathStyle = false, region: string | null = null) {
  return bucketUrl({ endpoint, bucket, pathStyle, region }).href;
}

Deno.test("Amazon's buckets are hosts, and paths where a certificate would not cover them", () => {
  assert.equal(address(null, "photos", false, "eu-west-1"), "https://photos.s3.eu-west-1.amazonaws.com/");
  assert.equal(address(null, "photos", true, "eu-west-1"), "https://s3.eu-west-1.amazonaws.com/photos/");
  assert.equal(
    address(null, "my.photos", false, "eu-west-1"),
    "https://s3.eu-west-1.amazonaws.com/my.photos/",
  );
  assert.equal(
    address(null, "photos", false, "cn-north-1"),
    "https://photos.s3.cn-north-1.amazonaws.com.cn/",
  );
});

Deno.test("a custom endpoint keeps its scheme, port and path", () => {
  assert.equal(address("minio.lan:9000", "b", true), "https://minio.lan:9000/b/");
  assert.equal(address("http://minio.lan:9000", "backups"), "http://backups.minio.lan:9000/");
  assert.equal(address("https://gate.lan/s3", "backups", true), "https://gate.lan/s3/backups/");
});

Deno.test("a bucket that no host name can carry is addressed by path", () => {
  assert.equal(address("http://127.0.0.1:9000", "backups"), "http://127.0.0.1:9000/backups/");
  assert.equal(address("http://[::1]:9000", "backups"), "http://[::1]:9000/backups/");
  assert.equal(address("https://minio.lan", "My_Backups"), "https://minio.lan/My_Backups/");
});

Deno.test("a region that is not given is R2's auto or us-east-1", () => {
  assert.equal(regionOf({ endpoint: "https://abc.r2.cloudflarestorage.com", region: null }), "auto");
  assert.equal(regionOf({ endpoint: "https://minio.lan", region: "" }), "us-east-1");
  assert.equal(regionOf({ endpoint: null, region: "ap-south-1" }), "ap-south-1");
});

Deno.test("keys are encoded byte by byte and can't leave the bucket", () => {
  const base = new URL("https://minio.lan/b/");
  assert.equal(
    objectUrl(base, "a b/+é/%41(1)'*!.zst").href,
    "https://minio.lan/b/a%20b/%2B%C3%A9/%2541%281%29%27%2A%21.zst",
  );
  for (const key of ["", "/a", "a/../b", ".", "a/./b"]) assert.throws(() => objectUrl(base, key), TypeError);
});
