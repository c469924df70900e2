import assert from "node:assert/strict";
import { missingSourceFields } from "../definitions/sources/registry.ts";
import {
  changeSchedule,
  missingScheduleFields,
  type ScheduleFields,
  withDefaultWeekday,
} from "./backup_task.ts";

const daily: ScheduleFields = {
  frequency: "daily",
  time_to_run_at: "01:00",
  weekday: null,
  custom_cron_expression: null,
};
const cron: ScheduleFields = {
  frequency: null,
  time_to_run_at: null,
  weekday: null,
  custom_cron_expression: "0 1 * * *",
};

Deno.test("A cron expression clears frequency, time and weekday", () => {
  const weekly = { ...daily, frequency: "weekly" as const, weekday: 3 };
  assert.deepEqual(changeSchedule(weekly, { custom_cron_expression: "0 1 * * *" }), cron);
});

Deno.test("A frequency and a time clear the cron expression", () => {
  assert.deepEqual(changeSchedule(cron, { frequency: "daily", time_to_run_at: "01:00" }), daily);
});

Deno.test("If both are sent, the cron expression wins", () => {
  assert.deepEqual(changeSchedule(daily, { ...cron, frequency: "daily", time_to_run_at: "02:00" }), cron);
});

Deno.test("A null cron expression alone leaves a daily task unchanged", () => {
  assert.deepEqual(changeSchedule(daily, { custom_cron_expression: null }), daily);
});

Deno.test("A frequency alone replaces a cron expression and leaves the time missing", () => {
  const changed = changeSchedule(cron, { frequency: "daily" });
  assert.equal(changed.custom_cron_expression, null);
  assert.deepEqual(Object.keys(missingScheduleFields(changed)), [
    "time_to_run_at",
  ]);
});

Deno.test("Only a weekly task has a weekday", () => {
  const weekly = changeSchedule(daily, { frequency: "weekly", weekday: 2 });
  assert.equal(weekly.weekday, 2);
  assert.equal(changeSchedule(weekly, { time_to_run_at: "03:00" }).weekday, 2);
  assert.equal(changeSchedule(weekly, { frequency: "daily" }).weekday, null);
  assert.equal(changeSchedule(daily, { weekday: 2 }).weekday, null);
});

Deno.test("The default weekday is the creation weekday in the task's time zone", () => {
  const weekly = { ...daily, frequency: "weekly" as const };
  // This moment is on a Wednesday in UTC, and on a Thursday in Tokyo.
  const createdAt = new Date("2024-08-07T20:00:00Z");
  assert.equal(withDefaultWeekday(weekly, "UTC", createdAt).weekday, 3);
  assert.equal(withDefaultWeekday(weekly, "Asia/Tokyo", createdAt).weekday, 4);
  assert.equal(withDefaultWeekday({ ...weekly, weekday: 0 }, "UTC", createdAt).weekday, 0);
  assert.equal(withDefaultWeekday(daily, "UTC", createdAt).weekday, null);
});

Deno.test("All missing fields are reported together", () => {
  const missing = (task: Record<string, unknown>) => ({
    ...missingSourceFields(task),
    ...missingScheduleFields(task),
  });
  assert.deepEqual(Object.keys(missing({ type: "files" })), [
    "source_path",
    "frequency",
    "time_to_run_at",
  ]);
  assert.deepEqual(Object.keys(missing({ type: "database", ...cron })), ["database_name"]);
  assert.deepEqual(missing({ type: "database", database_name: "*", ...daily }), {});
});
