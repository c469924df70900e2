/** Defines the query parameters and the fields of a range of days. */
import { z } from "@hono/zod-openapi";
import { timezone } from "../../../definitions/formats/text.ts";
import { says } from "../../../definitions/formats/says.ts";
import { HISTORY_DAYS } from "../../../domain/history/day_range.ts";

/** A day in the API. */
export const Day = z.string().openapi({ format: "date", example: "2026-01-31" });

function day() {
  const isDay = (value: string) => z.iso.date().safeParse(value).success && value >= "1000";
  return z.string().refine(isDay, { error: says("must be a day such as 2026-01-31") });
}

/** The parameters that choose a range of days. */
export const rangeParameters = {
  from: day().optional().openapi({
    description: `The first day. At most ${HISTORY_DAYS} days before \`to\`.`,
    example: "2026-01-01",
  }),
  to: day().optional().openapi({ description: "The last day. Default: today.", example: "2026-01-31" }),
  timezone: timezone().optional().openapi({
    description: "The time zone of the days. Default: the user's own.",
    example: "Europe/Copenhagen",
  }),
};

/** The fields of an answer that say which days it contains. */
export const rangeFields = {
  timezone: z.string(),
  from: Day,
  to: Day,
};
