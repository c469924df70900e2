/** The page `/account`: shows the user and the user's sessions, and changes the password. */
import { Alert, BarPage, CsrfField, Field, render } from "../layout.tsx";
import { browserName } from "../browser_name.ts";
import { type ApiResponse, formFields, type Site, type SiteContext } from "../site.ts";

interface Session {
  id: number;
  is_current: boolean;
  address: string | null;
  user_agent: string | null;
  created_at: string;
  last_used_at: string;
  expires_at: string;
}

interface AccountPageProps {
  readonly site: Site;
  readonly csrf: string;
  readonly user: { name: string; email: string };
  readonly sessions: readonly Session[];
  readonly refused?: ApiResponse;
  readonly done?: string;
}

function AccountPage({ site, csrf, user, sessions, refused, done }: AccountPageProps) {
  return (
    <BarPage site={site} title="Account" user={user.email} csrf={csrf}>
      <h1>Account</h1>
      {done === undefined ? null : <p class="notice" role="status">{done}</p>}
      <Alert
        text={refused === undefined || Object.keys(refused.errors).length > 0 ? null : refused.message}
      />
      <section class="card" aria-labelledby="who">
        <h2 id="who">{user.name}</h2>
        <p class="muted">{user.email}</p>
        <p>
          <a href={site.path("/account/second-factor")}>Second factor</a> ·{" "}
          <a href={site.path("/account/passkeys")}>Passkeys</a>
        </p>
      </section>
      <section class="card" aria-labelledby="sessions">
        <header>
          <h2 id="sessions">Sessions</h2>
          <p class="muted small">Where you are logged in. A session ends after 12 hours without use.</p>
        </header>
        <ul class="rows">
          {sessions.map((session) => (
            <SessionRow
              key={session.id}
              site={site}
              csrf={csrf}
              session={session}
            />
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="password-title">
        <header>
          <h2 id="password-title">Password</h2>
          <p class="muted small">A change ends all other sessions.</p>
        </header>
        <form class="form narrow" method="post" action={site.path("/account/password")}>
          <CsrfField token={csrf} />
          <input type="hidden" name="username" autocomplete="username" value={user.email} />
          <Field
            name="current_password"
            label="Current password"
            type="password"
            autocomplete="current-password"
            error={refused?.errors.current_password}
          />
          <Field
            name="password"
            label="New password"
            type="password"
            autocomplete="new-password"
            hint="At least 12 characters."
            error={refused?.errors.password}
          />
          <button class="button" type="submit">Change password</button>
        </form>
      </section>
    </BarPage>
  );
}

function SessionRow({ site, csrf, session }: { site: Site; csrf: string; session: Session }) {
  const name = browserName(session.user_agent);
  return (
    <li>
      <div>
        <p>
          {name} {session.is_current ? <span class="tag">This one</span> : null}
        </p>
        <p class="muted small">
          {session.address ?? "Unknown address"} · last used <Moment at={session.last_used_at} /> · since{" "}
          <Moment at={session.created_at} />
        </p>
      </div>
      {session.is_current
        ? null
        : (
          <form method="post" action={site.path(`/account/sessions/${session.id}/end`)}>
            <CsrfField token={csrf} />
            <button class="button quiet" type="submit" aria-label={`End the session of ${name}`}>End</button>
          </form>
        )}
    </li>
  );
}

/** Shows a time in UTC, without seconds. */
function Moment({ at }: { at: string }) {
  return <time class="number" datetime={at}>{at.slice(0, 16).replace("T", " ")} UTC</time>;
}

export function addAccountPage(site: Site): void {
  const show = async (c: SiteContext, told: { refused?: ApiResponse; done?: string } = {}) => {
    const own = await site.call(c, "GET", "/api/session");
    if (own.status === 401) return site.redirect(c, "/login");
    const { enabled, has_passkey, required } = own.body.data.second_factor;
    if (required && !enabled && !has_passkey) return site.redirect(c, "/account/second-factor");
    const list = await site.call(c, "GET", "/api/sessions?sort=-last_used_at&per_page=100");
    const { user: { personal_info: user }, csrf_token: csrf } = own.body.data;
    const page = <AccountPage site={site} csrf={csrf} user={user} sessions={list.body.data} {...told} />;
    return render(c, page, { status: told.refused?.status });
  };
  site.app.get("/account", (c) => show(c));
  site.app.post("/account/password", async (c) => {
    const { csrf_token: csrf = "", current_password = "", password = "" } = await formFields(c);
    const body = { current_password, password };
    const answer = await site.call(c, "PUT", "/api/user/password", { body, csrf });
    return await show(c, answer.status === 200 ? { done: "Your password is changed." } : { refused: answer });
  });
  site.app.post("/account/sessions/:id/end", async (c) => {
    const { csrf_token: csrf = "" } = await formFields(c);
    const id = encodeURIComponent(c.req.param("id"));
    const answer = await site.call(c, "DELETE", `/api/sessions/${id}`, { csrf });
    return answer.status === 200 ? site.redirect(c, "/account") : await show(c, { refused: answer });
  });
  site.app.post("/logout", async (c) => {
    const { csrf_token: csrf = "" } = await formFields(c);
    const answer = await site.call(c, "POST", "/api/logout", { csrf });
    return answer.status === 403
      ? await show(c, { refused: answer })
      : site.redirect(c, "/login", answer.cookie);
  });
}
