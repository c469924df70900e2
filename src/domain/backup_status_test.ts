import assert from "node:assert/strict";
import { outcomeOfBackup } from "./backup_status.ts";

Deno.test("a backup has warnings if its run warned, or if something is missing from it", () => {
  assert.equal(outcomeOfBackup({ warnings_count: 0, missing: [], unreadable_count: 0 }), "succeeded");
  assert.equal(outcomeOfBackup({ warnings_count: 1, missing: [], unreadable_count: 0 }), "warnings");
  assert.equal(
    outcomeOfBackup({ warnings_count: 0, missing: [{ name: "shop" }], unreadable_count: 0 }),
    "warnings",
  );
  assert.equal(outcomeOfBackup({ warnings_count: 0, missing: [], unreadable_count: 1 }), "warnings");
});
