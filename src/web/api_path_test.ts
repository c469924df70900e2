import assert from "node:assert/strict";
import type { Schema } from "../client/client.ts";
import { type DataOf, fill, type Filling, type RowOf } from "./api_path.ts";

/** True if both types are the same, otherwise false. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

// The compiler refuses `true` where a type is not as expected.
const SAME: [
  Same<DataOf<"/api/overview">, Schema<"Overview">>,
  Same<RowOf<"/api/backups">, Schema<"Backup">>,
  Same<Pick<NonNullable<Filling<"/api/backups/{id}">[0]>, "id">, { readonly id: string | number }>,
] = [true, true, true];

Deno.test("a path of the API is filled with escaped values", () => {
  assert.ok(SAME.every((same) => same));
  assert.equal(fill("/api/backups/{id}/files", { id: "1/../2" }), "/api/backups/1%2F..%2F2/files");
  const query = { search: "a&b=c", page: 2, status: "", type: null };
  assert.equal(fill("/api/backups", { query }), "/api/backups?search=a%26b%3Dc&page=2");
  assert.equal(fill("/api/overview"), "/api/overview");
  assert.equal(fill("/api/backups?page=2"), "/api/backups?page=2");
});
