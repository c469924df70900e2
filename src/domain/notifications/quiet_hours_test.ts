import assert from "node:assert/strict";
import { type QuietHours, quietUntil } from "./quiet_hours.ts";

const NIGHT: QuietHours = {
  quiet_from: "22:00",
  quiet_to: "07:00",
  quiet_days: [],
  quiet_except: [],
  timezone: "Europe/Berlin",
};
const until = (hours: Partial<QuietHours>, at: string) =>
  quietUntil({ ...NIGHT, ...hours }, new Date(at), "UTC")?.toISOString() ?? null;

Deno.test("quiet hours end on the next day in the time zone of the stream, or else of the user", () => {
  assert.equal(until({}, "2026-01-05T20:59:59Z"), null);
  assert.equal(until({}, "2026-01-05T21:00:00Z"), "2026-01-06T06:00:00.000Z");
  assert.equal(until({}, "2026-01-06T05:59:59Z"), "2026-01-06T06:00:00.000Z");
  assert.equal(until({}, "2026-01-06T06:00:00Z"), null);
  assert.equal(until({ timezone: null }, "2026-01-05T22:00:00Z"), "2026-01-06T07:00:00.000Z");
  assert.equal(
    until({ quiet_from: "12:00", quiet_to: "13:00" }, "2026-01-05T11:30:00Z"),
    "2026-01-05T12:00:00.000Z",
  );
  assert.equal(until({ quiet_from: null, quiet_to: null }, "2026-01-05T22:00:00Z"), null);
});

Deno.test("only the nights of the chosen days are quiet, until their morning", () => {
  const friday = { quiet_days: [5] };
  assert.equal(until(friday, "2026-01-09T22:00:00Z"), "2026-01-10T06:00:00.000Z");
  assert.equal(until(friday, "2026-01-10T05:00:00Z"), "2026-01-10T06:00:00.000Z");
  assert.equal(until(friday, "2026-01-10T22:00:00Z"), null);
  assert.equal(until(friday, "2026-01-09T05:00:00Z"), null);
});

Deno.test("quiet hours end at their local time when clocks change", () => {
  assert.equal(until({}, "2026-03-28T22:00:00Z"), "2026-03-29T05:00:00.000Z");
  assert.equal(until({ quiet_to: "02:30" }, "2026-03-29T00:30:00Z"), "2026-03-29T01:00:00.000Z");
  assert.equal(until({ quiet_to: "02:30" }, "2026-10-25T00:10:00Z"), "2026-10-25T00:30:00.000Z");
  assert.equal(until({ quiet_to: "02:30" }, "2026-10-25T01:10:00Z"), null, "02:10 for the second time");
});
