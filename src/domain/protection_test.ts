import assert from "node:assert/strict";
import { lateAt, type ProtectionStatus, protectionStatus, type ProtectionTerms } from "./protection.ts";

const MINUTE = 60_000;
const DAILY = {
  frequency: "daily",
  time_to_run_at: "01:00",
  weekday: null,
  custom_cron_expression: null,
  timezone: "UTC",
} as const;
const cron = (custom_cron_expression: string) => ({
  ...DAILY,
  frequency: null,
  time_to_run_at: null,
  custom_cron_expression,
});

function late(terms: Partial<Omit<ProtectionTerms, "newest">> & { newest?: string; took?: number }) {
  const { newest, took = 0, ...rest } = terms;
  const time = lateAt({
    schedule: DAILY,
    max_age: null,
    server_class: "always_on",
    promised_at: new Date("2026-01-05T12:00:00Z"),
    newest: newest === undefined ? null : { started_at: new Date(newest), duration_ms: took },
    ...rest,
  });
  return time?.toISOString().replace(":00.000Z", "Z") ?? null;
}

Deno.test("a task is late when the backup of a due time is not stored within a part of the interval", () => {
  assert.equal(late({}), "2026-01-06T07:00Z", "the first due time, and 6 hours");
  assert.equal(late({ newest: "2026-01-06T01:00:00Z" }), "2026-01-07T07:00Z");
  assert.equal(late({ schedule: cron("0 * * * *") }), "2026-01-05T13:15Z");
  assert.equal(late({ schedule: cron("*/5 * * * *") }), "2026-01-05T12:20Z");
  assert.equal(late({ schedule: cron("0 */8 * * *") }), "2026-01-05T18:00Z");
  // This schedule has no due time at the weekend.
  const weekdays = { schedule: cron("0 1 * * 1-5"), newest: "2026-01-09T01:00:00Z" };
  assert.equal(late(weekdays), "2026-01-12T07:00Z");
});

Deno.test("a backup that takes long may take twice its time", () => {
  assert.equal(late({ newest: "2026-01-06T01:00:00Z", took: 5 * 60 * MINUTE }), "2026-01-07T17:00Z");
});

Deno.test("due times before the task got its schedule, or was resumed, are not promised", () => {
  const hourly = cron("0 * * * *");
  assert.equal(late({ schedule: hourly, newest: "2026-01-05T01:00:00Z" }), "2026-01-05T13:15Z");
});

Deno.test("max_age counts from the start of the newest backup, or of the promise", () => {
  assert.equal(late({ max_age: 7200 }), "2026-01-05T14:00Z");
  assert.equal(late({ max_age: 7200, newest: "2026-01-05T11:00:00Z", took: MINUTE }), "2026-01-05T13:00Z");
});

Deno.test("a task on an intermittent server has a week, or three intervals", () => {
  const server_class = "intermittent";
  assert.equal(late({ server_class, newest: "2026-01-06T01:00:00Z" }), "2026-01-13T01:00Z");
  const weekly = { ...DAILY, frequency: "weekly", weekday: 1 } as const;
  assert.equal(late({ server_class, schedule: weekly }), "2026-01-26T12:00Z");
});

Deno.test("the status goes by the age of the newest backup before it goes by the last run", () => {
  const now = new Date("2026-01-06T07:00:00Z");
  const before = new Date("2026-01-06T06:59:00Z");
  const after = new Date("2026-01-06T07:01:00Z");
  const facts = { is_paused: false, newest_backup_at: before, has_failed: false, late_at: after };
  const cases: [Partial<Parameters<typeof protectionStatus>[0]>, ProtectionStatus][] = [
    [{}, "protected"],
    [{ late_at: null }, "protected"],
    [{ late_at: now }, "late"],
    [{ has_failed: true }, "failing"],
    [{ has_failed: true, late_at: before }, "late"],
    [{ newest_backup_at: null }, "never_backed_up"],
    [{ newest_backup_at: null, late_at: before }, "never_backed_up"],
    [{ is_paused: true, late_at: before, has_failed: true }, "paused"],
  ];
  for (const [change, status] of cases) {
    assert.equal(protectionStatus({ ...facts, ...change }, now), status, JSON.stringify(change));
  }
});
