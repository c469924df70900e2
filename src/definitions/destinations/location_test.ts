import assert from "node:assert/strict";
import { InvalidError } from "../../domain/errors.ts";
import { objectKey } from "../../domain/location.ts";
import { destinationDirectory, objectDirectory } from "./location.ts";
import type { TypedSettings } from "./settings.ts";

const local = (local_path?: string): TypedSettings => ({ type: "local", settings: { local_path } });
const sftp = (sftp_path?: string): TypedSettings => ({ type: "sftp", settings: { sftp_path } });
const s3: TypedSettings = { type: "custom_s3", settings: {} };

Deno.test("a local place joins local_path, / by default, with store_path", () => {
  assert.equal(destinationDirectory(local(), "/backups/weekly"), "/backups/weekly");
  assert.equal(destinationDirectory(local(), null), "/");
  assert.equal(destinationDirectory(local("/srv/"), "backups//./weekly/"), "/srv/backups/weekly");
});

Deno.test("nothing is written into the root directory itself", () => {
  assert.throws(() => objectDirectory(local(), null), InvalidError);
  assert.throws(() => objectDirectory(local("/"), "./"), InvalidError);
  assert.equal(objectDirectory(local(), "/backups"), "/backups");
  assert.equal(objectDirectory(s3, null), "");
  assert.equal(objectDirectory(sftp(), null), ".");
});

Deno.test("an SFTP place without a path is the account's own directory", () => {
  assert.equal(destinationDirectory(sftp(), null), ".");
  assert.equal(destinationDirectory(sftp(), "/backups"), "backups");
  assert.equal(destinationDirectory(sftp("/data"), "/backups"), "/data/backups");
  assert.equal(destinationDirectory(sftp("../up"), "x"), "../up/x");
});

Deno.test("an S3 place drops the slashes at both ends", () => {
  assert.equal(destinationDirectory(s3, "/backups/weekly/"), "backups/weekly");
  assert.equal(destinationDirectory(s3, null), "");
  assert.equal(objectKey("backups/weekly", "a.tar.zst"), "backups/weekly/a.tar.zst");
  assert.equal(objectKey("", "a.tar.zst"), "a.tar.zst");
});

Deno.test("a store_path can't leave its place", () => {
  for (const path of ["../etc", "a/../../b", "a\0b"]) {
    assert.throws(() => destinationDirectory(local("/srv"), path), InvalidError);
  }
});
