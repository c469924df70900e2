/**
 * Decides which backups of a task to keep, with the reasons. The `keep_*` rules have the meaning of restic's
 * `forget --keep-*` options: https://restic.readthedocs.io/en/stable/060_forget.html
 */
import { type Period, periodOf } from "./retention_period.ts";

export const KEEP_RULES = [
  "keep_last",
  "keep_hourly",
  "keep_daily",
  "keep_weekly",
  "keep_monthly",
  "keep_yearly",
] as const;
export type KeepRule = typeof KEEP_RULES[number];

/** A task's retention rules. Null or 0 turns a rule off. If all rules are off, nothing is removed. */
export interface RetentionPolicy extends Record<KeepRule, number | null> {
  /** Keeps this many of the newest backups, as restic's `--keep-last` does. */
  maximum_backups_to_keep: number;
  /**
   * Keeps every backup that is younger than this many days; null or 0 turns this off. Makes no difference if
   * all other rules are off, because nothing is removed then.
   */
  minimum_age_days: number | null;
}

/** The facts about a backup that retention uses. Backups that are already being removed must be left out. */
export interface RetainedBackup {
  readonly id: number;
  /**
   * Id of the run that made the backup; null for an imported backup. The runs of a task never overlap, so
   * their ids give the order of their backups.
   */
  readonly run_id: number | null;
  readonly created_at: Date;
  readonly held: boolean;
  readonly damaged: boolean;
  readonly suspicious: boolean;
  /** Whether the backup lacks some of the data that its task selects. */
  readonly incomplete: boolean;
}

export const KEEP_REASONS = [
  "maximum_backups_to_keep",
  ...KEEP_RULES,
  "minimum_age_days",
  "no_rule",
  "newest_good",
  "held",
  "damaged",
  "suspicious",
] as const;

/** Reason to keep a backup. `text` is one line for people, such as `daily 2024-08-07`. */
export interface KeepReason {
  readonly rule: typeof KEEP_REASONS[number];
  readonly text: string;
}

/** The decision about a backup: with a reason it is kept, without a reason it is removed. */
export interface RetentionDecision<B> {
  readonly backup: B;
  readonly reasons: readonly KeepReason[];
}

const DAY = 24 * 3_600_000;
const PERIODS: Record<Exclude<KeepRule, "keep_last">, Period> = {
  keep_hourly: "hourly",
  keep_daily: "daily",
  keep_weekly: "weekly",
  keep_monthly: "monthly",
  keep_yearly: "yearly",
};

/**
 * Decides which of a task's stored backups to keep. Returns the decisions, newest backup first. `backups` may
 * be in any order. One reason is enough to keep a backup.
 *
 * - Backups that are held or damaged do not count against a rule's number.
 * - The rules are first applied to the complete backups alone, so that an incomplete backup never displaces a
 *   complete one. Then the rules are applied to all backups. This second time, they keep only incomplete
 *   backups.
 * - If a backup is suspicious or damaged, this backup and all older backups stay until a person has reviewed
 *   it.
 */
export function decideRetention<B extends RetainedBackup>(
  backups: readonly B[],
  policy: RetentionPolicy,
  { timezone, now }: { timezone: string; now: Date },
): RetentionDecision<B>[] {
  const newestFirst = sortNewestFirst(backups);
  const reasons = new Map(newestFirst.map(({ id }): [number, KeepReason[]] => [id, []]));
  const keep: Keep = ({ id }, rule, text) => void reasons.get(id)!.push({ rule, text });
  if (hasRule(policy)) {
    const counted = newestFirst.filter(({ held, damaged }) => !held && !damaged);
    applyRules(counted.filter(({ incomplete }) => !incomplete), policy, timezone, keep);
    if (counted.some(({ incomplete }) => incomplete)) {
      applyRules(counted, policy, timezone, (backup, rule, text) => {
        if (backup.incomplete) keep(backup, rule, text);
      });
    }
    keepYoung(newestFirst, policy.minimum_age_days ?? 0, now, keep);
  } else {
    for (const backup of newestFirst) keep(backup, "no_rule", "no rule is set that removes backups");
  }
  const good = newestFirst.filter(({ damaged }) => !damaged);
  const newestGood = good.find(({ incomplete }) => !incomplete) ?? good[0];
  if (newestGood !== undefined) keep(newestGood, "newest_good", "the newest intact one");
  keepFlagged(newestFirst, keep);
  return newestFirst.map((backup) => ({ backup, reasons: reasons.get(backup.id)! }));
}

/**
 * Sorts backups, newest first. Backups of runs are in the order of their runs. Their times do not decide,
 * because a time might come from a wrong clock: a backup dated into the future would then displace every
 * backup made after it. A backup without a run is placed by its time.
 */
function sortNewestFirst<B extends RetainedBackup>(backups: readonly B[]): B[] {
  const times = new Map(backups.map((backup) => [backup.id, backup.created_at.getTime()]));
  let least = Infinity;
  const ofRuns = backups.filter(({ run_id }) => run_id !== null).sort((a, b) => b.run_id! - a.run_id!);
  for (const { id } of ofRuns) {
    least = Math.min(least, times.get(id)!);
    times.set(id, least);
  }
  return [...backups].sort((a, b) =>
    times.get(b.id)! - times.get(a.id)! || (b.run_id ?? 0) - (a.run_id ?? 0) || b.id - a.id
  );
}

type Keep = (backup: RetainedBackup, rule: KeepReason["rule"], text: string) => void;

function applyRules(
  newestFirst: readonly RetainedBackup[],
  policy: RetentionPolicy,
  timezone: string,
  keep: Keep,
): void {
  keepNewest(newestFirst, "maximum_backups_to_keep", policy.maximum_backups_to_keep, keep);
  for (const rule of KEEP_RULES) {
    const count = policy[rule] ?? 0;
    if (rule === "keep_last") keepNewest(newestFirst, rule, count, keep);
    else keepPeriods(newestFirst, rule, count, timezone, keep);
  }
}

function hasRule(policy: RetentionPolicy): boolean {
  return policy.maximum_backups_to_keep > 0 || KEEP_RULES.some((rule) => (policy[rule] ?? 0) > 0);
}

function keepNewest(
  newestFirst: readonly RetainedBackup[],
  rule: "keep_last" | "maximum_backups_to_keep",
  count: number,
  keep: Keep,
): void {
  for (const backup of newestFirst.slice(0, count)) {
    keep(backup, rule, count === 1 ? "the last one" : `of the last ${count}`);
  }
}

/**
 * Keeps the newest backup of each of the last `count` periods that have backups. If there are fewer than
 * `count` such periods, also keeps the oldest backup. Without that backup, a history that is still growing
 * would cover less time than requested.
 */
function keepPeriods(
  newestFirst: readonly RetainedBackup[],
  rule: keyof typeof PERIODS,
  count: number,
  timezone: string,
  keep: Keep,
): void {
  const seen = new Set<string>();
  for (const [index, backup] of newestFirst.entries()) {
    if (seen.size >= count) return;
    const period = periodOf(PERIODS[rule], timezone, backup.created_at);
    if (!seen.has(period)) keep(backup, rule, `${PERIODS[rule]} ${period}`);
    else if (index === newestFirst.length - 1) keep(backup, rule, `oldest ${PERIODS[rule]} ${period}`);
    seen.add(period);
  }
}

function keepYoung(backups: readonly RetainedBackup[], days: number, now: Date, keep: Keep): void {
  if (days === 0) return;
  const text = `younger than ${days === 1 ? "1 day" : `${days} days`}`;
  for (const backup of backups) {
    if (now.getTime() - backup.created_at.getTime() < days * DAY) keep(backup, "minimum_age_days", text);
  }
}

/**
 * Keeps each flagged (suspicious or damaged) backup and all older backups, because an older one might be the
 * last intact one. They stay until a person clears the flag or deletes the flagged backup.
 */
function keepFlagged(newestFirst: readonly RetainedBackup[], keep: Keep): void {
  let flagged: { rule: "suspicious" | "damaged"; id: number } | null = null;
  for (const backup of newestFirst) {
    if (backup.held) keep(backup, "held", "held");
    if (flagged !== null) {
      keep(backup, flagged.rule, `older than backup ${flagged.id}, which is ${flagged.rule}`);
    }
    if (backup.suspicious) {
      flagged = { rule: "suspicious", id: backup.id };
      keep(backup, "suspicious", "suspicious, until a person clears it");
    } else if (backup.damaged) {
      flagged = { rule: "damaged", id: backup.id };
      keep(backup, "damaged", "damaged, until a person deletes it");
    }
  }
}
