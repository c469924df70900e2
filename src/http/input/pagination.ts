/** Defines the pages of lists: their query parameters, and the links and counts in their responses. */
import { z } from "@hono/zod-openapi";
import type { PageWindow } from "../../domain/page.ts";
import { integer } from "../../definitions/formats/text.ts";

/** The query parameters that choose a page of a list. */
export const PageQuery = z.object({
  page: integer(1).default(1).openapi({ description: "Which page, from 1.", example: 1 }),
  per_page: integer(1, 100).default(15).openapi({ description: "Items per page.", example: 15 }),
});
export type PageQuery = z.output<typeof PageQuery>;

export const PageLinks = z.object({
  first: z.string(),
  last: z.string(),
  prev: z.string().nullable(),
  next: z.string().nullable(),
}).openapi("PageLinks", { description: "Absolute URLs that keep the other query parameters." });

export const PageMeta = z.object({
  current_page: z.int(),
  from: z.int().nullable().openapi({ description: "Number of the first item here; null on an empty page." }),
  last_page: z.int(),
  path: z.string(),
  per_page: z.int(),
  to: z.int().nullable().openapi({ description: "Number of the last item here; null on an empty page." }),
  total: z.int(),
}).openapi("PageMeta");

export function windowOf({ page, per_page }: PageQuery): PageWindow {
  return { offset: (page - 1) * per_page, limit: per_page };
}

/**
 * Builds the body of one page of a list.
 *
 * @param url The request's URL as the caller sees it: links keep its path and its other parameters.
 */
export function pageAnswer(
  data: unknown[],
  total: number,
  { page, per_page }: PageQuery,
  url: { path: string; search: string },
): Record<string, unknown> {
  const last = Math.max(1, Math.ceil(total / per_page));
  const kept = otherParameters(url.search);
  const link = (number: number) => `${url.path}?${kept}page=${number}`;
  const before = (page - 1) * per_page;
  const isEmpty = data.length === 0;
  return {
    data,
    links: {
      first: link(1),
      last: link(last),
      prev: page > 1 ? link(page - 1) : null,
      next: page < last ? link(page + 1) : null,
    },
    meta: {
      current_page: page,
      from: isEmpty ? null : before + 1,
      last_page: last,
      path: url.path,
      per_page,
      to: isEmpty ? null : before + data.length,
      total,
    },
  };
}

/**
 * Returns the query's parameters as sent, without `page`. Each is followed by `&`. The query was parsed
 * before, so it is valid.
 */
function otherParameters(search: string): string {
  if (search.length <= 1) return "";
  return search.slice(1).split("&")
    .filter((pair) => pair !== "" && decodeURIComponent(pair.split("=", 1)[0]!) !== "page")
    .map((pair) => `${pair}&`).join("");
}
