/** A typed client of the API. Its types are generated from the OpenAPI document. */
import createClient from "openapi-fetch";
import type { paths } from "./schema.d.ts";
import type { Answer, Argument, BodyOf, Failure, Method, Operation, PathOf } from "./types.ts";

export type { InputArgument } from "./input.ts";
export type * from "./types.ts";

export interface ClientOptions {
  /** The control plane's URL, without `/api`. */
  readonly baseUrl: string;
  /** Sends the requests; by default the global `fetch`. A caller in the same process passes the app's. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Headers of every request, such as `Authorization`. */
  readonly headers?: HeadersInit;
}

/** How the body of a successful response is read. `json` is the default. */
type Reading = "json" | "text" | "stream";

/** The options of a call. A path parameter or body that the endpoint requires is required here too. */
type Options<P extends PathOf<M>, M extends Method, As extends Reading> =
  & Omit<RequestInit, "body" | "method">
  & ParametersOf<Operation<P, M>>
  & BodyOf<Operation<P, M>>
  & (As extends "json" ? { parseAs?: As } : { parseAs: As });

type ParametersOf<O> = O extends { parameters: infer Parameters }
  ? { [K in keyof Parameters]?: never } extends Parameters ? { params?: Parameters } : { params: Parameters }
  : never;

/** The result of a call: `data` if the response is a success, otherwise `error`. */
type Result<P extends PathOf<M>, M extends Method, As extends Reading> =
  | { readonly data: Read<Answer<P, M>, As>; readonly error?: undefined; readonly response: Response }
  | { readonly data?: undefined; readonly error: Failure; readonly response: Response };

type Read<Json, As extends Reading> = As extends "json" ? Json
  : As extends "text" ? string
  : Response["body"];

/**
 * A call of the endpoints with one method. This type refuses misspelt parameters and fields; the type of
 * openapi-fetch accepts them.
 */
type Call<M extends Method> = <P extends PathOf<M>, As extends Reading = "json">(
  path: P,
  ...options: Argument<Options<P, M, As>>
) => Promise<Result<P, M, As>>;

export interface ApiClient {
  readonly GET: Call<"get">;
  readonly POST: Call<"post">;
  readonly PUT: Call<"put">;
  readonly DELETE: Call<"delete">;
}

/**
 * Creates a client: `const { data, error, response } = await apiClient({ baseUrl }).GET("/api/tags");`
 *
 * A call resolves to `data`, or to `error` if the response is not a success. It rejects if no response
 * arrives.
 */
export function apiClient({ baseUrl, fetch, headers }: ClientOptions): ApiClient {
  const client = createClient<paths>({ baseUrl, fetch, headers });
  client.use({ onResponse: ({ response }) => withMessage(response) });
  return client as unknown as ApiClient;
}

/** Returns the response. If it is an error page of a proxy, replaces the page with a JSON message. */
async function withMessage(response: Response): Promise<Response> {
  if (response.ok || response.headers.get("content-type")?.includes("json")) return response;
  await response.body?.cancel();
  const message = `The control plane cannot be reached: the answer was ${response.status}.`;
  return Response.json({ message }, { status: response.status });
}
