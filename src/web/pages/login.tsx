/** The pages `/login`, `/login/setup` and `/login/step-up`. */
import {
  Alert,
  CodeField,
  CsrfField,
  ExposedNotice,
  Field,
  PasskeyScript,
  render,
  SinglePage,
} from "../layout.tsx";
import { type ApiResponse, formFields, nextPath, type Site, type SiteContext } from "../site.ts";

interface LoginPageProps {
  readonly site: Site;
  readonly isExposed: boolean;
  readonly next: string;
  readonly email?: string;
  /** Name of the OpenID Connect provider; null if there is none. */
  readonly provider: string | null;
  readonly refused?: ApiResponse;
}

function LoginPage({ site, isExposed, next, email, provider, refused }: LoginPageProps) {
  const errors = refused?.errors ?? {};
  return (
    <SinglePage site={site} title="Log in">
      <section class="card">
        <h1>Log in</h1>
        <ExposedNotice isExposed={isExposed} />
        <Alert text={alertOf(refused)} />
        <form class="form" method="post" action={site.path("/login")}>
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label="Email"
            autocomplete="username"
            value={email}
            error={errors.email}
            autofocus={email === undefined}
          />
          <Field
            name="password"
            label="Password"
            type="password"
            autocomplete="current-password"
            error={errors.password}
            autofocus={email !== undefined}
          />
          <button class="button" type="submit">Log in</button>
        </form>
        <div class="form" data-passkey="login" data-next={next} hidden>
          <button class="button quiet" type="button">Log in with a passkey</button>
          <p class="notice bad" role="alert" hidden></p>
        </div>
        <PasskeyScript site={site} />
        {provider === null
          ? null
          : <a class="button quiet" href={openidPath(site, next)}>Log in with {provider}</a>}
      </section>
      <p class="muted small">
        No password yet, or lost it? An administrator can make a set-up link. On the machine of the control
        plane, <span class="mono">deno task admin reset-login</span> makes one.
      </p>
    </SinglePage>
  );
}

/**
 * Returns the message about the whole form; null if there is none, or if the errors are about single fields.
 */
function alertOf(refused: ApiResponse | undefined): string | null {
  return refused === undefined || Object.keys(refused.errors).length > 0 ? null : refused.message;
}

/**
 * Returns the address at which a log-in with the OpenID Connect provider begins.
 *
 * @param isFresh Whether the user has to authenticate at the provider again.
 */
function openidPath(site: Site, next: string, isFresh = false): string {
  return site.path(`/login/oidc?${new URLSearchParams({ ...isFresh ? { fresh: "1" } : {}, next })}`);
}

/** Returns the name of the OpenID Connect provider; null if there is none. */
async function providerName(site: Site, c: SiteContext): Promise<string | null> {
  const { status, body } = await site.call(c, "GET", "/api/login/methods");
  return status === 200 ? body.data.openid?.label ?? null : null;
}

/** Shows the form for the log-in. `refused` is the response to a log-in that failed. */
export async function showLogin(
  c: SiteContext,
  props: Pick<LoginPageProps, "site" | "next" | "email" | "refused">,
): Promise<Response> {
  const { site, refused } = props;
  const provider = await providerName(site, c);
  const page = <LoginPage {...props} isExposed={site.isExposed(c)} provider={provider} />;
  return render(c, page, { status: refused?.status });
}

export function addLoginPage(site: Site): void {
  site.app.get("/login", async (c) => {
    const next = nextPath(c.req.query("next"));
    if ((await site.call(c, "GET", "/api/session")).status === 200) return site.redirect(c, next);
    return await showLogin(c, { site, next });
  });
  site.app.post("/login", async (c) => {
    const { email = "", password = "", next } = await formFields(c);
    const answer = await site.call(c, "POST", "/api/login", { body: { email, password } });
    if (answer.status === 200) return site.redirect(c, nextPath(next), answer.cookie);
    if (answer.body.challenge !== undefined) {
      return showCode({ site, challenge: answer.body.challenge, next: nextPath(next) }, c);
    }
    return await showLogin(c, { site, next: nextPath(next), email, refused: answer });
  });
}

interface CodePageProps {
  readonly site: Site;
  readonly challenge: string;
  readonly next: string;
  readonly refused?: ApiResponse;
}

function CodePage({ site, challenge, next, refused }: CodePageProps) {
  return (
    <SinglePage site={site} title="Second factor">
      <section class="card">
        <h1>Second factor</h1>
        <Alert text={alertOf(refused)} />
        <form class="form" method="post" action={site.path("/login/code")}>
          <input type="hidden" name="challenge" value={challenge} />
          <input type="hidden" name="next" value={next} />
          <CodeField error={refused?.errors.code} autofocus />
          <button class="button" type="submit">Log in</button>
        </form>
      </section>
      <p class="muted small">
        The app and the recovery codes are lost? An administrator can make a set-up link that removes the
        second factor. On the machine of the control plane,{" "}
        <span class="mono">deno task admin reset-login</span> makes one.
      </p>
    </SinglePage>
  );
}

/** Shows the form for the second factor, after the user has passed the first one. */
export function showCode(props: CodePageProps, c: SiteContext): Response {
  return render(c, <CodePage {...props} />, { status: props.refused?.status ?? 401 });
}

export function addCodePage(site: Site): void {
  site.app.post("/login/code", async (c) => {
    const { challenge = "", code = "", next: given } = await formFields(c);
    const next = nextPath(given);
    const answer = await site.call(c, "POST", "/api/login/code", { body: { challenge, code } });
    if (answer.status === 200) return site.redirect(c, next, answer.cookie);
    return showCode({ site, challenge, next, refused: answer }, c);
  });
}

interface SetupPageProps {
  readonly site: Site;
  readonly isExposed: boolean;
  readonly token: string;
  readonly email: string;
  readonly refused?: ApiResponse;
}

function SetupPage({ site, isExposed, token, email, refused }: SetupPageProps) {
  return (
    <SinglePage site={site} title="Set your password">
      <section class="card">
        <header>
          <h1>Set your password</h1>
          <p class="muted">You log in with this email address and password from now on.</p>
        </header>
        <ExposedNotice isExposed={isExposed} />
        <Alert text={alertOf(refused)} />
        <form class="form" method="post" action={site.path("/login/setup")}>
          <input type="hidden" name="token" value={token} />
          <Field name="email" label="Email" autocomplete="username" value={email} readonly />
          <Field
            name="password"
            label="New password"
            type="password"
            autocomplete="new-password"
            hint="At least 12 characters. A few unrelated words are easy to remember."
            error={refused?.errors.password}
            autofocus
          />
          <button class="button" type="submit">Set password and log in</button>
        </form>
      </section>
    </SinglePage>
  );
}

function DeadLinkPage({ site, message }: { site: Site; message: string | null }) {
  return (
    <SinglePage site={site} title="Set-up link">
      <section class="card">
        <h1>This link does not work</h1>
        <p>{message}</p>
        <p class="muted">
          Ask an administrator for a new one. On the machine of the control plane,{" "}
          <span class="mono">deno task admin reset-login</span> makes one.
        </p>
        <a class="button" href={site.path("/login")}>Log in</a>
      </section>
    </SinglePage>
  );
}

export function addSetupPage(site: Site): void {
  const show = async (c: SiteContext, token: string, refused?: ApiResponse) => {
    const body = { setup_token: token === "" ? "none" : token };
    const known = await site.call(c, "POST", "/api/login/setup/user", { body });
    if (known.status !== 200) {
      return render(c, <DeadLinkPage site={site} message={known.message} />, { status: known.status });
    }
    const { email } = known.body.data;
    return render(
      c,
      <SetupPage site={site} isExposed={site.isExposed(c)} token={token} email={email} refused={refused} />,
      { status: refused?.status },
    );
  };
  site.app.get("/login/setup", (c) => show(c, c.req.query("token") ?? ""));
  site.app.post("/login/setup", async (c) => {
    const { token = "", password = "" } = await formFields(c);
    const body = { setup_token: token, password };
    const answer = await site.call(c, "POST", "/api/login/setup", { body });
    if (answer.status === 200) return site.redirect(c, "/", answer.cookie);
    const { challenge } = answer.body;
    if (challenge !== undefined) return showCode({ site, challenge, next: "/" }, c);
    return await show(c, token, answer);
  });
}

interface StepUpPageProps {
  readonly site: Site;
  readonly csrf: string;
  readonly email: string;
  readonly needsCode: boolean;
  /** Name of the OpenID Connect provider; null if there is none. */
  readonly provider: string | null;
  readonly next: string;
  readonly refused?: ApiResponse;
}

function StepUpPage({ site, csrf, email, needsCode, provider, next, refused }: StepUpPageProps) {
  return (
    <SinglePage site={site} title="Confirm that it is you">
      <section class="card">
        <header>
          <h1>Confirm that it is you</h1>
          <p class="muted">This action needs a fresh log-in. It is not asked for again for 10 minutes.</p>
        </header>
        <Alert text={alertOf(refused)} />
        <form class="form" method="post" action={site.path("/login/step-up")}>
          <CsrfField token={csrf} />
          <input type="hidden" name="next" value={next} />
          <Field name="email" label="Email" autocomplete="username" value={email} readonly />
          <Field
            name="password"
            label="Password"
            type="password"
            autocomplete="current-password"
            error={refused?.errors.password}
            autofocus
          />
          {needsCode ? <CodeField error={refused?.errors.code} /> : null}
          <button class="button" type="submit">Continue</button>
        </form>
        {provider === null
          ? null
          : <a class="button quiet" href={openidPath(site, next, true)}>Log in with {provider} again</a>}
      </section>
    </SinglePage>
  );
}

export function addStepUpPage(site: Site): void {
  const show = async (c: SiteContext, next: string, refused?: ApiResponse) => {
    const session = await site.call(c, "GET", "/api/session");
    if (session.status !== 200) return site.redirect(c, "/login");
    const { user, csrf_token, second_factor } = session.body.data;
    return render(
      c,
      <StepUpPage
        site={site}
        csrf={csrf_token}
        email={user.personal_info.email}
        needsCode={second_factor.enabled}
        provider={await providerName(site, c)}
        next={next}
        refused={refused}
      />,
      { status: refused?.status },
    );
  };
  site.app.get("/login/step-up", (c) => show(c, nextPath(c.req.query("next"))));
  site.app.post("/login/step-up", async (c) => {
    const { password = "", code, next, csrf_token = "" } = await formFields(c);
    const answer = await site.call(c, "POST", "/api/session/step-up", {
      body: code === undefined ? { password } : { password, code },
      csrf: csrf_token,
    });
    return answer.status === 200 ? site.redirect(c, nextPath(next)) : await show(c, nextPath(next), answer);
  });
}
