import assert from "node:assert/strict";
import { periodOf } from "./retention_period.ts";

Deno.test("periods follow the zone's local calendar", () => {
  const at = new Date("2024-08-06T22:30:00Z");
  const named = (zone: string) =>
    (["hourly", "daily", "weekly", "monthly", "yearly"] as const).map((period) => periodOf(period, zone, at));
  assert.deepEqual(named("UTC"), ["2024-08-06 22:00+00:00", "2024-08-06", "2024-W32", "2024-08", "2024"]);
  assert.deepEqual(named("Europe/Berlin").slice(0, 2), ["2024-08-07 00:00+02:00", "2024-08-07"]);
  const newYear = new Date("2023-12-31T23:30:00Z");
  assert.equal(periodOf("yearly", "Europe/Berlin", newYear), "2024");
  assert.equal(periodOf("monthly", "America/New_York", newYear), "2023-12");
});

Deno.test("weeks are ISO weeks: they begin on Monday, and the first one has the year's first Thursday", () => {
  const week = (date: string) => periodOf("weekly", "UTC", new Date(`${date}T12:00:00Z`));
  assert.deepEqual(
    ["2021-01-03", "2021-01-04", "2024-12-29", "2024-12-30", "2027-01-01"].map(week),
    ["2020-W53", "2021-W01", "2024-W52", "2025-W01", "2026-W53"],
  );
});

Deno.test("a repeated hour is two periods, and a day of 23 or 25 hours is one", () => {
  const hour = (at: string) => periodOf("hourly", "Europe/Berlin", new Date(at));
  assert.equal(hour("2026-10-25T00:30:00Z"), "2026-10-25 02:00+02:00");
  assert.equal(hour("2026-10-25T01:30:00Z"), "2026-10-25 02:00+01:00");
  const day = (at: string) => periodOf("daily", "Europe/Berlin", new Date(at));
  assert.deepEqual(["2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"].map(day), ["2026-10-25", "2026-10-25"]);
  assert.equal(day("2026-10-25T23:00:00Z"), "2026-10-26");
  assert.deepEqual(["2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"].map(day), ["2026-03-29", "2026-03-29"]);
  assert.equal(day("2026-03-29T22:00:00Z"), "2026-03-30");
});
