import assert from "node:assert/strict";
import type { Schedule } from "./schedule.ts";
import { clockChangeNotes, describeSchedule } from "./schedule_words.ts";

const daily = (time: string, timezone: string): Schedule => ({
  frequency: "daily",
  time_to_run_at: time,
  weekday: null,
  custom_cron_expression: null,
  timezone,
});
const cron = (expression: string, timezone = "UTC"): Schedule => ({
  frequency: null,
  time_to_run_at: null,
  weekday: null,
  custom_cron_expression: expression,
  timezone,
});

Deno.test("a schedule is described in words with its time zone", () => {
  const words: [Schedule, string][] = [
    [daily("02:30", "Europe/Berlin"), "Every day at 02:30 Europe/Berlin"],
    [{ ...daily("02:30", "UTC"), frequency: "weekly", weekday: 1 }, "Every Monday at 02:30 UTC"],
    [cron("30 2 * * *", "Europe/Berlin"), "Every day at 02:30 (Europe/Berlin)"],
    [cron("0 2 * * MON-FRI"), "At 02:00, Monday through Friday (UTC)"],
    [cron("* * * * *"), "Every minute (UTC)"],
    [cron("@weekly"), "Every Sunday at 00:00 (UTC)"],
    [cron("@Hourly"), "Every hour (UTC)"],
    [cron("0 2 L * *"), "At 02:00, on the last day of the month (UTC)"],
    // crontab(5): one of the two fields has to match the day. If a field begins with a star, both have to.
    [cron("0 2 1 * 1"), "At 02:00, on day 1 of the month; also at 02:00, only on Monday (UTC)"],
    [cron("0 2 */2 * 1"), "At 02:00, every 2 days in a month, only on Monday (UTC)"],
    [cron("0 2 * * MON#L"), "At the times of the cron expression 0 2 * * MON#L (UTC)"],
  ];
  for (const [schedule, expected] of words) assert.equal(describeSchedule(schedule), expected);
});

Deno.test("clock changes that skip or repeat a due time are noted, others are not", () => {
  const from = new Date("2026-01-05T12:00:00Z");
  assert.deepEqual(clockChangeNotes(daily("02:30", "Europe/Berlin"), from), [
    "On 2026-03-29 the clocks go forward from 02:00 to 03:00: 02:30 does not exist, so there is one run at 03:00.",
    "On 2026-10-25 the clocks go back from 03:00 to 02:00: 02:30 occurs twice, and only the first counts.",
  ]);
  assert.deepEqual(clockChangeNotes(cron("*/20 * * * *", "Europe/Berlin"), from), [
    "On 2026-03-29 the clocks go forward from 02:00 to 03:00: the times in between do not exist, so there is one run at 03:00.",
    "On 2026-10-25 the clocks go back from 03:00 to 02:00: the times in between occur twice, and only the first counts.",
  ]);
  assert.deepEqual(clockChangeNotes(daily("03:00", "Europe/Berlin"), from), []);
  assert.deepEqual(clockChangeNotes(daily("02:30", "UTC"), from), []);
  assert.deepEqual(clockChangeNotes(daily("02:30", "Nowhere/Gone"), from), []);
  assert.equal(clockChangeNotes(daily("02:15", "Australia/Lord_Howe"), from).length, 1);
});
