import assert from "node:assert/strict";
import { boundariesOf } from "./day_range.ts";
import { uptimeOf } from "./uptime.ts";

const at = (time: string) => new Date(`2026-03-${time}:00Z`);
const range = boundariesOf({ timezone: "UTC", from: "2026-03-27", to: "2026-03-30" });

Deno.test("the share of each day counts what was recorded until now", () => {
  const intervals = [
    { connectedAt: at("20T00:00"), disconnectedAt: at("28T06:00") },
    { connectedAt: at("28T12:00"), disconnectedAt: at("28T18:00") },
    { connectedAt: at("29T12:00"), disconnectedAt: null },
  ];
  assert.deepEqual(uptimeOf(intervals, range, at("27T12:00"), at("29T16:00")), {
    total: Math.round((12 + 6 + 6 + 4) / (12 + 24 + 16) * 1e4) / 1e4,
    days: [1, 0.5, 0.25, null],
  });
  assert.deepEqual(uptimeOf([], range, at("01T00:00"), at("31T00:00")), { total: 0, days: [0, 0, 0, 0] });
  const never = { total: null, days: [null, null, null, null] };
  assert.deepEqual(uptimeOf(intervals, range, null, at("31T00:00")), never);
  assert.deepEqual(uptimeOf(intervals, range, at("31T00:00"), at("31T00:00")), never);
});

Deno.test("a day of 23 hours is whole without the hour that it lacks, and almost whole is not whole", () => {
  const short = boundariesOf({ timezone: "Europe/Copenhagen", from: "2026-03-29", to: "2026-03-29" });
  const all = { connectedAt: at("28T23:00"), disconnectedAt: at("29T22:00") };
  assert.deepEqual(uptimeOf([all], short, at("01T00:00"), at("31T00:00")).days, [1]);
  const less = { ...all, connectedAt: new Date(all.connectedAt.getTime() + 1000) };
  assert.deepEqual(uptimeOf([less], short, at("01T00:00"), at("31T00:00")).days, [0.9999]);
});
