/** Calls the control plane's public API for commands. */
import {
  type Answer,
  apiClient,
  type InputArgument,
  type ListPath,
  type PathOf,
  type RowOf,
} from "../client/client.ts";
import { answerError, connectionError } from "./answer_error.ts";
import { CommandError, EXIT } from "./command_error.ts";

export interface Connection {
  /** The control plane's URL, without `/api` and without a slash at the end. */
  readonly url: string;
  readonly token: string;
}

/** One page of a list, or all pages joined. `links.next` is the URL of the next page, null on the last. */
export interface List<T> {
  data: T[];
  links?: { next: string | null };
  meta: { total: number };
}

export interface PageChoice {
  readonly page?: number;
  readonly perPage?: number;
}

/** The query parameters that select a page of a list. */
export interface PageQuery {
  readonly page?: number;
  readonly per_page?: number;
}

/** Options for opening a stream: additional headers, and a signal that ends the stream. */
export interface StreamOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * An endpoint's input, without the exact types. It has a value for each name in the path. It also has the
 * query and the body.
 */
interface Input extends Readonly<Record<string, unknown>> {
  readonly query?: object;
  readonly body?: unknown;
}

interface Call extends StreamOptions {
  /** The action in `Cannot <action>: …`. */
  readonly action: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly input?: Input;
}

/**
 * Time limit for the head of a response, in milliseconds. It is longer than the time limit of an agent for
 * checking a destination.
 */
const ANSWER_TIMEOUT = 90_000;
const LARGEST_PAGE = 100;

/**
 * A client of the API: `api.get("show tag 7", "/api/tags/{id}", { id: 7 })`. Its methods reject with a
 * {@link CommandError} if a response is not a success. `action` completes the message `Cannot <action>: …`.
 */
export class Api {
  /** @param warn Receives each warning of the control plane, such as a field that it ignored. */
  constructor(readonly connection: Connection, readonly warn: (text: string) => void = () => {}) {}

  get<P extends PathOf<"get">>(
    action: string,
    path: P,
    ...[input]: InputArgument<P, "get">
  ): Promise<Answer<P>> {
    return this.#read({ action, method: "GET", path, input });
  }

  post<P extends PathOf<"post">>(
    action: string,
    path: P,
    ...[input]: InputArgument<P, "post">
  ): Promise<Answer<P, "post">> {
    return this.#read({ action, method: "POST", path, input });
  }

  put<P extends PathOf<"put">>(
    action: string,
    path: P,
    ...[input]: InputArgument<P, "put">
  ): Promise<Answer<P, "put">> {
    return this.#read({ action, method: "PUT", path, input });
  }

  delete<P extends PathOf<"delete">>(
    action: string,
    path: P,
    ...[input]: InputArgument<P, "delete">
  ): Promise<Answer<P, "delete">> {
    return this.#read({ action, method: "DELETE", path, input });
  }

  /** Returns the chosen page. If none is chosen, returns all pages joined, with `meta.total`. */
  async list<P extends ListPath>(
    action: string,
    path: P,
    choice: PageChoice,
    ...[input]: InputArgument<P, "get">
  ): Promise<List<RowOf<P>>> {
    const { query, ...names } = (input ?? {}) as Input;
    return await this.pages(
      choice,
      (page) =>
        this.#read({ action, method: "GET", path, input: { ...names, query: { ...query, ...page } } }),
    );
  }

  /**
   * Returns the chosen page. If none is chosen, returns all pages joined.
   *
   * @param one Requests one page, with GET or another method. The query that it gets selects the page.
   */
  async pages<T>(
    { page, perPage }: PageChoice,
    one: (query: PageQuery) => Promise<List<T>>,
  ): Promise<List<T>> {
    if (page !== undefined || perPage !== undefined) return await one({ page, per_page: perPage });
    const data: T[] = [];
    for (let number = 1;; number++) {
      const body = await one({ page: number, per_page: LARGEST_PAGE });
      data.push(...body.data);
      if (!body.links?.next) return { data, meta: { total: body.meta.total } };
    }
  }

  /** Sends a GET request and returns the response, with its body still unread. */
  open<P extends PathOf<"get">>(
    action: string,
    path: P,
    options: StreamOptions,
    ...[input]: InputArgument<P, "get">
  ): Promise<Response> {
    return this.#open({ ...options, action, method: "GET", path, input });
  }

  async #read<T>(call: Call): Promise<T> {
    const response = await this.#open(call);
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw connectionError(call.action, this.connection.url, cause);
    }
    let body: T & { warnings?: unknown };
    try {
      body = JSON.parse(text);
    } catch (cause) {
      throw new CommandError(
        EXIT.unreachable,
        `Cannot ${call.action}: the program at ${this.connection.url} is not a control plane`,
        { cause },
      );
    }
    if (Array.isArray(body?.warnings)) { for (const warning of body.warnings) this.warn(String(warning)); }
    return body;
  }

  async #open({ action, method, path, input = {}, headers, signal }: Call): Promise<Response> {
    const { url, token } = this.connection;
    const client = apiClient({
      baseUrl: url,
      headers: { accept: "application/json, */*", authorization: `Bearer ${token}` },
      fetch: (request) => send(request, action, url),
    });
    const { query, body, ...names } = input;
    const { response } = await (client[method] as unknown as UntypedCall)(path, {
      params: { path: names, query },
      body,
      headers,
      // A followed redirect would turn a POST into a GET, and might send the token to another host.
      redirect: "manual",
      signal,
      parseAs: "stream",
    });
    return response;
  }
}

/**
 * A method of the client, without the types of its arguments: the methods of {@link Api} have already checked
 * the arguments.
 */
type UntypedCall = (path: string, options: object) => Promise<{ response: Response }>;

/** Sends a request. Rejects if the response is not a success, or if its head does not arrive in time. */
async function send(request: Request, action: string, url: string): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new DOMException("no response in time", "TimeoutError")),
    ANSWER_TIMEOUT,
  );
  let response: Response;
  try {
    response = await fetch(request, { signal: AbortSignal.any([late.signal, request.signal]) });
  } catch (cause) {
    throw connectionError(action, url, cause);
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await answerError(action, response);
  return response;
}
