/** Paths of the API with their parameters. The types refuse paths and names that the API does not have. */
import type { Answer, PathOf, Query } from "../client/client.ts";

/** The paths whose answers have `data`. */
export type DataPath = {
  [P in PathOf<"get">]: Answer<P> extends { data: unknown } ? P : never;
}[PathOf<"get">];

/** The paths of the lists. */
export type ListPath = {
  [P in PathOf<"get">]: Answer<P> extends { data: unknown[]; meta: unknown } ? P : never;
}[PathOf<"get">];

/** The names in a path: `id` in `/api/tags/{id}`. */
type NamesIn<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest>
  : never;

/** The query of a path. The API checks the values, so a page passes those of its own query as they are. */
export type QueryValues<P extends PathOf<"get">> = {
  readonly [Name in keyof Query<P>]?: string | number | boolean | null;
};

/** What fills a path: the values of the names in it, if there are any, and those of `query`. */
export type Filling<P extends PathOf<"get">> = [NamesIn<P>] extends [never]
  ? [{ readonly query?: QueryValues<P> }?]
  : [{ readonly [Name in NamesIn<P>]: string | number } & { readonly query?: QueryValues<P> }];

export type DataOf<P extends DataPath> = Answer<P> extends { data: infer Data } ? Data : never;

export type RowOf<P extends ListPath> = Answer<P> extends { data: (infer Row)[] } ? Row : never;

/** Fills a path. Query parameters that are null or empty are left out. */
export function fill(path: string, filling: object = {}): string {
  const { query = {}, ...values } = filling as { query?: object } & Record<string, string | number>;
  const filled = path.replaceAll(
    /\{(\w+)\}/g,
    (name, key) => key in values ? encodeURIComponent(values[key]!) : name,
  );
  const given = Object.entries(query).filter(([, value]) => (value ?? "") !== "");
  return given.length === 0 ? filled : `${filled}?${new URLSearchParams(given)}`;
}
