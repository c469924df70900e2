/** Calls the control plane's public API for commands. */
import { answerError, connectionError } from "./answer_error.ts";
import { CommandError, EXIT } from "./command_error.ts";

export interface Connection {
  /** The control plane's URL, without `/api` and without a slash at the end. */
  readonly url: string;
  readonly token: string;
}

export interface Call {
  /** The action in `Cannot <action>: …`. */
  readonly action: string;
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** The path below `/api`, with the query. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
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

/**
 * Time limit for the head of a response, in milliseconds. It is longer than the time that an agent has to
 * check a destination.
 */
const ANSWER_TIMEOUT = 90_000;
const LARGEST_PAGE = 100;

/** A client of the API. Its methods reject with a {@link CommandError} if a response is not a success. */
export class Api {
  /** @param warn Receives each warning of the control plane, such as a field that it ignored. */
  constructor(readonly connection: Connection, readonly warn: (text: string) => void = () => {}) {}

  async call<T>(call: Call): Promise<T> {
    const response = await this.open(call);
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

  get<T>(action: string, path: string): Promise<T> {
    return this.call({ action, path });
  }

  post<T>(action: string, path: string, body?: unknown): Promise<T> {
    return this.call({ action, method: "POST", path, body });
  }

  /** Returns the chosen page. If none is chosen, returns all pages joined, with `meta.total`. */
  async list<T>(action: string, path: string, choice: PageChoice = {}): Promise<List<T>> {
    return await this.pages(choice, (query) => this.get(action, `${path}?${query}`));
  }

  /**
   * Returns the chosen page. If none is chosen, returns all pages joined. `one` sends a request of any kind
   * with the given query. The query's parameters `page` and `per_page` select the page.
   */
  async pages<T>(
    { page, perPage }: PageChoice,
    one: (query: URLSearchParams) => Promise<List<T>>,
  ): Promise<List<T>> {
    if (page !== undefined || perPage !== undefined) {
      const query = new URLSearchParams();
      if (page !== undefined) query.set("page", String(page));
      if (perPage !== undefined) query.set("per_page", String(perPage));
      return await one(query);
    }
    const data: T[] = [];
    for (let number = 1;; number++) {
      const body = await one(new URLSearchParams({ page: String(number), per_page: String(LARGEST_PAGE) }));
      data.push(...body.data);
      if (!body.links?.next) return { data, meta: { total: body.meta.total } };
    }
  }

  /** Sends a request and returns the response, with its body still unread. */
  async open({ action, method = "GET", path, body, headers, signal }: Call): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new DOMException("no response in time", "TimeoutError")),
      ANSWER_TIMEOUT,
    );
    let response: Response;
    try {
      response = await fetch(`${this.connection.url}/api${path}`, {
        method,
        headers: {
          accept: "application/json, */*",
          authorization: `Bearer ${this.connection.token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        // A followed redirect would turn a POST into a GET, and might send the token to another host.
        redirect: "manual",
        signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
      });
    } catch (cause) {
      throw connectionError(action, this.connection.url, cause);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await answerError(action, response);
    return response;
  }
}
