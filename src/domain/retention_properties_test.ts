/** Tests what retention guarantees for any policy, backups and time zone. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decideRetention,
  KEEP_RULES,
  type KeepRule,
  type RetainedBackup,
  type RetentionPolicy,
} from "./retention.ts";
import { periodOf } from "./retention_period.ts";

const NOW = new Date("2026-11-01T12:00:00Z");
const HOUR = 3_600_000;
/** Time zones. In some of them, clocks are set back by half an hour, by two hours, or across midnight. */
const zone = fc.constantFrom(
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Santiago",
  "Australia/Lord_Howe",
  "Antarctica/Troll",
  "Pacific/Kiritimati",
);
const count = fc.option(fc.nat(6), { nil: null });
const policy: fc.Arbitrary<RetentionPolicy> = fc.record({
  maximum_backups_to_keep: fc.nat(6),
  keep_last: count,
  keep_hourly: count,
  keep_daily: count,
  keep_weekly: count,
  keep_monthly: count,
  keep_yearly: count,
  minimum_age_days: fc.option(fc.nat(40), { nil: null }),
});
const rarely = fc.integer({ min: 0, max: 7 }).map((roll) => roll === 0);
const never = fc.constant(false);

/**
 * Ages of backups in milliseconds: near clock changes, long ago, in the future from a wrong clock, or equal
 * to others.
 */
const age = fc.oneof(
  fc.integer({ min: 0, max: 12 * 60 }).map((minutes) => minutes * 60_000 + 168 * HOUR),
  fc.integer({ min: 0, max: 60 }).map((hours) => -hours * HOUR),
  fc.integer({ min: 0, max: 24 * 60 }).map((hours) => hours * HOUR),
  fc.integer({ min: 0, max: 4 * 365 }).map((days) => days * 24 * HOUR),
);

function backups(flag: fc.Arbitrary<boolean> = rarely): fc.Arbitrary<RetainedBackup[]> {
  const one = fc.record({ age, held: flag, damaged: flag, suspicious: flag, incomplete: flag });
  return fc.array(one, { maxLength: 40 }).map((all) =>
    all.map(({ age, ...flags }, index) => ({
      id: index + 1,
      run_id: null,
      created_at: new Date(NOW.getTime() - age),
      ...flags,
    }))
  );
}

const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: 500 });

function split(all: readonly RetainedBackup[], policy: RetentionPolicy, timezone: string) {
  const decisions = decideRetention(all, policy, { timezone, now: NOW });
  assert.equal(decisions.length, all.length);
  const kept = decisions.filter(({ reasons }) => reasons.length > 0).map(({ backup }) => backup);
  const removed = decisions.filter(({ reasons }) => reasons.length === 0).map(({ backup }) => backup);
  return { decisions, kept, removed };
}

const isNewer = (a: RetainedBackup, b: RetainedBackup) =>
  a.created_at.getTime() - b.created_at.getTime() || a.id - b.id;
const hasRule = (policy: RetentionPolicy) =>
  policy.maximum_backups_to_keep > 0 || KEEP_RULES.some((rule) => (policy[rule] ?? 0) > 0);

Deno.test("the newest good backup, held ones and young ones are never removed", () => {
  holds(fc.property(backups(), policy, zone, (all, policy, zone) => {
    const { removed } = split(all, policy, zone);
    const good = all.filter(({ damaged }) => !damaged).sort(isNewer);
    const newestGood = good.filter(({ incomplete }) => !incomplete).at(-1) ?? good.at(-1);
    for (const backup of removed) {
      assert.notEqual(backup, newestGood);
      assert.equal(backup.held, false);
      const days = policy.minimum_age_days ?? 0;
      assert.ok(days === 0 || NOW.getTime() - backup.created_at.getTime() >= days * 24 * HOUR);
    }
  }));
});

Deno.test("a second application removes nothing more", () => {
  holds(fc.property(backups(), policy, zone, (all, policy, zone) => {
    const { kept } = split(all, policy, zone);
    assert.deepEqual(split(kept, policy, zone).removed, []);
  }));
});

Deno.test("the input order changes nothing", () => {
  const shuffled = backups().chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))
  );
  holds(fc.property(shuffled, policy, zone, ([all, other], policy, zone) => {
    assert.deepEqual(split(other, policy, zone).decisions, split(all, policy, zone).decisions);
  }));
});

Deno.test("a higher count or age never removes more", () => {
  const field = fc.constantFrom(
    ...KEEP_RULES,
    "maximum_backups_to_keep" as const,
    "minimum_age_days" as const,
  );
  fc.assert(
    fc.property(
      backups(),
      policy,
      zone,
      field,
      fc.integer({ min: 1, max: 9 }),
      (all, policy, zone, field, by) => {
        fc.pre(hasRule(policy));
        const raised = { ...policy, [field]: (policy[field] ?? 0) + by };
        const before = new Set(split(all, policy, zone).removed);
        for (const backup of split(all, raised, zone).removed) assert.ok(before.has(backup));
      },
    ),
  );
});

Deno.test("a hold, a suspicion or damage never removes more", () => {
  const flag = fc.constantFrom("held", "damaged", "suspicious");
  holds(fc.property(backups(), policy, zone, flag, fc.nat(), (all, policy, zone, flag, nth) => {
    fc.pre(all.length > 0);
    const flagged = all.map((backup, index) =>
      index === nth % all.length ? { ...backup, [flag]: true } : backup
    );
    const before = new Set(split(all, policy, zone).removed.map(({ id }) => id));
    for (const { id } of split(flagged, policy, zone).removed) assert.ok(before.has(id));
  }));
});

Deno.test("nothing as old as a flagged backup, or older, is removed", () => {
  holds(fc.property(backups(), policy, zone, (all, policy, zone) => {
    const newest = all.filter(({ damaged, suspicious }) => damaged || suspicious).sort(isNewer).at(-1);
    for (const backup of split(all, policy, zone).removed) {
      assert.ok(newest === undefined || isNewer(backup, newest) > 0);
    }
  }));
});

Deno.test("each kept backup is named by a rule that is set, as restic documents it", () => {
  holds(fc.property(backups(never), policy, zone, (all, policy, zone) => {
    fc.pre(hasRule(policy));
    const byHand = documented(all, policy, zone);
    const { decisions, kept } = split(all, { ...policy, minimum_age_days: null }, zone);
    assert.deepEqual(new Set(kept), byHand);
    for (const { rule } of decisions.flatMap(({ reasons }) => reasons)) {
      assert.ok(rule === "newest_good" || (policy[rule as keyof RetentionPolicy] ?? 0) > 0, rule);
    }
  }));
});

Deno.test("without a rule nothing is removed", () => {
  fc.assert(
    fc.property(backups(), fc.option(fc.nat(9), { nil: null }), zone, (all, minimum_age_days, zone) => {
      const keeps = Object.fromEntries(KEEP_RULES.map((rule, index) => [rule, index % 2 === 0 ? 0 : null]));
      const policy = { ...keeps, maximum_backups_to_keep: 0, minimum_age_days } as RetentionPolicy;
      assert.deepEqual(split(all, policy, zone).removed, []);
    }),
  );
});

const PERIODS = [
  ["keep_hourly", "hourly"],
  ["keep_daily", "daily"],
  ["keep_weekly", "weekly"],
  ["keep_monthly", "monthly"],
  ["keep_yearly", "yearly"],
] as const;

/**
 * Implements the rules in restic's documentation, independently of the tested code. A rule has a period, such
 * as the day, and a number n. It groups the backups by period, and keeps the newest backup of each of the
 * last n groups. If there are fewer than n groups, it also keeps the oldest backup.
 */
function documented(
  all: readonly RetainedBackup[],
  policy: RetentionPolicy,
  zone: string,
): Set<RetainedBackup> {
  const ascending = [...all].sort(isNewer);
  const last = Math.max(policy.keep_last ?? 0, policy.maximum_backups_to_keep);
  const kept = new Set(last === 0 ? [] : ascending.slice(-last));
  for (const [rule, period] of PERIODS) {
    const count = policy[rule] ?? 0;
    if (count === 0 || ascending.length === 0) continue;
    const newestOf = new Map<string, RetainedBackup>();
    for (const backup of ascending) newestOf.set(periodOf(period, zone, backup.created_at), backup);
    for (const backup of [...newestOf.values()].sort(isNewer).slice(-count)) kept.add(backup);
    if (newestOf.size < count) kept.add(ascending[0]!);
  }
  return kept;
}

Deno.test("no rule removes a complete backup for incomplete ones, however many and however new they are", () => {
  const rule = fc.constantFrom(...KEEP_RULES, "maximum_backups_to_keep" as const);
  const none = Object.fromEntries(KEEP_RULES.map((rule) => [rule, null])) as Record<KeepRule, null>;
  const size = fc.integer({ min: 1, max: 5 });
  holds(fc.property(backups(never), backups(never), rule, size, zone, (all, added, rule, size, zone) => {
    const policy = {
      ...none,
      maximum_backups_to_keep: 0,
      minimum_age_days: null,
      [rule]: size,
    } as RetentionPolicy;
    const incomplete = added.map((backup) => ({ ...backup, id: backup.id + all.length, incomplete: true }));
    const removed = (of: readonly RetainedBackup[]) =>
      split(of, policy, zone).removed.filter(({ incomplete }) => !incomplete).map(({ id }) => id).sort();
    assert.deepEqual(removed([...all, ...incomplete]), removed(all));
  }));
});

Deno.test("incomplete backups do not change which complete ones are kept", () => {
  holds(fc.property(backups(), policy, zone, (all, policy, zone) => {
    const complete = all.filter(({ incomplete }) => !incomplete);
    const ids = (kept: readonly RetainedBackup[]) =>
      new Set(kept.filter(({ incomplete }) => !incomplete).map(({ id }) => id));
    const [alone, together] = [ids(split(complete, policy, zone).kept), ids(split(all, policy, zone).kept)];
    for (const id of alone) assert.ok(together.has(id));
  }));
});
