/**
 * The page `/account/second-factor`: sets up and removes the authenticator app, renews recovery codes, and
 * sets whether everybody must have a second factor.
 */
import { raw } from "hono/html";
import { renderSVG } from "uqr";
import { Alert, BarPage, CodeField, CsrfField, render } from "../layout.tsx";
import { type ApiResponse, formFields, type Site, type SiteContext } from "../site.ts";

const PATH = "/account/second-factor";

interface State {
  readonly site: Site;
  readonly csrf: string;
  readonly email: string;
  readonly isAdmin: boolean;
  readonly factor: { enabled: boolean; has_passkey: boolean; required: boolean; recovery_codes_left: number };
}

interface PageProps extends State {
  /** The `otpauth:` address of a new secret that the user has to confirm. */
  readonly uri?: string;
  /** New recovery codes, which are shown only now. */
  readonly codes?: readonly string[];
  readonly refused?: ApiResponse;
}

function SecondFactorPage({ uri, codes, refused, ...state }: PageProps) {
  const { site, csrf, email, factor, isAdmin } = state;
  const isForced = factor.required && !factor.enabled && !factor.has_passkey;
  return (
    <BarPage site={site} title="Second factor" user={email} csrf={csrf}>
      <h1>Second factor</h1>
      {isForced && codes === undefined
        ? <p class="notice warn">Everybody must have a second factor here. Set up yours to continue.</p>
        : null}
      <Alert
        text={refused === undefined || Object.keys(refused.errors).length > 0 ? null : refused.message}
      />
      {codes === undefined ? null : <Codes codes={codes} />}
      <section class="card" aria-labelledby="app">
        <h2 id="app">Authenticator app</h2>
        {uri !== undefined
          ? <Confirmation {...state} uri={uri} refused={refused} />
          : factor.enabled
          ? <Enabled {...state} />
          : <Disabled {...state} />}
      </section>
      {isAdmin && factor.enabled ? <Requirement {...state} /> : null}
      {isForced ? null : (
        <p>
          <a href={site.path("/account")}>Account</a>
        </p>
      )}
    </BarPage>
  );
}

function Disabled({ site, csrf }: State) {
  return (
    <form class="form narrow" method="post" action={site.path(`${PATH}/start`)}>
      <CsrfField token={csrf} />
      <p class="muted">A log-in then needs the code of an app on your phone, too.</p>
      <button class="button" type="submit">Set up</button>
    </form>
  );
}

function Confirmation({ site, csrf, uri, refused }: State & { uri: string; refused?: ApiResponse }) {
  const secret = new URL(uri).searchParams.get("secret") ?? "";
  return (
    <form class="form narrow" method="post" action={site.path(`${PATH}/confirm`)}>
      <CsrfField token={csrf} />
      <input type="hidden" name="uri" value={uri} />
      <p>Scan this with the app, or type the key into it.</p>
      <figure class="qr" role="img" aria-label="QR code of the key below">
        {raw(renderSVG(uri, { border: 2 }))}
      </figure>
      <p class="mono">{secret.match(/.{1,4}/g)?.join(" ")}</p>
      <CodeField label="Code that the app shows" error={refused?.errors.code} autofocus />
      <button class="button" type="submit">Confirm</button>
    </form>
  );
}

function Enabled({ site, csrf, factor }: State) {
  return (
    <>
      <p>
        <span class="tag">On</span> {factor.recovery_codes_left} recovery codes are left.
      </p>
      <form method="post" action={site.path(`${PATH}/codes`)}>
        <CsrfField token={csrf} />
        <button class="button quiet" type="submit">Make new recovery codes</button>
      </form>
      {factor.required ? null : (
        <form method="post" action={site.path(`${PATH}/remove`)}>
          <CsrfField token={csrf} />
          <button class="button quiet" type="submit">Remove the app</button>
        </form>
      )}
    </>
  );
}

function Codes({ codes }: { codes: readonly string[] }) {
  return (
    <section class="card" aria-labelledby="codes">
      <header>
        <h2 id="codes">Recovery codes</h2>
        <p class="muted">Keep them: they are not shown again. Each works once, if the app is lost.</p>
      </header>
      <ul class="codes mono">{codes.map((code) => <li key={code}>{code}</li>)}</ul>
    </section>
  );
}

function Requirement({ site, csrf, factor }: State) {
  return (
    <section class="card" aria-labelledby="everybody">
      <h2 id="everybody">Everybody</h2>
      <form class="form" method="post" action={site.path(`${PATH}/required`)}>
        <CsrfField token={csrf} />
        <input type="hidden" name="required" value={factor.required ? "0" : "1"} />
        <p class="muted">
          {factor.required ? "Everybody must have a second factor." : "A second factor is left to each user."}
        </p>
        <div>
          <button class="button quiet" type="submit">
            {factor.required ? "Leave it to each user" : "Require a second factor of everybody"}
          </button>
        </div>
      </form>
    </section>
  );
}

export function addSecondFactorPage(site: Site): void {
  const show = async (c: SiteContext, shown: Pick<PageProps, "uri" | "codes" | "refused"> = {}) => {
    if (shown.refused?.body.step_up_required === true) {
      return site.redirect(c, `/login/step-up?next=${PATH}`);
    }
    const own = await site.call(c, "GET", "/api/session");
    if (own.status === 401) return site.redirect(c, "/login");
    const { user, csrf_token: csrf, second_factor: factor } = own.body.data;
    const { personal_info: { email }, account_settings: { is_admin: isAdmin } } = user;
    const page = <SecondFactorPage {...shown} {...{ site, csrf, email, isAdmin, factor }} />;
    return render(c, page, { status: shown.refused?.status });
  };
  const call = async (c: SiteContext, method: string, path: string, body?: unknown) => {
    const { csrf_token: csrf = "" } = await formFields(c);
    return await site.call(c, method, path, { body, csrf });
  };
  site.app.get(PATH, (c) => show(c));
  site.app.post(`${PATH}/start`, async (c) => {
    const answer = await call(c, "POST", "/api/user/totp");
    return await show(c, answer.status === 201 ? { uri: answer.body.data.uri } : { refused: answer });
  });
  site.app.post(`${PATH}/confirm`, async (c) => {
    const { csrf_token: csrf = "", uri = "", code = "" } = await formFields(c);
    const answer = await site.call(c, "POST", "/api/user/totp/confirm", { body: { code }, csrf });
    if (answer.status === 200) return await show(c, { codes: answer.body.data.recovery_codes });
    return await show(c, { refused: answer, ...uri.startsWith("otpauth://totp/") ? { uri } : {} });
  });
  site.app.post(`${PATH}/codes`, async (c) => {
    const answer = await call(c, "POST", "/api/user/recovery-codes");
    return await show(
      c,
      answer.status === 201 ? { codes: answer.body.data.recovery_codes } : { refused: answer },
    );
  });
  site.app.post(`${PATH}/remove`, async (c) => {
    const answer = await call(c, "DELETE", "/api/user/totp");
    return answer.status === 200 ? site.redirect(c, PATH) : await show(c, { refused: answer });
  });
  site.app.post(`${PATH}/required`, async (c) => {
    const { csrf_token: csrf = "", required = "" } = await formFields(c);
    const body = { second_factor_required: required === "1" };
    const answer = await site.call(c, "PUT", "/api/login-settings", { body, csrf });
    return answer.status === 200 ? site.redirect(c, PATH) : await show(c, { refused: answer });
  });
}
