import assert from "node:assert/strict";
import { instantOf } from "../timezone.ts";
import { addDays, boundariesOf, countDays } from "./day_range.ts";

Deno.test("days begin at their local midnight, also around clock changes", () => {
  const range = { from: "2025-10-20", to: "2026-11-05" };
  for (
    const timezone of [
      "UTC",
      "Europe/Berlin",
      "America/Santiago",
      "Africa/Casablanca",
      "Australia/Lord_Howe",
      "Pacific/Kiritimati",
    ]
  ) {
    const expected = Array.from(
      { length: countDays(range) + 1 },
      (_, index) => instantOf(timezone, Date.parse(`${addDays(range.from, index)}T00:00:00Z`)),
    );
    assert.deepEqual(boundariesOf({ timezone, ...range }), expected, timezone);
  }
  const march = boundariesOf({ timezone: "Europe/Berlin", from: "2026-03-29", to: "2026-03-29" });
  assert.equal(march[1]!.getTime() - march[0]!.getTime(), 23 * 3_600_000);
});
