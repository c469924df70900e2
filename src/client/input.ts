/** Input of an endpoint, in the short form of commands and pages: `{ id, query, body }`. */
import type { Argument, BodyOf, Method, Operation, PathOf, Query } from "./types.ts";

/** The names in a path: `id` in `/api/tags/{id}`. */
type NameIn<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | NameIn<Rest>
  : never;

/** Values of query parameters. The API converts and checks them, so text that a user has typed fits too. */
type QueryValues<Parameters> = [Parameters] extends [never] ? undefined
  : { readonly [Name in keyof Parameters]?: string | number | boolean | null };

/** An endpoint's input. It has a value for each name in the path. It also has the query and the body. */
type Input<P extends PathOf<M>, M extends Method> =
  & { readonly [Name in NameIn<P>]: string | number }
  & { readonly query?: QueryValues<Query<P, M>> }
  & BodyOf<Operation<P, M>>;

/** The last argument of a call. It is optional if the endpoint requires nothing. */
export type InputArgument<P extends PathOf<M>, M extends Method> = Argument<Input<P, M>>;
