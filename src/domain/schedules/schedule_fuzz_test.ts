/**
 * Checks the due times that `nextRun` returns, for a whole year and in every zone. The test finds the
 * expected times with a simulated clock, minute by minute.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { isWhole, report, runs } from "../../../tests/support/fuzz.ts";
import { pattern, WallClock } from "../../../tests/support/servers/slow_cron.ts";
import { nextRun, type Schedule } from "./schedule.ts";

const DAY = 86_400_000;

/** Zones with unusual clock changes: by half an hour, by two hours, at midnight, or for Ramadan. */
const ODD = [
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "America/Santiago",
  "Asia/Beirut",
  "Antarctica/Troll",
];

/** Expressions that match at most a few times a day. They are compared over the whole year. */
const SPARSE = [
  "30 2 * * *",
  "0 0 * * *",
  "30 2 * * 0",
  "0 3 1 * *",
  "0 12 13 * 5",
  "45 0,1,2,3,23 * 3,10 *",
];
/**
 * Expressions that match more than a few times a day. Only the days around each clock change are compared.
 */
const DENSE = ["*/7 * * * *", "15,45 1-3 * * *", "0 */2 * * 6,0", "* 0-2 * * *"];

const { seed } = runs(1, 1);
const zones = isWhole
  ? Intl.supportedValuesOf("timeZone")
  : [...ODD, ...fc.sample(fc.constantFrom(...Intl.supportedValuesOf("timeZone")), { seed, numRuns: 3 })];
const [otherYear] = fc.sample(fc.integer({ min: 2000, max: 2037 }), { seed, numRuns: 1 });
const years = isWhole ? [2026, otherYear!] : [2026];

/** Random expressions, with minutes and hours near those at which clocks change. */
const made = fc.tuple(
  fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 4 }),
  fc.uniqueArray(fc.constantFrom(0, 1, 2, 3, 4, 23), { minLength: 1, maxLength: 4 }),
  fc.constantFrom("*", "1-7", "*/2", "29-31"),
  fc.constantFrom("*", "*", "0", "1-5"),
).map(([minutes, hours, day, weekday]) =>
  `${minutes} ${hours} ${day} * ${day === "*" || day === "1-7" ? weekday : "*"}`
);

function schedule(timezone: string, expression: string): Schedule {
  return {
    frequency: null,
    time_to_run_at: null,
    weekday: null,
    custom_cron_expression: expression,
    timezone,
  };
}

function scheduled(zone: string, expression: string, from: Date, to: Date): string[] {
  const due: string[] = [];
  for (let next = nextRun(schedule(zone, expression), from); next !== null && next < to;) {
    due.push(next.toISOString());
    next = nextRun(schedule(zone, expression), next);
  }
  return due;
}

function compare(clock: WallClock, expression: string, from: Date, to: Date): void {
  assert.deepEqual(
    scheduled(clock.zone, expression, from, to),
    clock.due(pattern(expression), from, to),
    `${expression} in ${clock.zone} from ${from.toISOString()}`,
  );
}

for (const year of years) {
  for (const zone of zones) {
    Deno.test(`every due time of ${year} in ${zone}`, () => {
      const start = new Date(Date.UTC(year, 0, 1));
      const end = new Date(Date.UTC(year + 1, 0, 1));
      // Begin three days earlier, so that the local times before `start` are known.
      const clock = new WallClock(zone, new Date(start.getTime() - 3 * DAY), end);
      const random = fc.sample(made, { seed, numRuns: isWhole ? 6 : 2 });
      for (const expression of SPARSE) compare(clock, expression, start, end);
      for (const { from } of clock.changes.slice(1)) {
        const around = from * 60_000;
        const [first, last] = [Math.max(around - DAY, start.getTime()), around + DAY];
        for (const expression of [...DENSE, ...random]) {
          compare(clock, expression, new Date(first), new Date(last));
        }
      }
    });
  }
}

if (isWhole) Deno.test("which zones", () => report(`${zones.length} zones in ${years.join(" and ")}`));
