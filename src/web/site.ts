/**
 * Provides what every page needs: the addresses of the site, and requests to the API. The pages access data
 * only through the API.
 */
import type { Context } from "hono";
import type { Clock } from "../domain/clock.ts";
import { readBody } from "../http/input/body.ts";
import { Assets } from "./assets.ts";
import type { App, RouteVariables } from "../http/observe.ts";

export type SiteContext = Context<RouteVariables>;

/** A response of the API. `errors` has the first error of each wrong field, by the field's name. */
export interface ApiResponse {
  readonly status: number;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
  readonly message: string | null;
  readonly errors: Readonly<Record<string, string>>;
  /** The `Set-Cookie` header of the response; null if there is none. */
  readonly cookie: string | null;
}

/** Headers of the browser's request that are passed on to the API. The API identifies the caller by them. */
const PASSED_ON = ["cookie", "origin", "sec-fetch-site", "user-agent", "x-forwarded-for"];

export class Site {
  /** Path at which a proxy serves the control plane, without a trailing slash; empty for the root. */
  readonly base: string;
  readonly #assets = new Assets();

  /**
   * @param publicUrl The URL at which browsers reach this control plane; if null, the request's URL is used.
   */
  constructor(readonly app: App, readonly publicUrl: string | null, readonly clock: Clock) {
    this.#assets.addTo(app);
    this.base = publicUrl === null ? "" : new URL(publicUrl).pathname.replace(/\/+$/, "");
  }

  /** Returns the address of a page or file of the site. */
  path(path: string): string {
    return `${this.base}${path}`;
  }

  /** Returns the address of a file that pages load. */
  asset(name: string): string {
    return this.path(this.#assets.path(name));
  }

  /** Returns the address of a picture of `docs/images`; null if there is no such picture. */
  picture(name: string): string | null {
    return this.#assets.has(`images/${name}`) ? this.asset(`images/${name}`) : null;
  }

  /**
   * Calls the API with the cookie of a browser's request. The API authenticates the browser, and refuses
   * requests from pages of other sites. So a page can do only what the API allows its user.
   *
   * @param csrf The CSRF token from the form that the browser has sent; undefined if it has sent no form.
   * @param isOwn Whether the API is to accept the request even if a page of another site led the browser
   *   here. Must be true only for requests that change nothing.
   */
  async call(
    c: SiteContext,
    method: string,
    path: string,
    { body, csrf, isOwn = false }: { body?: unknown; csrf?: string; isOwn?: boolean } = {},
  ): Promise<ApiResponse> {
    const headers = headersFor(c);
    if (isOwn) headers.set("Sec-Fetch-Site", "same-origin");
    if (csrf !== undefined) headers.set("X-CSRF-Token", csrf);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const request = new Request(new URL(path, c.req.url), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const isPageRead = method === "GET" || isOwn;
    const response = await this.app.fetch(request, { ...c.env, isPageRead });
    const answer = await response.json();
    const fields = Object.entries(answer.errors ?? {}) as [string, string[]][];
    return {
      status: response.status,
      body: answer,
      message: answer.message ?? null,
      errors: Object.fromEntries(fields.map(([name, [first]]) => [name, first!])),
      cookie: response.headers.get("set-cookie"),
    };
  }

  /** Passes on a stream of the API. The API identifies the caller by the browser's cookie. */
  async stream(c: SiteContext, path: string): Promise<Response> {
    const headers = headersFor(c);
    const lastEventId = c.req.raw.headers.get("last-event-id");
    if (lastEventId !== null) headers.set("Last-Event-ID", lastEventId);
    return await this.app.fetch(new Request(new URL(path, c.req.url), { headers }), {
      ...c.env,
      isPageRead: true,
    });
  }

  /**
   * Redirects the browser to a page. The browser requests the page with GET. `cookie` is the `Set-Cookie`
   * header of the API's response; null if there is none.
   */
  redirect(c: SiteContext, path: string, cookie: string | null = null): Response {
    if (cookie !== null) c.header("Set-Cookie", cookie);
    return c.redirect(this.path(path), 303);
  }

  /** Returns whether other machines in the network can read the browser's requests. */
  isExposed(c: SiteContext): boolean {
    const { protocol, hostname } = new URL(this.publicUrl ?? c.req.url);
    return protocol === "http:" && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  }
}

function headersFor(c: SiteContext): Headers {
  const headers = new Headers({ "X-Request-Id": c.get("requestId") });
  for (const name of PASSED_ON) {
    const value = c.req.raw.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

/**
 * Returns the path of the page to show next. This is `given` if it is a path of this site, else `otherwise`.
 */
export function nextPath(given: string | undefined, otherwise = "/"): string {
  return given !== undefined && /^\/(?![/\\])[\x21-\x7e]{0,8000}$/.test(given) ? given : otherwise;
}

/** Fills a path of the API or of a page, such as ``path`/api/backups/${id}` ``. Escapes each value. */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: parts }, ...values.map((value) => encodeURIComponent(value)));
}

/** The fields of a form that a browser has sent. */
export class Form {
  constructor(readonly fields: Readonly<Record<string, unknown>>) {}

  /** Returns a field's text as typed; an empty text if the field is absent. */
  text(name: string): string {
    const value = this.fields[name];
    return typeof value === "string" ? value : "";
  }

  /** Returns the values of a field that can occur several times. Its name in the form ends in `[]`. */
  list(name: string): string[] {
    const value = this.fields[name];
    const items: unknown[] = typeof value === "object" && value !== null ? Object.values(value) : [];
    return items.filter((item) => typeof item === "string");
  }

  /** Returns the texts of a field with entries, by entry. The controls are named `field[entry]`. */
  entries(name: string): Record<string, string> {
    const value = this.fields[name];
    const pairs = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return Object.fromEntries(pairs.filter(([, item]) => typeof item === "string"));
  }

  /** Returns whether a checkbox is checked. */
  has(name: string): boolean {
    return this.fields[name] !== undefined;
  }
}

export async function readForm(c: SiteContext): Promise<Form> {
  const { value } = await readBody(c.req.raw, MAX_FORM);
  return new Form((value ?? {}) as Record<string, unknown>);
}

/** Returns the form's fields. Leaves out fields whose value is not text. */
export async function formFields(c: SiteContext): Promise<Record<string, string>> {
  const fields = Object.entries((await readForm(c)).fields);
  return Object.fromEntries(
    fields.filter((field): field is [string, string] => typeof field[1] === "string"),
  );
}

/** Maximum size of a form, in bytes. */
const MAX_FORM = 1_048_576;
