/** Which fields of a task a form changes. */

/**
 * Returns the fields whose values differ from the task's values. A form sends numbers as texts, so `7` and
 * `"7"` count as equal.
 */
export function changedFields(
  body: Readonly<Record<string, unknown>>,
  task: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changed = Object.entries(body).filter(([name, value]) => plain(value) !== plain(task[name]));
  return Object.fromEntries(changed);
}

/** Returns a value as a text that is the same for `7` and `"7"`. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return JSON.stringify(value.map(String));
  if (typeof value === "object") {
    return JSON.stringify(Object.entries(value).map(([name, item]) => [name, String(item)]).sort());
  }
  return String(value);
}

/**
 * If there is a cron expression, leaves out the fields that it replaces. The API refuses a request with both.
 */
export function withOneSchedule(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { frequency, time_to_run_at, weekday, custom_cron_expression: cron, ...rest } = body;
  if ((cron ?? "") !== "") return { ...rest, custom_cron_expression: cron };
  return Object.fromEntries(
    Object.entries({
      ...rest,
      frequency,
      time_to_run_at,
      weekday,
      ...cron === undefined ? {} : { custom_cron_expression: cron },
    })
      .filter(([, value]) => value !== undefined),
  );
}
