import assert from "node:assert/strict";
import { type TOTP, URI } from "otpauth";
import { Browser } from "../../tests/support/clients/browser.ts";
import { type TestApi, testApi } from "../../tests/support/clients/api.ts";
import { loggedIn, newAccount, PASSWORD } from "../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "./pages.ts";
import { browserName } from "./browser_name.ts";

const open = (publicUrl: string | null = null): Promise<TestApi> =>
  testApi({ publicUrl, pages: [addWebPages({ publicUrl })] });

function hidden(page: string, name: string): string {
  return new RegExp(`<input type="hidden" name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? "";
}

Deno.test("a browser without scripts logs in, sees its sessions, ends one, and logs out", async () => {
  await using api = await open();
  const account = await newAccount(api);
  const other = await loggedIn(api, account, "198.51.100.7");
  const browser = new Browser(api.app);
  assert.equal((await browser.call("GET", "/")).headers.get("location"), "/login?next=%2F");
  assert.equal((await browser.call("GET", "/account")).headers.get("location"), "/login?next=%2Faccount");
  const form = await browser.call("GET", "/login?next=/account");
  assert.match(form.text, /<label for="email">Email<\/label>/);

  const wrong = await browser.submit("/login", { email: account.email, password: "wrong" });
  assert.equal(wrong.status, 401);
  assert.match(wrong.text, /role="alert">The email address or the password is wrong\.</);
  assert.ok(wrong.text.includes(`value="${account.email}"`), "what was typed is kept");
  assert.ok(!wrong.text.includes('wrong"'), "the password is not");
  const empty = await browser.submit("/login", { email: "", password: "" });
  assert.match(empty.text, /<p class="error" id="password-error">The password field is required\.<\/p>/);

  const answer = await browser.submit("/login", {
    email: account.email,
    password: PASSWORD,
    next: "/account",
  });
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/account"]);
  assert.equal((await browser.call("GET", "/login")).headers.get("location"), "/");
  const page = (await browser.call("GET", "/account")).text;
  assert.match(page, /Firefox on Linux <span class="tag">This one<\/span>/);
  assert.match(page, /198\.51\.100\.7/);
  const csrf_token = hidden(page, "csrf_token");
  const end = /action="(\/account\/sessions\/\d+\/end)"/.exec(page)![1]!;
  assert.equal((await browser.submit(end, {})).status, 403, "without the form's token");
  assert.equal((await other.call("GET", "/api/session")).status, 200);
  assert.equal((await browser.submit(end, { csrf_token })).headers.get("location"), "/account");
  assert.equal((await other.call("GET", "/api/session")).status, 401);

  const forged = { "Sec-Fetch-Site": "cross-site" };
  assert.equal((await browser.submit("/logout", { csrf_token }, forged)).status, 403);
  assert.equal((await browser.submit("/logout", { csrf_token })).headers.get("location"), "/login");
  assert.equal(browser.cookies.size, 0);
  assert.equal((await browser.call("GET", "/account")).headers.get("location"), "/login?next=%2Faccount");
});

Deno.test("a set-up link's page says whose password it sets, and what is wrong with a new one", async () => {
  await using api = await open();
  const account = await newAccount(api);
  const { url } = (await api.admin.call("POST", `/api/users/${account.id}/setup-link`)).body.data;
  const path = url.replace("http://localhost", "");
  const browser = new Browser(api.app);
  const page = await browser.call("GET", path);
  assert.ok(page.text.includes(account.email));
  const token = hidden(page.text, "token");
  const refused = await browser.submit("/login/setup", { token, password: account.email });
  assert.equal(refused.status, 422);
  assert.match(refused.text, /id="password-error">The password field must not be the email address\./);
  const set = await browser.submit("/login/setup", { token, password: "seven quiet lanterns" });
  assert.deepEqual([set.status, set.headers.get("location")], [303, "/"]);
  assert.equal((await browser.call("GET", "/account")).status, 200);
  const dead = await new Browser(api.app).call("GET", path);
  assert.equal(dead.status, 401);
  assert.match(dead.text, /it was used, has expired, or was replaced/);
  assert.equal((await browser.call("GET", "/login/setup")).status, 401);
});

Deno.test("the password is changed, and the log-in made a fresh one, by forms", async () => {
  await using api = await open();
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const { csrf: csrf_token } = browser;
  const change = (current_password: string, password: string) =>
    browser.submit("/account/password", { csrf_token, current_password, password });
  assert.match(
    (await change("wrong", "seven quiet lanterns")).text,
    /id="current_password-error">The password is wrong/,
  );
  assert.match(
    (await change(PASSWORD, "short")).text,
    /id="password-error">The password field must have at least 12/,
  );
  assert.match(
    (await change(PASSWORD, "seven quiet lanterns")).text,
    /role="status">Your password is changed\./,
  );
  await api.clock.advance(601_000);
  const tag = (await browser.call("POST", "/api/tags", { label: "x" })).body.data.id;
  assert.equal((await browser.call("DELETE", `/api/tags/${tag}`)).status, 403);
  const form = await browser.call("GET", "/login/step-up?next=/account");
  assert.equal(hidden(form.text, "next"), "/account");
  const wrong = await browser.submit("/login/step-up", { csrf_token, password: "wrong", next: "/account" });
  assert.deepEqual([wrong.status, /id="password-error">The password is wrong/.test(wrong.text)], [422, true]);
  const fresh = { csrf_token, password: "seven quiet lanterns", next: "/account" };
  assert.equal((await browser.submit("/login/step-up", fresh)).headers.get("location"), "/account");
  assert.equal((await browser.call("DELETE", `/api/tags/${tag}`)).status, 200);
});

Deno.test("a page leads to no other site, runs nothing, and shows what people type as text", async () => {
  await using api = await open();
  const account = await newAccount(api);
  for (
    const next of ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX: y", "javascript:x"]
  ) {
    const browser = new Browser(api.app);
    const answer = await browser.submit("/login", { email: account.email, password: PASSWORD, next });
    assert.equal(answer.headers.get("location"), "/", next);
  }
  const browser = new Browser(api.app);
  const typed = await browser.submit("/login", { email: '"><script>alert(1)</script>', password: "x" });
  assert.ok(!typed.text.includes("<script>"));
  const pages = [
    typed,
    await browser.call("GET", "/login"),
    await browser.call("GET", "/login/setup?token=x"),
  ];
  for (const { headers, text } of pages) {
    const policy = headers.get("content-security-policy")!;
    assert.match(policy, /^default-src 'none'; style-src 'self';/);
    assert.ok(!policy.includes("unsafe"));
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.ok(!/ style=|<style| on\w+=|<script(?! src=)/.test(text));
  }
  const css = await browser.call("GET", "/assets/rearguard.css");
  assert.deepEqual([css.status, css.headers.get("content-type")], [200, "text/css; charset=utf-8"]);
  assert.equal(css.headers.get("cache-control"), "no-cache");
  const versioned = /href="(\/assets\/rearguard\.css\?v=\w+)"/.exec(pages[1]!.text)![1]!;
  assert.match((await browser.call("GET", versioned)).headers.get("cache-control")!, /immutable/);
  assert.equal((await browser.call("GET", "/assets/icon.svg")).status, 200);
});

Deno.test("behind a proxy's path the links have it, and an open connection is warned of", async () => {
  await using api = await open("https://example.com/backup");
  const page = (await new Browser(api.app).call("GET", "/login")).text;
  assert.match(page, /action="\/backup\/login"/);
  assert.match(page, /href="\/backup\/assets\/rearguard\.css\?v=/);
  assert.ok(!page.includes("not encrypted"));
  await using exposed = await open("http://192.0.2.1:8000");
  assert.match(
    (await new Browser(exposed.app).call("GET", "/login")).text,
    /This connection is not encrypted/,
  );
});

Deno.test("a browser is named as people call it", () => {
  const chrome =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0 Safari/537.36";
  assert.equal(browserName(chrome), "Chrome on macOS");
  assert.equal(browserName(`${chrome} Edg/140.0`), "Edge on macOS");
  assert.equal(browserName("curl/8.5"), "curl");
  assert.equal(browserName(null), "Unknown browser");
});

Deno.test("an authenticator app is set up, used and required by forms", async () => {
  await using api = await open();
  const account = await newAccount(api, true);
  const browser = await loggedIn(api, account);
  const { csrf: csrf_token } = browser;
  const path = "/account/second-factor";
  const page = await browser.submit(`${path}/start`, { csrf_token });
  assert.match(page.text, /<svg/);
  const uri = hidden(page.text, "uri").replaceAll("&amp;", "&");
  const code = (steps = 0) =>
    (URI.parse(uri) as TOTP).generate({ timestamp: api.clock.now().getTime() + steps * 30_000 });
  const wrong = await browser.submit(`${path}/confirm`, { csrf_token, uri, code: "000000" });
  assert.match(wrong.text, /id="code-error">The code is wrong\./);
  assert.equal(hidden(wrong.text, "uri").replaceAll("&amp;", "&"), uri, "the same QR code is shown again");
  const confirmed = await browser.submit(`${path}/confirm`, { csrf_token, uri, code: code() });
  assert.equal(confirmed.text.match(/<li>\w{4}-\w{4}-\w{4}-\w{4}<\/li>/g)?.length, 10);
  assert.equal((await browser.submit(`${path}/required`, { csrf_token, required: "1" })).status, 303);

  const other = new Browser(api.app);
  const asked = await other.submit("/login", { email: account.email, password: PASSWORD, next: path });
  assert.equal(other.cookies.size, 0);
  const challenge = hidden(asked.text, "challenge");
  const refused = await other.submit("/login/code", { challenge, code: "000000", next: path });
  assert.match(refused.text, /role="alert">The code is wrong\./);
  const entered = await other.submit("/login/code", { challenge, code: code(1), next: path });
  assert.deepEqual([entered.status, entered.headers.get("location")], [303, path]);

  const bare = await loggedIn(api, await newAccount(api));
  for (const page of ["/account", "/"]) {
    assert.equal((await bare.call("GET", page)).headers.get("location"), path);
  }
  assert.match((await bare.call("GET", path)).text, /Everybody must have a second factor here/);
  await api.clock.advance(601_000);
  const stale = await browser.submit(`${path}/codes`, { csrf_token });
  assert.equal(stale.headers.get("location"), `/login/step-up?next=${path}`);
  assert.match((await browser.call("GET", "/login/step-up")).text, /autocomplete="one-time-code"/);
});

Deno.test("the navigation has what the user may open, and the search finds pages, tasks and servers", async () => {
  await using api = await open();
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const overview = await browser.call("GET", "/");
  assert.match(overview.text, /<h1 class="bad">/);
  assert.match(overview.text, /href="\/" aria-current="page"/);
  assert.ok(!overview.text.includes("/installation"), "is for administrators");
  const nonce = /nonce-(\w+)'/.exec(overview.headers.get("content-security-policy")!)![1]!;
  assert.ok(overview.text.includes(`nonce="${nonce}"`));
  assert.notEqual(
    /nonce-(\w+)'/.exec((await browser.call("GET", "/")).headers.get("content-security-policy")!)![1],
    nonce,
  );
  const server = { label: "<b>web</b>-1", ip_address: "192.0.2.9", username: "root", port: 22 };
  const { id } = (await browser.call("POST", "/api/remote-servers", server)).body.data;
  const found = await browser.call("GET", "/search?q=web");
  assert.match(found.text, new RegExp(`href="/servers/${id}"`));
  assert.ok(found.text.includes("&lt;b&gt;web&lt;/b&gt;-1"));
  assert.ok(!(await browser.call("GET", "/search?q=inst")).text.includes("/installation"));
});

Deno.test("a form sent after the session's end leads to the log-in, and from there back to the form", async () => {
  await using api = await open();
  const browser = new Browser(api.app);
  const sent = await browser.submit("/servers/new", { label: "web" }, {
    Referer: "http://localhost/servers/new?x=1",
  });
  assert.equal(sent.headers.get("location"), "/login?next=%2Fservers%2Fnew%3Fx%3D1");
  const foreign = await browser.submit("/servers/new", {}, { Referer: "https://evil.example//a" });
  assert.equal(foreign.headers.get("location"), "/login?next=%2F%2Fa");
});

Deno.test("an address without a page shows a page to browsers, and JSON to others", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const html = { Accept: "text/html,*/*" };
  const page = await browser.call("GET", "/nothing/here", undefined, html);
  assert.equal(page.status, 404);
  assert.match(page.text, /<h1[^>]*>|There is no page at this address\./);
  assert.equal((await browser.call("GET", "/nothing/here")).body.message, "Nothing exists at this address.");
  assert.equal((await browser.call("GET", "/api/nothing", undefined, html)).body.error, "Not Found");
  const stranger = await new Browser(api.app).call("GET", "/nothing", undefined, html);
  assert.equal(stranger.headers.get("location"), "/login?next=%2Fnothing");
});
