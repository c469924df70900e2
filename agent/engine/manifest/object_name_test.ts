import assert from "node:assert/strict";
import fc from "fast-check";
import type { BackupJob } from "../../../src/protocol/job.ts";
import { databaseInfix, GLOBALS_INFIX, objectName } from "./object_name.ts";

const job = (prefix: string) => ({ object: { prefix, stamp: "20260102030405" } }) as BackupJob;

Deno.test("objects are named by prefix, database and stamp", () => {
  assert.equal(objectName(job("backup_7"), null, ".tar.zst"), "backup_7_20260102030405.tar.zst");
  assert.equal(
    objectName(job("web_backup_7"), "shop", ".dump.zst.age"),
    "web_backup_7_shop_20260102030405.dump.zst.age",
  );
});

Deno.test("any database name can be encoded as a file name and decoded again", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (database) => {
    const infix = databaseInfix(database);
    assert.match(infix, /^[A-Za-z0-9._%-]+$/);
    assert.equal(decodeURIComponent(infix), database);
    assert.notEqual(infix, GLOBALS_INFIX);
  }));
  assert.equal(databaseInfix("../my db"), "..%2Fmy%20db");
});

Deno.test("a name that is too long is refused with the setting to change", () => {
  assert.throws(
    () => objectName(job("x".repeat(250)), null, ".tar.zst"),
    /over 240 bytes.*appended_file_name/,
  );
});
