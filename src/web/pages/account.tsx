/** The page `/account`: shows the user and the user's sessions, and changes the password. */
import { Alert, CsrfField, Field } from "../layout.tsx";
import { browserName } from "../browser_name.ts";
import type { RowOf } from "../../client/client.ts";
import { FormFields, TextField } from "../components/form.tsx";
import { Ago, Moment } from "../components/time.tsx";
import { addAction, addPage, type PageContent } from "../page.tsx";
import { type ApiResponse, formFields, path, type Site } from "../site.ts";
import type { View } from "../view.ts";
import { SecurityFrame } from "./security/tabs.tsx";

type Session = RowOf<"/api/sessions">;

interface AccountPageProps {
  readonly view: View;
  readonly sessions: readonly Session[];
  readonly refused?: ApiResponse;
  readonly done?: string;
}

function AccountPage({ view, sessions, refused, done }: AccountPageProps) {
  const { site, csrf, user } = view;
  return (
    <SecurityFrame view={view} current="/account">
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
      <section class="card" aria-labelledby="profile">
        <h2 id="profile">Name and time zone</h2>
        <form class="form narrow" method="post" action={site.path("/account/profile")}>
          <FormFields view={view} />
          <TextField name="name" label="Name" value={user.name} error={refused?.errors.name} />
          <TextField
            name="timezone"
            label="Time zone"
            value={user.timezone}
            error={refused?.errors.timezone}
            hint="All pages show times in it, such as Europe/Berlin."
            list="timezones"
          />
          <datalist id="timezones">
            {Intl.supportedValuesOf("timeZone").map((name) => <option key={name} value={name} />)}
          </datalist>
          <button class="button" type="submit">Save</button>
        </form>
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
              view={view}
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
    </SecurityFrame>
  );
}

function SessionRow({ view, session }: { view: View; session: Session }) {
  const { site, csrf } = view;
  const name = browserName(session.user_agent);
  return (
    <li>
      <div>
        <p>
          {name} {session.is_current ? <span class="tag">This one</span> : null}
        </p>
        <p class="muted small">
          {session.address ?? "Unknown address"} · last used <Ago view={view} at={session.last_used_at} />
          {" "}
          · since <Moment view={view} at={session.created_at} />
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

async function show(
  view: View,
  told: { refused?: ApiResponse; done?: string } = {},
): Promise<PageContent> {
  const { rows: sessions } = await view.list("/api/sessions", {
    query: { sort: "-last_used_at", per_page: 100 },
  });
  return {
    title: "Account",
    status: told.refused?.status,
    content: <AccountPage view={view} sessions={sessions} {...told} />,
  };
}

export function addAccountPage(site: Site): void {
  addPage(site, "/account", (view) => show(view));
  addAction(site, "/account/password", async (view, form) => {
    const body = { current_password: form.text("current_password"), password: form.text("password") };
    const answer = await view.call("PUT", "/api/user/password", { body, csrf: form.text("csrf_token") });
    return await show(
      view,
      answer.status === 200 ? { done: "Your password is changed." } : { refused: answer },
    );
  });
  addAction(site, "/account/profile", async (view, form) => {
    const body = { name: form.text("name"), timezone: form.text("timezone") };
    const answer = await view.call("PUT", "/api/user", { body, csrf: form.text("csrf_token") });
    if (answer.status === 200) return { goTo: "/account", done: "Your account is changed." };
    return await show(view, { refused: answer });
  });
  addAction(site, "/account/sessions/:id/end", async (view, form, parameter) => {
    const answer = await view.call("DELETE", path`/api/sessions/${parameter("id")}`, {
      csrf: form.text("csrf_token"),
    });
    return answer.status === 200 ? { goTo: "/account" } : await show(view, { refused: answer });
  });
  site.app.post("/logout", async (c) => {
    const { csrf_token: csrf = "" } = await formFields(c);
    const answer = await site.call(c, "POST", "/api/logout", { csrf });
    return answer.status === 403
      ? c.text(answer.message ?? "", 403)
      : site.redirect(c, "/login", answer.cookie);
  });
}
