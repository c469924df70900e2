import assert from "node:assert/strict";
import { fill } from "./api_path.ts";

Deno.test("a path of the API is filled with escaped values", () => {
  assert.equal(fill("/api/backups/{id}/files", { id: "1/../2" }), "/api/backups/1%2F..%2F2/files");
  const query = { search: "a&b=c", page: 2, status: "", type: null };
  assert.equal(fill("/api/backups", { query }), "/api/backups?search=a%26b%3Dc&page=2");
  assert.equal(fill("/api/overview"), "/api/overview");
  assert.equal(fill("/api/backups?page=2"), "/api/backups?page=2");
});
