/** The page `/account/passkeys`: lists the user's passkeys, adds passkeys and deletes them. */
import { Alert, BarPage, CsrfField, PasskeyScript, render } from "../layout.tsx";
import { type ApiResponse, formFields, type Site, type SiteContext } from "../site.ts";

const PATH = "/account/passkeys";

interface PasskeysPageProps {
  readonly site: Site;
  readonly csrf: string;
  readonly email: string;
  readonly passkeys: readonly { id: number; name: string; created_at: string; last_used_at: string | null }[];
  readonly refused?: ApiResponse;
}

function PasskeysPage({ site, csrf, email, passkeys, refused }: PasskeysPageProps) {
  return (
    <BarPage site={site} title="Passkeys" user={email} csrf={csrf}>
      <h1>Passkeys</h1>
      <Alert text={refused?.message ?? null} />
      <section class="card" aria-labelledby="yours">
        <header>
          <h2 id="yours">Yours</h2>
          <p class="muted">You log in with a fingerprint, face or PIN, without a password.</p>
        </header>
        {passkeys.length === 0 ? <p>You have none yet.</p> : (
          <ul class="rows">
            {passkeys.map(({ id, name, created_at }) => (
              <li key={id}>
                <span>
                  {name} <span class="muted small">since {created_at.slice(0, 10)}</span>
                </span>
                <form method="post" action={site.path(`${PATH}/${id}/remove`)}>
                  <CsrfField token={csrf} />
                  <button class="button quiet" type="submit" aria-label={`Remove ${name}`}>Remove</button>
                </form>
              </li>
            ))}
          </ul>
        )}
        <div class="form narrow" data-passkey="add" data-csrf={csrf} hidden>
          <div class="field">
            <label for="passkey-name">Name of the new passkey</label>
            <input id="passkey-name" autocomplete="off" maxlength={100} placeholder="Phone" />
          </div>
          <button class="button" type="button">Add a passkey</button>
          <p class="notice bad" role="alert" hidden></p>
        </div>
        <noscript>
          <p class="notice">To add a passkey, allow this page to run its script.</p>
        </noscript>
      </section>
      <p>
        <a href={site.path("/account")}>Account</a>
      </p>
      <PasskeyScript site={site} />
    </BarPage>
  );
}

export function addPasskeysPage(site: Site): void {
  const show = async (c: SiteContext, refused?: ApiResponse) => {
    if (refused?.body.step_up_required === true) return site.redirect(c, `/login/step-up?next=${PATH}`);
    const own = await site.call(c, "GET", "/api/session");
    if (own.status === 401) return site.redirect(c, "/login");
    const { csrf_token: csrf, user: { personal_info: { email } } } = own.body.data;
    const list = await site.call(c, "GET", "/api/user/passkeys?per_page=100");
    if (list.status !== 200) return site.redirect(c, "/account/second-factor");
    const page = { site, csrf, email, passkeys: list.body.data, refused };
    return render(c, <PasskeysPage {...page} />, { status: refused?.status });
  };
  site.app.get(PATH, (c) => show(c));
  site.app.post(`${PATH}/:id/remove`, async (c) => {
    const { csrf_token: csrf = "" } = await formFields(c);
    const id = encodeURIComponent(c.req.param("id"));
    const answer = await site.call(c, "DELETE", `/api/user/passkeys/${id}`, { csrf });
    return answer.status === 200 ? site.redirect(c, PATH) : await show(c, answer);
  });
}
