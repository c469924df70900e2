import assert from "node:assert/strict";
import { TOTP } from "otpauth";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { Browser, type BrowserAnswer } from "../../../../tests/support/clients/browser.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { loopback } from "../../../../tests/support/servers/loopback.ts";
import {
  CLIENT,
  LyingProvider,
  newKeys,
  ProviderBrowser,
  realProvider,
  sign,
} from "../../../../tests/support/servers/openid_provider.ts";
import { type OpenidSettings, parseGroupGrants } from "../../../domain/access/openid.ts";
import { OpenidProvider } from "../../../services/access/openid/provider.ts";
import { addWebPages } from "../../../web/pages.ts";
import { createApp } from "../../app.ts";

const PUBLIC_URL = "http://localhost";
const CALLBACK = `${PUBLIC_URL}/login/oidc/callback`;

interface Site extends AsyncDisposable {
  readonly api: TestApi;
  readonly app: TestApi["app"];
  browser(): Browser;
  /** Begins a log-in in a browser. Returns the provider's address. */
  begin(browser: Browser, query?: string): Promise<string>;
  /** Finishes a log-in. The browser requests `back`, the address to which the provider redirected it. */
  finish(browser: Browser, back: URL): Promise<BrowserAnswer>;
}

/** Opens a control plane with a provider. */
async function openSite(issuer: string, settings: Partial<OpenidSettings> = {}): Promise<Site> {
  const api = await testApi();
  const secretFile = await Deno.makeTempFile({ prefix: "openid-" });
  await Deno.writeTextFile(secretFile, `${CLIENT.secret}\n`);
  const openid = new OpenidProvider(
    {
      issuer,
      clientId: CLIENT.id,
      clientSecretFile: secretFile,
      label: "Example SSO",
      scopes: "openid email profile",
      groupsClaim: "groups",
      grants: [],
      createsUsers: false,
      ...settings,
    },
    api.clock,
    loopback,
    { timeout: 1 },
  );
  const pages = [addWebPages({ publicUrl: PUBLIC_URL })];
  const app = createApp({ services: { ...api.services, openid }, publicUrl: PUBLIC_URL, pages });
  return {
    api,
    app,
    browser: () => new Browser(app),
    async begin(browser, query = "") {
      const answer = await browser.call("GET", `/login/oidc${query}`);
      assert.equal(answer.status, 303, answer.text);
      return answer.headers.get("location")!;
    },
    finish: (browser, back) =>
      browser.call("GET", `${back.pathname}${back.search}`, undefined, { "Sec-Fetch-Site": "cross-site" }),
    async [Symbol.asyncDispose]() {
      await Deno.remove(secretFile);
      await api[Symbol.asyncDispose]();
    },
  };
}

/** Returns the id of the user whose session a browser has; null if the browser has no session. */
async function userOf(browser: Browser): Promise<number | null> {
  const { status, body } = await browser.call("GET", "/api/session");
  return status === 200 ? body.data.user.id : null;
}

const grants = (text: string) => parseGroupGrants(text)!;

Deno.test("a real provider logs a user in, who is recognized by the subject from then on", async () => {
  await using provider = await realProvider(CALLBACK);
  await using site = await openSite(provider.issuer);
  const { api } = site;
  const account = await newAccount(api);
  provider.people.set("s-1", { sub: "s-1", email: account.email.toUpperCase(), email_verified: true });

  const page = await site.browser().call("GET", "/login?next=/account/second-factor");
  assert.match(page.text, /href="\/login\/oidc\?next=%2Faccount%2Fsecond-factor">Log in with Example SSO</);
  const browser = site.browser();
  const address = await site.begin(browser, "?next=/account/second-factor");
  const { searchParams } = new URL(address);
  assert.equal(searchParams.get("redirect_uri"), CALLBACK);
  assert.equal(searchParams.get("code_challenge_method"), "S256");
  assert.deepEqual([...browser.cookies.keys()], ["rearguard_openid"]);
  const person = new ProviderBrowser();
  const back = await person.logIn(address, "s-1");
  const done = await site.finish(browser, back);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/account/second-factor"], done.text);
  assert.equal(await userOf(browser), account.id);

  // At the provider, an email address might pass to another person. So the subject identifies a user, not the
  // address.
  const other = await newAccount(api);
  provider.people.set("s-1", { sub: "s-1", email: other.email, email_verified: true });
  const again = site.browser();
  await site.finish(again, await person.logIn(await site.begin(again), "s-1"));
  assert.equal(await userOf(again), account.id);
  provider.people.set("s-2", { sub: "s-2", email: account.email, email_verified: true });
  const stranger = site.browser();
  const back2 = await new ProviderBrowser().logIn(await site.begin(stranger), "s-2");
  const refused = await site.finish(stranger, back2);
  assert.equal(refused.status, 401);
  assert.match(refused.text, /role="alert">No account here can be used/);
  assert.equal(await userOf(stranger), null);

  const audit = await api.admin.call("GET", "/api/audit-log?action=logInWithOpenid");
  assert.deepEqual(
    audit.body.data.map((each: { result: string }) => each.result).sort(),
    ["done", "done", "refused"],
  );
});

Deno.test("an unverified address, an unknown one, an administrator's and a deleted user's are refused alike", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  const { api } = site;
  const [user, admin, deleted] = [await newAccount(api), await newAccount(api, true), await newAccount(api)];
  await api.admin.call("DELETE", `/api/users/${deleted.id}`);
  const attempts: Record<string, unknown>[] = [
    { email: user.email, email_verified: false },
    { email: user.email, email_verified: undefined },
    { email: user.email, email_verified: "true" },
    { email: undefined },
    { email: "nobody@example.test" },
    { email: admin.email },
    { email: deleted.email },
  ];
  const answers = new Set<string>();
  for (const claims of attempts) {
    provider.claims = claims;
    const browser = site.browser();
    const { status, text } = await site.finish(browser, provider.logIn(await site.begin(browser)));
    assert.equal(status, 401, JSON.stringify(claims));
    assert.equal(await userOf(browser), null);
    answers.add(text);
  }
  assert.equal(answers.size, 1, "the page is the same for every reason");
  assert.equal((await api.database`select from openid_identities`).length, 0);
});

Deno.test("a code and a state work once, in the browser where the log-in began, and for ten minutes", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  const account = await newAccount(site.api);
  provider.claims = { email: account.email };
  const [victim, attacker] = [site.browser(), site.browser()];
  const ofVictim = provider.logIn(await site.begin(victim));
  const ofAttacker = provider.logIn(await site.begin(attacker));

  const refusals = new Set<string>();
  const refused = async (browser: Browser, back: URL) => {
    const answer = await site.finish(browser, back);
    assert.equal(answer.status, 401, answer.text);
    refusals.add(answer.text);
  };
  // Log-in CSRF and fixation: another browser sends the provider's answer to the attacker's log-in.
  await refused(victim, ofAttacker);
  await refused(site.browser(), ofAttacker);
  const planted = new Browser(site.app);
  planted.cookies.set("rearguard_openid", "rgl_planted");
  await refused(planted, ofAttacker);
  // Mix-up: the victim's browser sends the victim's code with the attacker's state.
  for (const [one, other] of [[ofVictim, ofAttacker], [ofAttacker, ofVictim]] as const) {
    const mixed = new URL(one);
    mixed.searchParams.set("state", other.searchParams.get("state")!);
    if (one === ofVictim) await refused(victim, mixed);
  }
  const twice = new URL(ofVictim);
  twice.searchParams.append("state", ofAttacker.searchParams.get("state")!);
  await refused(victim, twice);
  const changed = new URL(ofVictim);
  changed.searchParams.set("state", `${ofVictim.searchParams.get("state")}x`);
  await refused(victim, changed);
  await refused(victim, new URL(CALLBACK));
  assert.ok(!provider.requested.includes("/token"), "no refused answer reached the provider");

  assert.equal((await site.finish(victim, ofVictim)).status, 303);
  const cookie = victim.cookies.get("rearguard_session");
  await refused(victim, ofVictim);
  assert.equal(victim.cookies.get("rearguard_session"), cookie);

  const late = site.browser();
  const ofLate = provider.logIn(await site.begin(late));
  await site.api.clock.advance(600_000);
  await refused(late, ofLate);
  assert.equal(refusals.size, 1, "every refusal reads the same");
});

Deno.test("another browser's code is refused, although it comes with the own state", async () => {
  await using provider = await realProvider(CALLBACK);
  await using site = await openSite(provider.issuer);
  const account = await newAccount(site.api);
  provider.people.set("s-1", { sub: "s-1", email: account.email, email_verified: true });
  const [own, other] = [site.browser(), site.browser()];
  const [back, foreign] = [await site.begin(own), await site.begin(other)];
  const injected = await new ProviderBrowser().logIn(back, "s-1");
  const stolen = await new ProviderBrowser().logIn(foreign, "s-1");
  injected.searchParams.set("code", stolen.searchParams.get("code")!);
  const answer = await site.finish(own, injected);
  assert.equal(answer.status, 401);
  assert.match(answer.text, /its answer is not valid/);
  assert.equal(await userOf(own), null);
});

Deno.test("a lying provider logs nobody in", async (t) => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  const { email } = await newAccount(site.api);
  const stranger = await newKeys();
  const now = Math.floor(Date.now() / 1000);
  const withSignature = (token: string, other: string) =>
    `${token.split(".").slice(0, 2).join(".")}.${other.split(".")[2]}`;
  const foreign = await sign(stranger.privateKey, { alg: "RS256" }, { sub: "x" });
  const lies: Record<string, Partial<Pick<LyingProvider, "claims" | "header" | "forge" | "answer">>> = {
    "another issuer": { claims: { iss: "https://other.example.test" } },
    "another audience": { claims: { aud: "somebody-else" } },
    "many audiences without saying for whom": { claims: { aud: [CLIENT.id, "other"] } },
    "an expired token": { claims: { exp: now - 3600, iat: now - 7200 } },
    "another nonce": { claims: { nonce: "another" } },
    "no nonce": { claims: { nonce: undefined } },
    "no subject": { claims: { sub: undefined } },
    "an endless subject": { claims: { sub: "s".repeat(300) } },
    "a foreign signature": { forge: (token) => withSignature(token, foreign) },
    "no signature": { forge: (token) => token.replace(/[^.]*$/, "") },
    "the algorithm none": {
      header: { alg: "none" },
      forge: (token) => token.replace(/[^.]*$/, ""),
    },
    "a shared secret as the key": { header: { alg: "HS256" } },
    "an unknown key": { header: { alg: "RS256", kid: "other" } },
    "a text that is no token": { forge: () => "nonsense" },
    "an endless answer": {
      answer: ({ pathname }) => pathname === "/token" ? new Response("x".repeat(3_000_000)) : null,
    },
    "a redirect": {
      answer: ({ pathname }) => pathname === "/token" ? Response.redirect(`${provider.issuer}/token`) : null,
    },
    "a failure": {
      answer: ({ pathname }) => pathname === "/token" ? new Response("broken", { status: 500 }) : null,
    },
    "keys that are not there": {
      answer: ({ pathname }) => pathname === "/keys" ? new Response("gone", { status: 404 }) : null,
    },
  };
  for (const [name, lie] of Object.entries(lies)) {
    await t.step(name, async () => {
      const { claims = {}, ...rest } = lie;
      Object.assign(provider, {
        header: { alg: "RS256", kid: "k" },
        forge: (token: string) => token,
        answer: () => null,
        claims: { email, ...claims },
        ...rest,
      });
      // The provider's description and keys are kept in memory. A new site reads them again.
      await using fresh = await openSite(provider.issuer);
      const browser = fresh.browser();
      const answer = await fresh.finish(browser, provider.logIn(await fresh.begin(browser)));
      assert.ok([401, 503].includes(answer.status), `${answer.status} ${answer.text}`);
      assert.match(answer.text, /role="alert">Cannot log in with Example SSO: it.*password/);
      assert.equal(await userOf(browser), null);
    });
  }
});

Deno.test("without its provider, the log-in page is there, says so, and takes passwords", async (t) => {
  await using provider = await LyingProvider.start();
  const troubles: Record<string, () => Response | Promise<Response>> = {
    "it fails": () => new Response("broken", { status: 500 }),
    "it is slow": () => new Promise(() => {}),
    "it redirects in a circle": () =>
      Response.redirect(`${provider.issuer}/.well-known/openid-configuration`),
    "it sends endless text": () => new Response("x".repeat(3_000_000)),
    "it names another issuer": () =>
      Response.json({ issuer: "https://other.example.test", authorization_endpoint: "https://x.test/" }),
    "it has no https page": () =>
      Response.json({ issuer: provider.issuer, authorization_endpoint: "javascript:alert(1)" }),
  };
  for (const [name, answer] of Object.entries(troubles)) {
    await t.step(name, async () => {
      await using site = await openSite(provider.issuer);
      provider.answer = answer;
      const browser = site.browser();
      const asked = provider.requested.length;
      assert.equal((await browser.call("GET", "/login")).status, 200);
      assert.equal(provider.requested.length, asked, "the page asks nothing of the provider");
      const refused = await browser.call("GET", "/login/oidc");
      assert.equal(refused.status, 503, refused.text);
      assert.match(refused.text, /role="alert">Cannot log in with Example SSO: it can&#39;t be used/);
      assert.match(refused.text, /name="password"/);
      const account = await newAccount(site.api);
      assert.equal(await userOf(await loggedIn(site.api, account)), account.id);
    });
  }
  await t.step("it is gone, or its secret is", async () => {
    await using gone = await openSite("http://127.0.0.1:9");
    assert.equal((await gone.browser().call("GET", "/login/oidc")).status, 503);
    await using unread = await openSite(provider.issuer, { clientSecretFile: "/nonexistent" });
    assert.equal((await unread.browser().call("GET", "/login/oidc")).status, 503);
  });
});

Deno.test("a person who agrees to nothing is told so; the other parameters are not repeated", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  const browser = site.browser();
  const back = provider.logIn(await site.begin(browser));
  back.searchParams.delete("code");
  back.searchParams.set("error", "access_denied");
  back.searchParams.set("error_description", "Call 555-1234 now");
  const answer = await site.finish(browser, back);
  assert.equal(answer.status, 401);
  assert.match(answer.text, /Example SSO did not log you in/);
  assert.doesNotMatch(answer.text, /555/);
});

Deno.test("the way back leads to own pages only", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  provider.claims = { email: (await newAccount(site.api)).email };
  for (const next of ["//evil.test", "https://evil.test/", "/\\evil.test", "javascript:alert(1)"]) {
    const browser = site.browser();
    const address = await site.begin(browser, `?next=${encodeURIComponent(next)}`);
    const { headers } = await site.finish(browser, provider.logIn(address));
    assert.equal(headers.get("location"), "/", next);
  }
});

Deno.test("users are created only if the settings say so, and with groups only for those who get a role", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer, { createsUsers: true, grants: grants("ops=viewer@1") });
  provider.claims = { email: "new@example.test", name: "Grace\u202e Hopper\n", groups: ["other"] };
  const browser = site.browser();
  assert.equal((await site.finish(browser, provider.logIn(await site.begin(browser)))).status, 401);
  provider.claims = { ...provider.claims, groups: ["ops"] };
  assert.equal((await site.finish(browser, provider.logIn(await site.begin(browser)))).status, 303);
  const { user } = (await browser.call("GET", "/api/session")).body.data;
  assert.deepEqual([user.personal_info.name, user.personal_info.email, user.account_settings.is_admin], [
    "Grace Hopper",
    "new@example.test",
    false,
  ]);
});

Deno.test("groups give and take roles and administrators' rights at each log-in", async () => {
  await using provider = await LyingProvider.start();
  const api = await testApi();
  const { workspaceId } = await api.user();
  await api[Symbol.asyncDispose]();
  await using site = await openSite(provider.issuer, {
    grants: grants(
      `root=administrator, devs=manager@${workspaceId}, all=viewer@${workspaceId}, all=viewer@999999`,
    ),
  });
  const owner = await site.api.user();
  assert.equal(owner.workspaceId, workspaceId, "both databases count from the same number");
  const account = await newAccount(site.api);
  const browser = site.browser();
  const rights = async (groups: unknown) => {
    provider.claims = { email: account.email, groups };
    const done = await site.finish(browser, provider.logIn(await site.begin(browser)));
    assert.equal(done.status, 303, done.text);
    const [user] = await site.api.database`select is_admin from users where id = ${account.id}`;
    const [member] = await site.api.database`
      select role from workspace_members where workspace_id = ${workspaceId} and user_id = ${account.id}`;
    return [user!.is_admin, member?.role ?? null];
  };
  assert.deepEqual(await rights(["all"]), [false, "viewer"]);
  assert.deepEqual(await rights(["all", "devs", "root"]), [true, "manager"]);
  assert.deepEqual(await rights("devs"), [false, "manager"]);
  assert.deepEqual(await rights(["x"]), [false, null]);
  assert.deepEqual(await rights(undefined), [false, null]);
  // The owner is the workspace's last manager, so the provider's groups cannot take this role away.
  await site.api.database`update openid_identities set user_id = ${owner.userId}`;
  await site.finish(browser, provider.logIn(await site.begin(browser)));
  const [left] = await site.api.database`
    select role from workspace_members where workspace_id = ${workspaceId} and user_id = ${owner.userId}`;
  assert.equal(left!.role, "manager");
  const audit = await site.api.admin.call("GET", "/api/audit-log?action=updateWorkspaceMember");
  assert.equal(audit.body.data[0].actor.user_id, account.id);
});

Deno.test("an administrator's account is linked if the groups make the person an administrator", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer, { grants: grants("root=administrator") });
  const admin = await newAccount(site.api, true);
  const browser = site.browser();
  provider.claims = { email: admin.email, groups: ["other"] };
  assert.equal((await site.finish(browser, provider.logIn(await site.begin(browser)))).status, 401);
  provider.claims = { email: admin.email, groups: ["root"] };
  assert.equal((await site.finish(browser, provider.logIn(await site.begin(browser)))).status, 303);
  assert.equal(await userOf(browser), admin.id);
});

Deno.test("the provider is the first factor: the code is asked for, and everybody's second factor too", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  const { api } = site;
  const account = await newAccount(api);
  const own = await loggedIn(api, account);
  const { secret } = (await own.call("POST", "/api/user/totp")).body.data;
  const code = () =>
    TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: api.clock.now().getTime() });
  await own.call("POST", "/api/user/totp/confirm", { code: code() });
  await api.clock.advance(60_000);
  provider.claims = { email: account.email, amr: ["pwd", "mfa"] };
  const browser = site.browser();
  const asked = await site.finish(browser, provider.logIn(await site.begin(browser, "?next=/account")));
  assert.equal(asked.status, 401);
  assert.equal(await userOf(browser), null, "no session without the code");
  const challenge = /name="challenge" value="([^"]+)"/.exec(asked.text)![1]!;
  const done = await browser.submit("/login/code", { challenge, code: code(), next: "/account" });
  assert.equal(done.status, 303);
  assert.equal(await userOf(browser), account.id);

  await api.admin.call("PUT", "/api/login-settings", { second_factor_required: true });
  const plain = await newAccount(api);
  provider.claims = { sub: "plain", email: plain.email, amr: ["mfa"] };
  const forced = site.browser();
  await site.finish(forced, provider.logIn(await site.begin(forced)));
  assert.equal((await forced.call("GET", "/api/servers")).status, 404);
  const refused = await forced.call("GET", "/api/user");
  assert.deepEqual([refused.status, refused.body.second_factor_setup_required], [403, true]);
});

Deno.test("a log-in is fresh only if the person has just authenticated at the provider", async () => {
  await using provider = await realProvider(CALLBACK);
  await using lying = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  await using other = await openSite(lying.issuer);
  const account = await newAccount(site.api);
  provider.people.set("s-1", { sub: "s-1", email: account.email, email_verified: true });
  const browser = site.browser();
  const address = await site.begin(browser, "?fresh=1&next=/account");
  const { searchParams } = new URL(address);
  assert.deepEqual([searchParams.get("prompt"), searchParams.get("max_age")], ["login", "0"]);
  await site.finish(browser, await new ProviderBrowser().logIn(address, "s-1"));
  const session = (await browser.call("GET", "/api/session")).body.data;
  browser.csrf = session.csrf_token;
  const token = { name: "t", abilities: ["view-tags"] };
  assert.equal((await browser.call("POST", "/api/tokens", token)).status, 201, "a fresh log-in makes tokens");

  const { email } = await newAccount(other.api);
  const now = Math.floor(Date.now() / 1000);
  for (const auth_time of [now - 3600, undefined]) {
    lying.claims = { email, auth_time };
    const stale = other.browser();
    await other.finish(stale, lying.logIn(await other.begin(stale)));
    stale.csrf = (await stale.call("GET", "/api/session")).body.data.csrf_token;
    const refused = await stale.call("POST", "/api/tokens", token);
    assert.deepEqual([refused.status, refused.body.step_up_required], [403, true]);
  }
  const page = await browser.call("GET", "/login/step-up?next=/account");
  assert.match(page.text, /href="\/login\/oidc\?fresh=1&amp;next=%2Faccount">Log in with Example SSO again</);
});

Deno.test("log-ins that are begun and not finished are limited for each network", async () => {
  await using provider = await LyingProvider.start();
  await using site = await openSite(provider.issuer);
  const browser = site.browser();
  for (let n = 0; n < 60; n++) await site.begin(browser);
  assert.equal((await browser.call("GET", "/login/oidc")).status, 429);
  const elsewhere = new Browser(site.app, { address: "198.51.100.9" });
  await site.begin(elsewhere);
  await site.api.clock.advance(600_000);
  await site.begin(browser);
});

Deno.test("without a provider, there is no link and no log-in with one", async () => {
  await using api = await testApi({ publicUrl: null, pages: [addWebPages({ publicUrl: null })] });
  const browser = new Browser(api.app);
  assert.deepEqual((await browser.call("GET", "/api/login/methods")).body, { data: { openid: null } });
  assert.doesNotMatch((await browser.call("GET", "/login")).text, /oidc/);
  assert.equal((await browser.call("GET", "/login/oidc")).status, 404);
  assert.equal((await browser.call("GET", "/login/oidc/callback?code=1&state=2")).status, 404);
});
