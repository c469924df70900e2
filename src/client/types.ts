/** The types of the API's parts by path and method: `Answer<"/api/overview">["data"]`. */
import type { components, paths } from "./schema.d.ts";

export type Method = "get" | "post" | "put" | "delete";

/** The paths that have the method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: M extends keyof paths[P] ? P : never;
}[keyof paths];

/** The paths whose answers to GET have `data`. */
export type DataPath = {
  [P in PathOf<"get">]: Answer<P> extends { data: unknown } ? P : never;
}[PathOf<"get">];

/** The paths of paged lists. */
export type ListPath = {
  [P in PathOf<"get">]: Answer<P> extends { data: unknown[]; meta: unknown } ? P : never;
}[PathOf<"get">];

/** A named schema of the OpenAPI document: `Schema<"BackupTask">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** The JSON body of an unsuccessful response. `errors` has the messages of each invalid field. */
export type Failure = Schema<"Failure">;

/** The JSON body of a successful response. The type is `never` if a successful response has no JSON body. */
export type Answer<P extends PathOf<M>, M extends Method = "get"> = Operation<P, M> extends
  { responses: infer Responses } ? JsonOf<Responses[Exclude<keyof Responses, "default">]> : never;

export type DataOf<P extends DataPath> = Answer<P> extends { data: infer Data } ? Data : never;

export type RowOf<P extends ListPath> = Answer<P> extends { data: (infer Row)[] } ? Row : never;

/** The JSON body of a request. If the endpoint takes no body, this is the type `never`. */
export type Body<P extends PathOf<M>, M extends Method = "post"> = Operation<P, M> extends
  { requestBody?: infer Content } ? JsonOf<NonNullable<Content>> : never;

/** The query parameters. If the endpoint takes none, this is the type `never`. */
export type Query<P extends PathOf<M>, M extends Method = "get"> = Operation<P, M> extends
  { parameters: { query?: infer Parameters } } ? NonNullable<Parameters> : never;

/** The operation of a path and method in the generated types. */
export type Operation<P extends PathOf<M>, M extends Method> = paths[P] extends Record<M, infer O> ? O
  : never;

type JsonOf<Content> = Content extends { content: { "application/json": infer Json } } ? Json : never;

/** The property `body` of a request's options. It is required if the endpoint requires a body. */
export type BodyOf<O> = [O] extends [{ requestBody: infer Content }] ? { readonly body: JsonOf<Content> }
  : [O] extends [{ requestBody?: infer Content }] ? { readonly body?: JsonOf<NonNullable<Content>> }
  : never;

/** One argument, which is optional if none of its properties is required. */
export type Argument<T> = { [K in keyof T]?: never } extends T ? [T?] : [T];
