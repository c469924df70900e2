/** Builds the SQL of subscriptions: which streams get the events of a class. */
import { EVENT_CLASSES, type EventClassName } from "../../domain/notifications/event_classes.ts";
import type { Fragment, Sql } from "../database/sql.ts";

/**
 * Returns an SQL condition: the stream `n` gets the events of one of the classes. It follows the same rule as
 * `isSubscribed` of the domain.
 */
export function isSubscribed(sql: Sql, classes: readonly EventClassName[]): Fragment {
  const flags = {
    on_success: sql`n.on_success`,
    on_failure: sql`n.on_failure`,
    either: sql`(n.on_success or n.on_failure)`,
  };
  const each = classes.map((name) => {
    const { group, isDefault } = EVENT_CLASSES[name];
    return sql`coalesce((n.events->>${name})::boolean, ${isDefault ? flags[group] : sql`false`})`;
  });
  return sql`(${each.reduce((all, one) => sql`${all} or ${one}`)})`;
}
