import assert from "node:assert/strict";
import { decideRetention, type RetainedBackup, type RetentionPolicy } from "./retention.ts";

const NOW = new Date("2024-08-07T12:00:00Z");
const NO_RULES: RetentionPolicy = {
  maximum_backups_to_keep: 0,
  keep_last: null,
  keep_hourly: null,
  keep_daily: null,
  keep_weekly: null,
  keep_monthly: null,
  keep_yearly: null,
  minimum_age_days: null,
};

type Flags = Partial<Pick<RetainedBackup, "held" | "damaged" | "suspicious" | "incomplete">>;

/** Returns backups made at these times, with ids from 1. */
function at(...times: (string | [string, Flags])[]): RetainedBackup[] {
  return times.map((time, index) => {
    const [text, flags] = typeof time === "string" ? [time, {}] : time;
    const clear = { held: false, damaged: false, suspicious: false, incomplete: false };
    return { id: index + 1, run_id: null, created_at: new Date(text), ...clear, ...flags };
  });
}

/** Returns the reasons to keep each backup, in the order of ids. A removed backup has none. */
function decide(backups: RetainedBackup[], policy: Partial<RetentionPolicy>, timezone = "UTC") {
  const decisions = decideRetention(backups, { ...NO_RULES, ...policy }, { timezone, now: NOW });
  const byId = decisions.toSorted((a, b) => a.backup.id - b.backup.id);
  return byId.map(({ reasons }) => reasons.map(({ text }) => text));
}

function kept(backups: RetainedBackup[], policy: Partial<RetentionPolicy>, timezone = "UTC"): number[] {
  return decide(backups, policy, timezone).flatMap((reasons, index) => reasons.length > 0 ? [index + 1] : []);
}

const DAY = 86_400_000;
function every(days: number, count: number, first: string): RetainedBackup[] {
  const start = new Date(first).getTime();
  return at(
    ...Array.from({ length: count }, (_, index) => new Date(start + index * days * DAY).toISOString()),
  );
}

Deno.test("restic's example: of twelve Sundays, --keep-daily 4 keeps the last four", () => {
  const sundays = every(7, 12, "2019-09-01T11:00:00Z");
  const reasons = decide(sundays, { keep_daily: 4 });
  assert.deepEqual(reasons.slice(0, 8), Array(8).fill([]));
  assert.deepEqual(reasons.slice(8), [
    ["daily 2019-10-27"],
    ["daily 2019-11-03"],
    ["daily 2019-11-10"],
    ["daily 2019-11-17", "the newest intact one"],
  ]);
});

Deno.test("restic's example: a hundred years of days under 7 daily, 5 weekly, 12 monthly and 75 yearly", () => {
  const days = every(1, 36_525, "1924-08-19T11:00:00Z");
  const decisions = decideRetention(days, {
    ...NO_RULES,
    keep_daily: 7,
    keep_weekly: 5,
    keep_monthly: 12,
    keep_yearly: 75,
  }, { timezone: "UTC", now: NOW });
  const by = (rule: string) => decisions.filter(({ reasons }) => reasons.some((each) => each.rule === rule));
  assert.deepEqual(
    ["keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"].map((rule) => by(rule).length),
    [7, 5, 12, 75],
  );
  // Two backups are kept by several rules. The newest backup, from a Sunday, is the newest of its day, week,
  // month and year. The backup from the end of 2023 is the newest of its month and year. Each backup is
  // counted once below, so the total is smaller than the sum of the rules' numbers.
  const dates = decisions.filter(({ reasons }) => reasons.length > 0)
    .map(({ backup }) => backup.created_at.toISOString().slice(0, 10));
  assert.equal(dates.length, 7 + 4 + 11 + 73);
  assert.deepEqual(dates.slice(6, 13), [
    "2024-08-12",
    "2024-08-11",
    "2024-08-04",
    "2024-07-31",
    "2024-07-28",
    "2024-07-21",
    "2024-06-30",
  ]);
  assert.deepEqual(dates.slice(-2), ["1951-12-31", "1950-12-31"]);
});

Deno.test("the newest of each period counts, and periods without a backup don't", () => {
  const backups = at(
    "2024-05-01T08:00:00Z",
    "2024-05-02T08:00:00Z",
    "2024-05-02T11:00:00Z",
    "2024-05-04T09:00:00Z",
    "2024-05-05T10:00:00Z",
    "2024-05-05T10:59:00Z",
  );
  assert.deepEqual(kept(backups, { keep_daily: 3 }), [3, 4, 6]);
  assert.deepEqual(kept(backups, { keep_daily: 4 }), [1, 3, 4, 6]);
  assert.deepEqual(kept(backups, { keep_hourly: 2 }), [4, 6]);
  assert.deepEqual(kept(backups, { keep_last: 2 }), [5, 6]);
});

Deno.test("one rule is enough to keep a backup", () => {
  const backups = every(1, 60, "2024-06-08T01:00:00Z");
  const policy = { keep_last: 2, keep_weekly: 2, keep_monthly: 2, maximum_backups_to_keep: 3 };
  const reasons = decide(backups, policy);
  assert.deepEqual(reasons.at(-1), [
    "of the last 3",
    "of the last 2",
    "weekly 2024-W32",
    "monthly 2024-08",
    "the newest intact one",
  ]);
  const days = backups.filter((_, index) => reasons[index]!.length > 0)
    .map(({ created_at }) => created_at.toISOString().slice(5, 10));
  assert.deepEqual(days, ["07-31", "08-04", "08-05", "08-06"]);
});

Deno.test("as in restic, the oldest is kept while there are fewer periods than requested", () => {
  const oneMonth = at(
    "2024-01-02T13:42:44Z",
    "2024-01-03T01:04:38Z",
    "2024-01-04T20:09:54Z",
    "2024-01-04T20:20:32Z",
  );
  assert.deepEqual(decide(oneMonth, { keep_monthly: 4 }), [
    ["oldest monthly 2024-01"],
    [],
    [],
    ["monthly 2024-01", "the newest intact one"],
  ]);
  assert.deepEqual(kept(oneMonth, { keep_monthly: 1 }), [4]);
});

Deno.test("without a rule nothing is removed, whatever else is set", () => {
  const backups = every(1, 5, "2024-01-01T00:00:00Z");
  const zeros = {
    keep_last: 0,
    keep_hourly: 0,
    keep_daily: 0,
    keep_weekly: 0,
    keep_monthly: 0,
    keep_yearly: 0,
  };
  for (const policy of [{}, zeros, { minimum_age_days: 1 }]) {
    assert.deepEqual(kept(backups, policy), [1, 2, 3, 4, 5]);
  }
  assert.deepEqual(decide([], { keep_last: 1 }), []);
});

Deno.test("maximum_backups_to_keep alone keeps that many of the newest", () => {
  assert.deepEqual(kept(every(1, 5, "2024-01-01T00:00:00Z"), { maximum_backups_to_keep: 2 }), [4, 5]);
});

Deno.test("no backup younger than the minimum age is removed", () => {
  const backups = at(
    "2024-07-31T11:59:59Z",
    "2024-07-31T12:00:00Z",
    "2024-07-31T12:00:01Z",
    "2024-08-07T11:00:00Z",
  );
  const reasons = decide(backups, { keep_last: 1, minimum_age_days: 7 });
  assert.deepEqual(reasons.slice(0, 3), [[], [], ["younger than 7 days"]]);
});

Deno.test("days are local days in the task's time zone", () => {
  const backups = at("2024-08-05T21:00:00Z", "2024-08-05T22:30:00Z", "2024-08-06T21:30:00Z");
  assert.deepEqual(kept(backups, { keep_daily: 2 }, "UTC"), [2, 3]);
  assert.deepEqual(kept(backups, { keep_daily: 2 }, "Europe/Berlin"), [1, 3]);
});

Deno.test("a held backup is kept and does not count against a limit", () => {
  const backups = at(
    ["2022-01-01T00:00:00Z", { held: true }],
    "2024-08-01T00:00:00Z",
    "2024-08-02T00:00:00Z",
    [
      "2024-08-03T00:00:00Z",
      { held: true },
    ],
  );
  assert.deepEqual(decide(backups, { keep_last: 1 }), [["held"], [], ["the last one"], [
    "the newest intact one",
    "held",
  ]]);
  assert.deepEqual(kept(backups, { keep_yearly: 1 }), [1, 3, 4]);
});

Deno.test("a damaged backup does not count against a limit, is kept for review, and keeps older ones", () => {
  const backups = at("2024-08-01T00:00:00Z", "2024-08-02T00:00:00Z", ["2024-08-03T00:00:00Z", {
    damaged: true,
  }]);
  assert.deepEqual(decide(backups, { keep_last: 1 }), [
    ["older than backup 3, which is damaged"],
    ["the last one", "the newest intact one", "older than backup 3, which is damaged"],
    ["damaged, until a person deletes it"],
  ]);
  assert.deepEqual(kept(backups.slice(0, 2), { keep_last: 1 }), [2]);
});

Deno.test("a suspicious backup keeps older ones until it is cleared, however many newer ones there are", () => {
  const times = ["2024-07-01", "2024-07-02", "2024-07-03", "2024-07-04", "2024-07-05"];
  const backups = (flags: Flags) =>
    at(...times.map((time, index): [string, Flags] => [time, index === 2 ? flags : {}]));
  assert.deepEqual(kept(backups({ suspicious: true }), { keep_last: 1 }), [1, 2, 3, 5]);
  assert.deepEqual(decide(backups({ suspicious: true }), { keep_last: 1 })[2], [
    "suspicious, until a person clears it",
  ]);
  assert.deepEqual(kept(backups({}), { keep_last: 1 }), [5]);
});

Deno.test("incomplete backups displace no complete one, and never exceed a rule's number", () => {
  const backups = at(
    "2024-08-01T01:00:00Z",
    "2024-08-02T01:00:00Z",
    ["2024-08-03T01:00:00Z", { incomplete: true }],
    ["2024-08-04T01:00:00Z", { incomplete: true }],
    ["2024-08-05T01:00:00Z", { incomplete: true }],
  );
  assert.deepEqual(kept(backups, { keep_last: 2 }), [1, 2, 4, 5]);
  assert.deepEqual(kept(backups, { maximum_backups_to_keep: 1 }), [2, 5]);
  assert.deepEqual(kept(backups, { keep_daily: 2 }), [1, 2, 4, 5]);
  assert.deepEqual(kept(backups, { keep_monthly: 1 }), [2, 5]);
  assert.deepEqual(decide(backups, { keep_last: 1 })[1], ["the last one", "the newest intact one"]);
  const alone = at(["2024-08-03T01:00:00Z", { incomplete: true }], [
    "2024-08-04T01:00:00Z",
    { incomplete: true },
  ]);
  assert.deepEqual(kept(alone, { keep_last: 1 }), [2]);
});

/** Returns the backups, each made by a run of its own, in the order of their ids. */
function ofRuns(backups: RetainedBackup[]): RetainedBackup[] {
  return backups.map((backup) => ({ ...backup, run_id: backup.id + 100 }));
}

Deno.test("a backup dated into the future displaces none that was made after it", () => {
  const backups = ofRuns(at(
    "2024-08-05T01:00:00Z",
    "2025-08-06T01:00:00Z",
    "2024-08-06T13:00:00Z",
    "2024-08-07T01:00:00Z",
  ));
  assert.deepEqual(kept(backups, { maximum_backups_to_keep: 1 }), [4]);
  assert.deepEqual(kept(backups, { keep_last: 2 }), [3, 4]);
  assert.deepEqual(kept(backups, { keep_daily: 1 }), [4]);
});

Deno.test("a backup dated into the past is still the newest one", () => {
  const backups = ofRuns(at("2024-08-05T01:00:00Z", "2024-08-06T01:00:00Z", "1970-01-01T01:00:00Z"));
  assert.deepEqual(kept(backups, { maximum_backups_to_keep: 1 }), [3]);
  assert.deepEqual(kept(backups, { keep_last: 2 }), [2, 3]);
});

Deno.test("a lost run that reports its backup late displaces no backup of a later run", () => {
  const [late, newer] = ofRuns(at("2024-08-06T09:00:00Z", "2024-08-06T08:00:00Z"));
  assert.deepEqual(kept([newer!, late!], { maximum_backups_to_keep: 1 }), [2]);
});

Deno.test("imported backups without a run are sorted by their time", () => {
  const backups = ofRuns(at("2024-08-03T01:00:00Z", "2024-08-05T01:00:00Z"));
  const [imported] = at("2024-08-04T01:00:00Z");
  assert.deepEqual(kept([...backups, { ...imported!, id: 3 }], { keep_last: 2 }), [2, 3]);
});
