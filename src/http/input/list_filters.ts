/** Defines query parameters that lists share: filters and the sort order. */
import { z } from "@hono/zod-openapi";
import { id, literal } from "../../definitions/formats/text.ts";
import { says } from "../../definitions/formats/says.ts";

/** Defines the `sort` parameter. By default, a list shows the oldest record first. */
export function sortParameter<S extends string>(fields: readonly S[]) {
  const values = fields.flatMap((field) => [field, `-${field}` as const]);
  return z.enum(values as [S | `-${S}`, ...(S | `-${S}`)[]]).optional().openapi({
    description:
      "The sort field; a leading dash reverses the order: `-id` shows the newest first. Default: `id`.",
    example: values[1] as S,
  });
}

/**
 * Defines the `search` parameter.
 *
 * @param fields The searched fields, in words for the parameter's description.
 */
export function searchParameter(fields: string) {
  return literal(255).optional().openapi({
    description: `Only records with this text in ${fields}, ignoring case.`,
    example: "web",
  });
}

export function idParameter(what: string) {
  return id().optional().openapi({ description: `Only ${what}.`, example: 1 });
}

/** Accepts up to 1,000 ids, separated by commas. */
export const idList = z.string().regex(/^[1-9]\d{0,14}(,[1-9]\d{0,14}){0,999}$/, {
  error: says("must be up to 1000 ids, separated by commas"),
}).transform((text) => text.split(",").map(Number));

/** The parameters that filter by `created_at`: from `since` on, and before `until`. */
export const timeParameters = {
  since: momentOrDay().optional().openapi({
    description: "Created at this time or later.",
    example: "2026-01-31",
  }),
  until: momentOrDay().optional().openapi({
    description: "Created before this time.",
    example: "2026-02-01T00:00:00Z",
  }),
};

/** Accepts a time with a time zone, or a day. A day means its start, 00:00 UTC. */
function momentOrDay() {
  const isTime = (value: string) =>
    z.iso.datetime({ offset: true }).or(z.iso.date()).safeParse(value).success;
  return z.string().refine(isTime, {
    error: says("must be a day such as 2026-01-31, or a time with a zone such as 2026-01-31T12:00:00Z"),
  }).transform((value) => new Date(value));
}
