import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cronProblem,
  dueTimesWithin,
  humanWait,
  nextRun,
  regularInterval,
  type Schedule,
  upcoming,
} from "./schedule.ts";
import { localIso, localSpan, wallTime } from "../timezone.ts";

const daily = (time: string, timezone: string): Schedule => ({
  frequency: "daily",
  time_to_run_at: time,
  weekday: null,
  custom_cron_expression: null,
  timezone,
});
const weekly = (weekday: number, time: string, timezone: string): Schedule => ({
  ...daily(time, timezone),
  frequency: "weekly",
  weekday,
});
const cron = (expression: string, timezone: string): Schedule => ({
  frequency: null,
  time_to_run_at: null,
  weekday: null,
  custom_cron_expression: expression,
  timezone,
});

const texts = (times: Date[]) => times.map((time) => time.toISOString().replace(":00.000Z", "Z"));

/** The columns are name, schedule, start and next due times. */
const table: [string, Schedule, string, string[]][] = [
  ["a plain day in UTC", daily("01:00", "UTC"), "2024-08-07T00:00:00Z", [
    "2024-08-07T01:00Z",
    "2024-08-08T01:00Z",
  ]],
  ["a due time is not after itself", daily("01:00", "UTC"), "2024-08-07T01:00:00Z", ["2024-08-08T01:00Z"]],
  ["half a second before it", daily("01:00", "UTC"), "2024-08-07T00:59:59.500Z", ["2024-08-07T01:00Z"]],
  ["Berlin skips 02:30: just after the gap", daily("02:30", "Europe/Berlin"), "2026-03-28T12:00:00Z", [
    "2026-03-29T01:00Z",
    "2026-03-30T00:30Z",
  ]],
  ["Berlin repeats 02:30: the first", daily("02:30", "Europe/Berlin"), "2026-10-24T12:00:00Z", [
    "2026-10-25T00:30Z",
    "2026-10-26T01:30Z",
  ]],
  ["between Berlin's two 02:30", daily("02:30", "Europe/Berlin"), "2026-10-25T01:15:00Z", [
    "2026-10-26T01:30Z",
  ]],
  ["at the end of Berlin's gap", daily("03:00", "Europe/Berlin"), "2026-03-28T12:00:00Z", [
    "2026-03-29T01:00Z",
  ]],
  ["New York skips 02:00", daily("02:00", "America/New_York"), "2026-03-07T12:00:00Z", [
    "2026-03-08T07:00Z",
    "2026-03-09T06:00Z",
  ]],
  ["New York repeats 01:30", daily("01:30", "America/New_York"), "2026-10-31T12:00:00Z", [
    "2026-11-01T05:30Z",
    "2026-11-02T06:30Z",
  ]],
  ["Lord Howe skips half an hour", daily("02:15", "Australia/Lord_Howe"), "2026-10-03T00:00:00Z", [
    "2026-10-03T15:30Z",
    "2026-10-04T15:15Z",
  ]],
  ["Lord Howe repeats half an hour", daily("01:45", "Australia/Lord_Howe"), "2026-04-04T00:00:00Z", [
    "2026-04-04T14:45Z",
    "2026-04-05T15:15Z",
  ]],
  ["Casablanca's clock goes back for Ramadan", daily("02:30", "Africa/Casablanca"), "2026-02-14T12:00:00Z", [
    "2026-02-15T01:30Z",
    "2026-02-16T02:30Z",
  ]],
  ["and forward after it", daily("02:30", "Africa/Casablanca"), "2026-03-21T12:00:00Z", [
    "2026-03-22T02:00Z",
    "2026-03-23T01:30Z",
  ]],
  ["Santiago skips midnight", daily("00:00", "America/Santiago"), "2026-09-05T12:00:00Z", [
    "2026-09-06T04:00Z",
    "2026-09-07T03:00Z",
  ]],
  ["Santiago repeats 23:30", daily("23:30", "America/Santiago"), "2026-04-04T12:00:00Z", [
    "2026-04-05T02:30Z",
    "2026-04-06T03:30Z",
  ]],
  ["Beirut skips half past midnight", daily("00:30", "Asia/Beirut"), "2026-03-28T12:00:00Z", [
    "2026-03-28T22:00Z",
    "2026-03-29T21:30Z",
  ]],
  ["Apia skipped a whole day", daily("12:00", "Pacific/Apia"), "2011-12-29T12:00:00Z", [
    "2011-12-29T22:00Z",
    "2011-12-30T10:00Z",
    "2011-12-30T22:00Z",
  ]],
  ["a week, on the zone's Sunday", weekly(0, "00:30", "Asia/Tokyo"), "2026-11-24T00:00:00Z", [
    "2026-11-28T15:30Z",
    "2026-12-05T15:30Z",
  ]],
  ["a week whose Sunday lacks midnight", weekly(0, "00:00", "America/Santiago"), "2026-09-01T12:00:00Z", [
    "2026-09-06T04:00Z",
    "2026-09-13T03:00Z",
  ]],
  [
    "a week whose night is repeated runs once",
    weekly(0, "02:30", "Europe/Berlin"),
    "2026-10-25T00:30:00Z",
    ["2026-11-01T01:30Z"],
  ],
  ["a list of hours", cron("30 2,14 * * *", "Europe/Berlin"), "2026-03-28T20:00:00Z", [
    "2026-03-29T01:00Z",
    "2026-03-29T12:30Z",
  ]],
  ["several times in one gap run once", cron("*/15 2 * * *", "Europe/Berlin"), "2026-03-28T12:00:00Z", [
    "2026-03-29T01:00Z",
    "2026-03-30T00:00Z",
  ]],
  ["every half hour over a repeated hour", cron("*/30 * * * *", "Europe/Berlin"), "2026-10-24T23:59:00Z", [
    "2026-10-25T00:00Z",
    "2026-10-25T00:30Z",
    "2026-10-25T02:00Z",
  ]],
  ["the month's last day", cron("0 0 L * *", "UTC"), "2026-02-01T00:00:00Z", [
    "2026-02-28T00:00Z",
    "2026-03-31T00:00Z",
  ]],
  ["the second Friday", cron("0 0 * * FRI#2", "UTC"), "2026-01-01T00:00:00Z", ["2026-01-09T00:00Z"]],
  ["the last Friday", cron("0 0 * * FRIL", "UTC"), "2026-01-01T00:00:00Z", ["2026-01-30T00:00Z"]],
  ["the weekday nearest the 15th", cron("0 0 15W * *", "UTC"), "2026-02-01T00:00:00Z", ["2026-02-16T00:00Z"]],
  ["a nickname", cron("@weekly", "Europe/Berlin"), "2026-11-24T00:00:00Z", ["2026-11-28T23:00Z"]],
  ["the 29th of February", cron("0 0 29 2 *", "UTC"), "2026-01-01T00:00:00Z", ["2028-02-29T00:00Z"]],
];

for (const [name, schedule, after, expected] of table) {
  Deno.test(`The next run: ${name}`, () => {
    assert.deepEqual(texts(upcoming(schedule, new Date(after), expected.length)), expected);
  });
}

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "America/Santiago",
  "Asia/Beirut",
  "Asia/Kathmandu",
  "Antarctica/Troll",
];
const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);
const instant = fc.date({
  min: new Date("2025-01-01T00:00:00Z"),
  max: new Date("2028-01-01T00:00:00Z"),
  noInvalidDate: true,
});

Deno.test("If a day field begins with a star, both day fields must match, as in crontab(5)", () => {
  for (
    const [expression, expected] of [
      ["0 2 */2 * 1", ["2026-01-05", "2026-01-19", "2026-02-09"]],
      ["0 2 1 * */2", ["2026-02-01", "2026-03-01", "2026-08-01"]],
      ["0 2 * * 1", ["2026-01-05", "2026-01-12", "2026-01-19"]],
      ["0 2 10 * *", ["2026-01-10", "2026-02-10", "2026-03-10"]],
      ["0 2 10 * 1", ["2026-01-05", "2026-01-10", "2026-01-12"]],
      ["0\t2  */2\t*\t1", ["2026-01-05", "2026-01-19", "2026-02-09"]],
    ] as const
  ) {
    const times = upcoming(cron(expression, "UTC"), new Date("2026-01-02T00:00:00Z"), 3);
    assert.deepEqual(texts(times), expected.map((day) => `${day}T02:00Z`), expression);
  }
});

Deno.test("A daily task runs once on every local day, at its time or right after a gap", () => {
  fc.assert(fc.property(time, fc.constantFrom(...zones), instant, (at, zone, after) => {
    let before = after;
    let day: number | null = null;
    for (const run of upcoming(daily(at, zone), after, 5)) {
      assert.ok(run > before);
      const wall = wallTime(zone, run);
      const [hour, minute] = at.split(":").map(Number);
      const midnight = Math.floor(wall / 86_400_000) * 86_400_000;
      const late = wall - midnight - (hour! * 60 + minute!) * 60_000;
      // A run is late only if the local clock skipped the due time on that day. In this case, one second
      // before the run, the local clock showed a time before the due time.
      if (late !== 0) assert.ok(late > 0 && wallTime(zone, new Date(run.getTime() - 1000)) < wall - late);
      if (day !== null) assert.equal(midnight, day + 86_400_000);
      [before, day] = [run, midnight];
    }
  }));
});

Deno.test("Nothing is due between any moment and its next run", () => {
  const expression = fc.constantFrom(
    "*/7 * * * *",
    "5,35 1-3 * * *",
    "30 2 * * SUN",
    "0 */2 * * *",
    "0 0 L * *",
  );
  fc.assert(
    fc.property(expression, fc.constantFrom(...zones), instant, fc.double({ min: 0, max: 1, noNaN: true }), (
      text,
      zone,
      after,
      share,
    ) => {
      const next = nextRun(cron(text, zone), after)!;
      const between = new Date(after.getTime() + Math.floor(share * (next.getTime() - after.getTime() - 1)));
      assert.deepEqual(nextRun(cron(text, zone), between), next);
    }),
  );
});

for (
  const [expression, problem] of [
    ["* * * * * *", /must have five fields/],
    ["0 0 1 1 * * 2030", /must have five fields/],
    ["* * * *", /must have five fields/],
    ["", /must have five fields/],
    ["2030-01-01T00:00:00", /must have five fields/],
    ["@reboot", /one of @yearly/],
    ["@every 5m", /one of @yearly/],
    ["60 * * * *", /not valid: minute 60 is not one of 0 to 59\.$/],
    ["0 2 32 * *", /not valid: day of month 32 is not one of 1 to 31\.$/],
    ["0 22-3 * * *", /not valid: hour 22-3 runs backwards; write 22-23,0-3\.$/],
    ["0 2 * * FRI-Mon", /not valid: weekday fri-mon runs backwards; write 5-6,0-1\.$/],
    ["a b c d e", /not valid: .*illegal characters\.$/],
    ["0 0 30 2 *", /never matches/],
    ["*/0 * * * *", /not valid/],
    ["5-1 * * * *", /not valid: minute 5-1 runs backwards; write 5-59,0-1\.$/],
  ] as const
) {
  Deno.test(`The cron expression ${JSON.stringify(expression)} is refused with a reason`, () => {
    assert.match(cronProblem(expression)!, problem);
  });
}

for (
  const expression of ["*/5 * * * *", " 0 0 * * MON-FRI ", "@Daily", "0 0 L * *", "0 0 * * 5#2", "0 0 29 2 *"]
) {
  Deno.test(`The cron expression ${JSON.stringify(expression)} is accepted`, () => {
    assert.equal(cronProblem(expression), null);
    assert.ok(nextRun(cron(expression, "Europe/Berlin"), new Date("2026-11-24T00:00:00Z")));
  });
}

Deno.test("A wait is shown in its largest unit", () => {
  const from = new Date("2026-11-24T00:00:00Z");
  const after = (seconds: number) => humanWait(from, new Date(from.getTime() + seconds * 1000));
  assert.equal(after(-5), "now");
  assert.equal(after(30), "in less than a minute");
  assert.equal(after(60), "in 1 minute");
  assert.equal(after(5 * 3600 + 59), "in 5 hours");
  assert.equal(after(86_400), "in 1 day");
  assert.equal(after(15 * 86_400), "in 2 weeks");
  assert.equal(after(400 * 86_400), "in 1 year");
});

Deno.test("the due times within a span are the next runs one after the other, also at clock changes", () => {
  const zones = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"];
  const expressions = ["30 2 * * *", "*/40 0-3 * * *", "0 0 * * 0", "15 2 1 * 1"];
  const start = Date.UTC(2026, 0, 1);
  fc.assert(fc.property(
    fc.constantFrom(...zones),
    fc.constantFrom(
      ...expressions.map((expression) => cron(expression, "UTC")),
      daily("02:30", "UTC"),
      weekly(0, "02:10", "UTC"),
    ),
    fc.nat(365 * 96),
    (zone, { timezone: _, ...fields }, quarter) => {
      const schedule = { ...fields, timezone: zone };
      const from = new Date(start + quarter * 900_000);
      const until = new Date(from.getTime() + 7 * 86_400_000);
      const span = localSpan(zone, from, until);
      const found = dueTimesWithin(schedule, { from, until, span }, 100);
      const expected = upcoming(schedule, new Date(from.getTime() - 1), 100).filter((time) => time < until);
      assert.deepEqual(texts(found), texts(expected));
      assert.deepEqual(dueTimesWithin(schedule, { from, until, span }, 2), found.slice(0, 2));
      for (const time of found) assert.equal(span.iso(time), localIso(zone, time));
    },
  ));
});

Deno.test("an expression whose due times have equal distances has an interval, any other has none", () => {
  const minutes = (expression: string) => (regularInterval(cron(expression, "UTC")) ?? NaN) / 60_000;
  const intervals = { "* * * * *": 1, "*/5 * * * *": 5, "7 * * * *": 60, "@hourly": 60, "0 */6 * * *": 360 };
  for (const [expression, interval] of Object.entries(intervals)) {
    assert.equal(minutes(expression), interval, expression);
    const times = upcoming(cron(expression, "UTC"), new Date("2026-01-05T12:00:00Z"), 50);
    for (const [index, time] of times.slice(1).entries()) {
      assert.equal(time.getTime() - times[index]!.getTime(), interval * 60_000);
    }
  }
  for (
    const expression of [
      "*/7 * * * *",
      "* 8-18 * * *",
      "*/5 */2 * * *",
      "* * * * 1",
      "0 */5 * * *",
      "0 2 * * *",
    ]
  ) {
    assert.equal(minutes(expression), NaN, expression);
  }
  assert.equal(regularInterval(daily("02:30", "UTC")), null);
});
