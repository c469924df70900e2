/**
 * Gives each calendar period a name. Two times are in the same period if {@link periodOf} returns the same
 * name for both.
 */
import { localIso } from "./timezone.ts";

export type Period = "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/**
 * Returns the name of the period that contains `instant`, in the local time of `zone`. Examples:
 * `2024-08-07 13:00+02:00`, `2024-08-07`, `2024-W32`, `2024-08` and `2024`. Weeks are those of ISO 8601,
 * which begin on Monday. If the clock is set back, an hour occurs twice. The offset distinguishes these two
 * hours.
 */
export function periodOf(period: Period, zone: string, instant: Date): string {
  const local = localIso(zone, instant);
  const date = local.slice(0, 10);
  switch (period) {
    case "hourly":
      return `${date} ${local.slice(11, 13)}:00${local.slice(19)}`;
    case "daily":
      return date;
    case "weekly": {
      const { yearOfWeek, weekOfYear } = Temporal.PlainDate.from(date);
      return `${yearOfWeek}-W${String(weekOfYear).padStart(2, "0")}`;
    }
    case "monthly":
      return date.slice(0, 7);
    case "yearly":
      return date.slice(0, 4);
  }
}
