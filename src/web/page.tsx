/**
 * Adds pages and their actions. A page is shown to a logged-in user. An action handles a form that the user
 * has sent.
 */
import type { Child } from "hono/jsx";
import { setFlash } from "./flash.ts";
import { render } from "./layout.tsx";
import { type ApiResponse, type Form, nextPath, readForm, type Site, type SiteContext } from "./site.ts";
import { type FollowedLog, Shell } from "./shell.tsx";
import { openView, PageError, type View } from "./view.ts";

export interface PageContent {
  readonly title: string;
  readonly content: Child;
  readonly status?: number;
  /** Browsers that run no scripts fetch the page again after this number of seconds. */
  readonly refreshSeconds?: number;
  readonly log?: FollowedLog;
}

/** Returns a parameter of the route, such as `id` in `/tasks/:id`. */
export type Parameter = (name: string) => string;

/** Adds a page. `show` throws a {@link PageError} if the API refuses a request that the page depends on. */
export function addPage(
  site: Site,
  route: string,
  show: (view: View, parameter: Parameter) => PageContent | Promise<PageContent | Response>,
): void {
  site.app.get(route, async (c) => {
    const view = await openView(site, c);
    if (view instanceof Response) return view;
    return await answer(view, () => show(view, (name) => c.req.param(name) ?? ""));
  });
}

/** The result of an action: another page with a message, or a page that is shown at once. */
export type ActionResult = PageContent | Response | {
  /** Path of the page to show next, without the path of the proxy. */
  readonly goTo: string;
  readonly done?: string;
};

/**
 * Adds an action. `act` does what the form asks for. Its requests to the API must pass `csrf`, the token of
 * the form. If the API refuses a request and names the wrong fields, `act` shows the form again. If the API
 * refuses a request as a whole, `act` uses {@link refused}.
 */
export function addAction(
  site: Site,
  route: string,
  act: (view: View, form: Form, parameter: Parameter) => Promise<ActionResult>,
): void {
  site.app.post(route, async (c) => {
    const view = await openView(site, c);
    if (view instanceof Response) return view;
    const form = await readForm(c);
    return await answer(view, () => act(view, form, (name) => c.req.param(name) ?? ""));
  });
}

/**
 * Returns the result for a form that the API refused. The browser goes to `goTo`, by default to the page from
 * which the form was sent. That page shows why the API refused the form. If the action needs a fresh log-in,
 * the browser goes to the log-in first, and the reason is not shown.
 */
export function refused(
  view: View,
  form: Form,
  { body, message, errors }: ApiResponse,
  goTo: string = nextPath(form.text("next")),
): ActionResult {
  if (body?.step_up_required === true) {
    return { goTo: `/login/step-up?${new URLSearchParams({ next: goTo })}` };
  }
  const first = Object.values(errors)[0];
  setFlash(view.c, { text: first ?? message ?? "The control plane did not answer.", tone: "bad" });
  return { goTo };
}

interface SimpleAction {
  readonly method: "POST" | "PUT" | "DELETE";
  /** Returns the path of the API. */
  readonly to: (parameter: Parameter) => string;
  readonly body?: (form: Form, parameter: Parameter) => unknown;
  /** The message of the next page. */
  readonly done: string | ((answer: ApiResponse) => string);
  /** Path of the next page. If absent, the next page is the page from which the form was sent. */
  readonly goTo?: (answer: ApiResponse, parameter: Parameter) => string;
}

/** Adds an action that is one call of the API. */
export function addSimpleAction(site: Site, route: string, action: SimpleAction): void {
  addAction(site, route, async (view, form, parameter) => {
    const answer = await view.call(action.method, action.to(parameter), {
      body: action.body?.(form, parameter),
      csrf: form.text("csrf_token"),
    });
    if (answer.status >= 300) return refused(view, form, answer);
    const done = typeof action.done === "string" ? action.done : action.done(answer);
    return { goTo: action.goTo?.(answer, parameter) ?? nextPath(form.text("next")), done };
  });
}

/** Shows that there is no page at an address. */
export async function showMissing(site: Site, c: SiteContext): Promise<Response> {
  const view = await openView(site, c);
  return view instanceof Response
    ? view
    : show(view, errorPage(new PageError(404, "There is no page at this address.")));
}

async function answer(view: View, make: () => ActionResult | Promise<ActionResult>): Promise<Response> {
  try {
    const result = await make();
    if (result instanceof Response) return result;
    if (!("goTo" in result)) return show(view, result);
    if (result.done !== undefined) setFlash(view.c, { text: result.done, tone: "good" });
    return view.site.redirect(view.c, result.goTo);
  } catch (error) {
    if (error instanceof PageError) return show(view, errorPage(error));
    throw error;
  }
}

function show(view: View, { title, content, status, refreshSeconds, log }: PageContent): Response {
  const page = <Shell view={view} title={title} refreshSeconds={refreshSeconds} log={log}>{content}</Shell>;
  return render(view.c, page, { status, nonce: view.nonce });
}

/** Shows the reason in place of a page's content, if the API refuses to show it. */
function errorPage({ status, message }: PageError): PageContent {
  const title = status === 404 ? "Not found" : status === 403 ? "Not allowed" : "That did not work";
  const hint = status === 404
    ? "It was deleted, or it belongs to another workspace."
    : status === 403
    ? "Your role in this workspace does not allow it. A manager of the workspace can change roles."
    : "Reload the page to try again.";
  return {
    title,
    status,
    content: (
      <>
        <h1>{title}</h1>
        <p>{message}</p>
        <p class="muted">{hint}</p>
      </>
    ),
  };
}
