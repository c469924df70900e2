/** Fields of a backup task that say how long its backups are kept. */
import type { KeepRule } from "../domain/retention.ts";
import { defineFields, type Field } from "./fields/field.ts";
import { integer } from "./formats/text.ts";

const ONE_IS_ENOUGH = "Null and 0 turn the rule off. One rule is enough to keep a backup.";

const periods = (unit: string, detail = "") => ({
  schema: integer(0),
  help: `how many ${unit}s keep their newest backup`,
  description:
    `Keeps the newest of each of the last n ${unit}s${detail} that have a backup. ${ONE_IS_ENOUGH}`,
  example: 4,
  placeholder: "count",
});

const keepRules = {
  keep_last: {
    schema: integer(0),
    help: "how many of the newest backups are kept",
    description: `Keeps the newest n. ${ONE_IS_ENOUGH}`,
    example: 4,
    placeholder: "count",
  },
  keep_hourly: periods("hour"),
  keep_daily: periods("day"),
  keep_weekly: periods("week", ", from Monday,"),
  keep_monthly: periods("month"),
  keep_yearly: periods("year"),
} satisfies Record<KeepRule, Field>;

export const TASK_RETENTION_FIELDS = defineFields({
  maximum_backups_to_keep: {
    schema: integer(0),
    help: "how many backups are kept; 0 keeps all",
    description:
      "Keeps the newest n. 0, the default, keeps all; if a `keep_*` rule is set, 0 turns this rule off.",
    example: 7,
    placeholder: "count",
    default: 0,
    alsoShownAs: "storage.max_backups",
  },
  ...keepRules,
  minimum_age_days: {
    schema: integer(0, 36_500),
    help: "days that every backup is kept",
    description:
      "Backups younger than this many days are not removed. Does not count as a rule by itself. Null and 0: no minimum.",
    example: 7,
    placeholder: "days",
  },
});
