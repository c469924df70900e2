/** The fields that say how long backups are kept: of a task as they are sent and shown, and of a preview. */
import { z } from "@hono/zod-openapi";
import { KEEP_RULES, type KeepRule, type RetentionPolicy } from "../../../domain/retention.ts";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";
import { integer } from "../../../definitions/formats/text.ts";

const MEANINGS: Record<KeepRule, string> = {
  keep_last: "Keeps the newest n.",
  keep_hourly: "Keeps the newest of each of the last n hours that have a backup.",
  keep_daily: "Keeps the newest of each of the last n days that have a backup.",
  keep_weekly: "Keeps the newest of each of the last n weeks, from Monday, that have a backup.",
  keep_monthly: "Keeps the newest of each of the last n months that have a backup.",
  keep_yearly: "Keeps the newest of each of the last n years that have a backup.",
};
const MAXIMUM =
  "Keeps the newest n. 0, the default, keeps all, unless a `keep_*` rule is set: then it is no rule.";
const MINIMUM_AGE = "Nothing younger than this many days is removed. No rule by itself. Null and 0: none.";

const count = () => integer(0);
const age = () => integer(0, 36_500);

function keepFields<S extends z.ZodType>(field: (rule: KeepRule) => S): Record<KeepRule, S> {
  return Object.fromEntries(KEEP_RULES.map((rule) => [rule, field(rule)])) as Record<KeepRule, S>;
}

/** Of a task, as they are sent. */
export const retentionInput = {
  maximum_backups_to_keep: nullAsAbsent(count()).openapi({ description: MAXIMUM, example: 7 }),
  ...keepFields((rule) =>
    count().nullable().optional().openapi({
      description: `${MEANINGS[rule]} Null and 0: no such rule. One rule is enough to keep a backup.`,
      example: 4,
    })
  ),
  minimum_age_days: age().nullable().optional().openapi({ description: MINIMUM_AGE, example: 7 }),
};

/** As query parameters. */
export const retentionQuery = {
  maximum_backups_to_keep: count().optional().openapi({ description: MAXIMUM, example: 0 }),
  ...keepFields((rule) => count().optional().openapi({ description: MEANINGS[rule], example: 4 })),
  minimum_age_days: age().optional().openapi({ description: MINIMUM_AGE, example: 7 }),
};

/** As they are shown. */
export const retentionShown = {
  maximum_backups_to_keep: z.int(),
  ...keepFields(() => z.int().nullable()),
  minimum_age_days: z.int().nullable(),
};

export function presentRetention(policy: RetentionPolicy): RetentionPolicy {
  return {
    maximum_backups_to_keep: policy.maximum_backups_to_keep,
    keep_last: policy.keep_last,
    keep_hourly: policy.keep_hourly,
    keep_daily: policy.keep_daily,
    keep_weekly: policy.keep_weekly,
    keep_monthly: policy.keep_monthly,
    keep_yearly: policy.keep_yearly,
    minimum_age_days: policy.minimum_age_days,
  };
}
