/** The types of the API's parts by path and method: `Answer<"/api/overview">["data"]`. */
import type { components, paths } from "./schema.d.ts";

export type Method = "get" | "post" | "put" | "delete";

/** The paths that have the method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: M extends keyof paths[P] ? P : never;
}[keyof paths];

/** A named schema of the OpenAPI document: `Schema<"BackupTask">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** The JSON body of an unsuccessful response. `errors` has the messages of each invalid field. */
export type Failure = Schema<"Failure">;

/** The JSON body of a successful response; never if the endpoint answers with something else. */
export type Answer<P extends PathOf<M>, M extends Method = "get"> = Operation<P, M> extends
  { responses: infer Responses } ? JsonOf<Responses[Exclude<keyof Responses, "default">]> : never;

/** The JSON body of a request; never if the endpoint takes none. */
export type Body<P extends PathOf<M>, M extends Method = "post"> = Operation<P, M> extends
  { requestBody?: infer Content } ? JsonOf<NonNullable<Content>> : never;

/** The query parameters; never if the endpoint takes none. */
export type Query<P extends PathOf<M>, M extends Method = "get"> = Operation<P, M> extends
  { parameters: { query?: infer Parameters } } ? NonNullable<Parameters> : never;

type Operation<P extends PathOf<M>, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type JsonOf<Content> = Content extends { content: { "application/json": infer Json } } ? Json : never;

/** How the body of a successful response is read. `json` is the default. */
export type Reading = "json" | "text" | "stream";

/** The options of a call. A path parameter or body that the endpoint requires is required here too. */
export type CallOptions<P extends PathOf<M>, M extends Method, As extends Reading> =
  & Omit<RequestInit, "body" | "method">
  & ParametersOf<Operation<P, M>>
  & BodyOf<Operation<P, M>>
  & (As extends "json" ? { parseAs?: As } : { parseAs: As });

type ParametersOf<O> = O extends { parameters: infer Parameters }
  ? { [K in keyof Parameters]?: never } extends Parameters ? { params?: Parameters } : { params: Parameters }
  : never;

type BodyOf<O> = O extends { requestBody: infer Content } ? { body: JsonOf<Content> }
  : O extends { requestBody?: infer Content } ? { body?: JsonOf<NonNullable<Content>> }
  : never;

/** The result of a call: `data` of a success, otherwise `error`. */
export type Result<P extends PathOf<M>, M extends Method, As extends Reading> =
  | { readonly data: Read<Answer<P, M>, As>; readonly error?: undefined; readonly response: Response }
  | { readonly data?: undefined; readonly error: Failure; readonly response: Response };

type Read<Json, As extends Reading> = As extends "json" ? Json
  : As extends "text" ? string
  : Response["body"];
