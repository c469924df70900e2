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

Deno.test("the region of a known service is told by its host name", () => {
  for (
    const [host, region] of Object.entries({
      "s3.eu-west-3.amazonaws.com": "eu-west-3",
      "s3.dualstack.us-west-2.amazonaws.com": "us-west-2",
      "s3.cn-north-1.amazonaws.com.cn": "cn-north-1",
      "storage.googleapis.com": "auto",
      "s3.eu-central-003.backblazeb2.com": "eu-central-003",
      "s3.eu-central-1.wasabisys.com": "eu-central-1",
      "s3.fr-par.scw.cloud": "fr-par",
      "s3.gra.io.cloud.ovh.net": "gra",
      "s3.de.io.cloud.ovh.net": "de",
      "sos-ch-gva-2.exo.io": "ch-gva-2",
      "s3.eu-central-3.ionoscloud.com": "eu-central-3",
      "fra1.digitaloceanspaces.com": "fra1",
      "us-east-1.linodeobjects.com": "us-east-1",
      "fsn1.your-objectstorage.com": "fsn1",
      "oss-eu-central-1.aliyuncs.com": "eu-central-1",
      "ns.compat.objectstorage.eu-frankfurt-1.oraclecloud.com": "eu-frankfurt-1",
      "minio.example.com": "us-east-1",
      "s3.example.com": "us-east-1",
      "s3.my-company.com": "us-east-1",
      "s3.wasabisys.com": "us-east-1",
    })
  ) assert.equal(regionOf({ endpoint: `https://${host}`, region: null }), region, host);
});

Deno.test("keys are encoded byte by byte and can't leave the bucket", () => {
  const base = new URL("https://minio.lan/b/");
  assert.equal(
    objectUrl(base, "a b/+é/%41(1)'*!.zst").href,
    "https://minio.lan/b/a%20b/%2B%C3%A9/%2541%281%29%27%2A%21.zst",
  );
  for (const key of ["", "/a", "a/../b", ".", "a/./b"]) assert.throws(() => objectUrl(base, key), TypeError);
});
