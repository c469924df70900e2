/** Formats times as the API does. */
import { z } from "@hono/zod-openapi";

/** A time in the API: ISO 8601 in UTC, in whole seconds. */
export const Time = z.string().openapi({ format: "date-time", example: "2024-08-07T00:00:00Z" });

/** Returns a time as `2024-08-07T00:00:00Z`. */
export function isoTime(moment: Date): string {
  return `${moment.toISOString().slice(0, 19)}Z`;
}

export function isoTimeOrNull(moment: Date | null): string | null {
  return moment === null ? null : isoTime(moment);
}
