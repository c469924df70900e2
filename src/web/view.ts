/** The context of a page: the user, what the user may do, and the data that the API returns. */
import type { Answer, DataOf, DataPath, InputArgument, ListPath, RowOf } from "../client/client.ts";
import type { Ability } from "../domain/abilities.ts";
import { HttpError } from "../http/errors.ts";
import type { Role } from "../domain/access/roles.ts";
import { fill } from "./api_path.ts";
import { type Flash, takeFlash } from "./flash.ts";
import type { ApiResponse, Site, SiteContext } from "./site.ts";

export interface ViewUser {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  /** IANA name of the time zone in which the pages show times. */
  readonly timezone: string;
  readonly isAdmin: boolean;
  /** Whether the password alone does not open a session. */
  readonly hasSecondFactor: boolean;
}

/** Who sends a request, and what the user may do in the session's workspace. */
interface Identity {
  readonly user: ViewUser;
  readonly workspace: { readonly id: number; readonly name: string; readonly role: Role };
  readonly abilities: ReadonlySet<string>;
  /** The token of the session's forms. */
  readonly csrf: string;
}

/** One page of a list of the API. */
export interface ListPage<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
  readonly page: number;
  readonly pages: number;
}

/** The API refused a request that a page depends on. The page shows `message` in place of its content. */
export class PageError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** One request of a logged-in browser. */
export class View {
  readonly flash: Flash | null;
  /** The path and query of this page, without the path of the proxy. */
  readonly here: string;
  /** Value that a script and every element with htmx attributes must carry; new for every response. */
  readonly nonce = crypto.randomUUID().replaceAll("-", "");

  readonly user: ViewUser;
  readonly workspace: Identity["workspace"];
  readonly csrf: string;
  readonly #abilities: ReadonlySet<string>;

  constructor(readonly site: Site, readonly c: SiteContext, identity: Identity) {
    this.user = identity.user;
    this.workspace = identity.workspace;
    this.csrf = identity.csrf;
    this.#abilities = identity.abilities;
    const url = new URL(c.req.url);
    this.here = url.pathname + url.search;
    this.flash = takeFlash(c);
  }

  get now(): Date {
    return this.site.clock.now();
  }

  /**
   * Whether htmx fetches the page to renew a part of it. If so, the response does not contain the frame
   * around the page's content.
   */
  get isPart(): boolean {
    return this.c.req.header("HX-Request") === "true";
  }

  may(ability: Ability): boolean {
    return this.#abilities.has(ability);
  }

  path(path: string): string {
    return this.site.path(path);
  }

  /**
   * Returns this page's address with changed query parameters. If a value is null or an empty text, the
   * address does not contain that parameter.
   */
  with(changes: Readonly<Record<string, string | number | null>>): string {
    const url = new URL(this.here, "http://localhost");
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, String(value));
    }
    return this.path(url.pathname + url.search);
  }

  /** Returns a query parameter; an empty text if the parameter is absent. */
  query(name: string): string {
    return this.c.req.query(name) ?? "";
  }

  /**
   * Returns attributes for htmx, such as `hx-get` for `get`. Adds the page's nonce, because htmx obeys only
   * attributes with this nonce. So htmx ignores attributes in text that somebody has smuggled into a page.
   */
  hx(attributes: Readonly<Record<string, string>>): Record<string, string> {
    const named = Object.entries(attributes).map(([name, value]) => [`hx-${name}`, value]);
    return { ...Object.fromEntries(named), "hx-nonce": this.nonce };
  }

  /**
   * Sends an API request for this page. A request that changes something needs `csrf`. This is the token that
   * the browser has sent with its form, see {@link Form}.
   */
  call(
    method: string,
    path: string,
    { body, csrf }: { body?: unknown; csrf?: string } = {},
  ): Promise<ApiResponse> {
    return this.site.call(this.c, method, path, { body, csrf });
  }

  /**
   * Calls an endpoint that changes nothing and takes a body. The call also works if the user has opened the
   * page from a bookmark.
   */
  ask(path: string, body: unknown): Promise<ApiResponse> {
    return this.site.call(this.c, "POST", path, { body, csrf: this.csrf, isOwn: true });
  }

  /**
   * Reads `data` of an endpoint: `view.get("/api/backups/{id}", { id })`. Throws a {@link PageError} if the
   * API refuses.
   */
  async get<P extends DataPath>(path: P, ...[input]: InputArgument<P, "get">): Promise<DataOf<P>> {
    return (await this.#read(fill(path, input))).data;
  }

  /** As {@link get}, but returns the whole answer, for endpoints with fields beside `data`. */
  async answer<P extends DataPath>(path: P, ...[input]: InputArgument<P, "get">): Promise<Answer<P>> {
    return await this.#read(fill(path, input));
  }

  /** As {@link get}, but returns null if the record does not exist, or if the user must not see it. */
  async find<P extends DataPath>(path: P, ...[input]: InputArgument<P, "get">): Promise<DataOf<P> | null> {
    const { status, body } = await this.call("GET", fill(path, input));
    return status === 200 ? body.data : null;
  }

  /**
   * Reads one page of a list: `view.list("/api/backups", { query: { status } })`. Throws a {@link PageError}
   * if the API refuses.
   */
  async list<P extends ListPath>(path: P, ...[input]: InputArgument<P, "get">): Promise<ListPage<RowOf<P>>> {
    const { data, meta } = await this.#read(fill(path, input));
    return { rows: data, total: meta.total, page: meta.current_page, pages: meta.last_page };
  }

  // deno-lint-ignore no-explicit-any
  async #read(path: string): Promise<any> {
    const { status, body, message } = await this.call("GET", path);
    if (status !== 200) throw new PageError(status, message ?? "The control plane did not answer.");
    return body;
  }
}

/**
 * Opens the view of a request. Returns a redirect if the browser is not logged in, or if its user must set up
 * a second factor first.
 */
export async function openView(site: Site, c: SiteContext): Promise<View | Response> {
  const { status, body } = await site.call(c, "GET", "/api/session");
  if (status !== 200) return refuse(site, c, status);
  const { abilities, csrf_token, second_factor, user, workspace } = body.data;
  const { enabled, has_passkey, required } = second_factor;
  if (required && !enabled && !has_passkey) return site.redirect(c, "/account/second-factor");
  const { personal_info: { name, email }, account_settings: { timezone, is_admin } } = user;
  return new View(site, c, {
    user: {
      id: user.id,
      name,
      email,
      timezone,
      isAdmin: is_admin,
      hasSecondFactor: enabled || required && has_passkey,
    },
    workspace,
    abilities: new Set(abilities),
    csrf: csrf_token,
  });
}

/** Leads to the log-in, and from there back to the page. Throws if the log-in is not what is missing. */
function refuse(site: Site, c: SiteContext, status: number): Response {
  if (status !== 401) {
    throw new HttpError(status, "The control plane could not read your session. Try again.");
  }
  const from = c.req.method === "GET" ? c.req.url : c.req.header("referer");
  const { pathname, search } = new URL(from ?? "/", c.req.url);
  return site.redirect(c, `/login?${new URLSearchParams({ next: pathname + search })}`);
}
