import assert from "node:assert/strict";
import { Browser } from "../../../../tests/support/clients/browser.ts";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount, PASSWORD } from "../../../../tests/support/fixtures/accounts.ts";
import { newTask } from "../../../../tests/support/fixtures/records.ts";
import { deleteExpiredRows } from "../../../services/installation/housekeeping.ts";

const HOUR = 3_600_000;
const WRONG = { message: "The email address or the password is wrong." };

/** Returns the path and query of a set-up link of a user. */
async function setupToken(api: TestApi, userId: number): Promise<string> {
  const { status, body } = await api.admin.call("POST", `/api/users/${userId}/setup-link`);
  assert.equal(status, 201);
  assert.match(body.data.url, /^http:\/\/localhost\/login\/setup\?token=rgl_[\w-]{43}$/);
  return new URL(body.data.url).searchParams.get("token")!;
}

Deno.test("a set-up link sets a password, with which the user logs in, works as themselves, and logs out", async () => {
  await using api = await testApi();
  const user = await api.user();
  const { email } = (await user.call("GET", "/api/user")).body.data.personal_info;
  const setup_token = await setupToken(api, user.userId);
  const first = new Browser(api.app);
  const short = await first.call("POST", "/api/login/setup", { setup_token, password: "short" });
  assert.deepEqual([short.status, short.body.errors], [422, {
    password: ["The password field must have at least 12 characters."],
  }]);
  const set = await first.call("POST", "/api/login/setup", { setup_token, password: PASSWORD });
  assert.deepEqual([set.status, set.body.data.user.id], [200, user.userId]);
  const again = await first.call("POST", "/api/login/setup", { setup_token, password: PASSWORD });
  assert.equal(again.status, 401, "a link works once");

  const browser = new Browser(api.app, { address: "192.0.2.9" });
  const answer = await browser.logIn(email.toUpperCase(), PASSWORD);
  assert.equal(answer.status, 200);
  assert.match(
    answer.headers.get("set-cookie")!,
    /^rearguard_session=rgs_[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Lax$/,
  );
  assert.equal((await browser.call("GET", "/api/user")).body.data.id, user.userId);
  const made = await browser.call("POST", "/api/tags", { label: "mine" });
  assert.deepEqual([made.status, made.body.data.user_id], [201, user.userId]);
  assert.equal((await browser.call("GET", "/api/users")).status, 403, "and not as an administrator");
  const { data } = (await browser.call("GET", "/api/sessions?sort=-id")).body;
  assert.deepEqual(
    data.map((each: { address: string; is_current: boolean }) => [each.address, each.is_current]),
    [
      ["192.0.2.9", true],
      ["192.0.2.1", false],
    ],
  );
  const [entry] = (await api.admin.call("GET", "/api/audit-log?action=createTag")).body.data;
  assert.deepEqual([entry.actor.user_id, entry.actor.token_id, entry.actor.session_id], [
    user.userId,
    null,
    data[0].id,
  ]);

  const kept = browser.cookies.get("rearguard_session")!;
  assert.equal((await browser.call("POST", "/api/logout")).status, 200);
  assert.equal(browser.cookies.size, 0);
  browser.cookies.set("rearguard_session", kept);
  assert.equal((await browser.call("GET", "/api/user")).status, 401, "the cookie is dead after the log-out");
});

Deno.test("over https the cookie belongs to this host alone, and no other name counts", async () => {
  await using api = await testApi({ publicUrl: "https://backup.example.com" });
  const account = await newAccount(api);
  const browser = new Browser(api.app, { origin: "https://backup.example.com" });
  const answer = await browser.logIn(account.email, PASSWORD);
  assert.match(
    answer.headers.get("set-cookie")!,
    /^__Host-rearguard_session=rgs_[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure$/,
  );
  const secret = browser.cookies.get("__Host-rearguard_session")!;
  assert.equal((await browser.call("GET", "/api/session")).status, 200);
  browser.cookies.clear();
  browser.cookies.set("rearguard_session", secret);
  assert.equal((await browser.call("GET", "/api/session")).status, 401);
  const twice = { Cookie: `__Host-rearguard_session=${secret}; __Host-rearguard_session=rgs_x` };
  assert.equal((await browser.call("GET", "/api/session", undefined, twice)).status, 401);
});

Deno.test("an unknown account, a wrong password, none and a deleted user get one answer, after one hash", async () => {
  await using api = await testApi();
  const [account, deleted] = [await newAccount(api), await newAccount(api)];
  await api.admin.call("DELETE", `/api/users/${deleted.id}`);
  const without = await api.user();
  const none = (await without.call("GET", "/api/user")).body.data.personal_info.email;
  let hashes = 0;
  const { passwords } = api.services;
  const { verify } = passwords;
  passwords.verify = (...call) => {
    hashes++;
    return verify.apply(passwords, call);
  };
  const cases: [string, string][] = [
    ["nobody@example.test", PASSWORD],
    [account.email, "not the password at all"],
    [none, PASSWORD],
    [deleted.email, PASSWORD],
  ];
  for (const [index, [email, password]] of cases.entries()) {
    const browser = new Browser(api.app, { address: `192.0.2.${index + 1}` });
    const answer = await browser.logIn(email, password);
    assert.deepEqual(
      [answer.status, answer.body, answer.headers.get("set-cookie")],
      [401, WRONG, null],
      email,
    );
    assert.equal(hashes, index + 1);
  }
  const { data } = (await api.admin.call("GET", "/api/audit-log?action=logIn&result=refused")).body;
  assert.deepEqual(data.map((each: { actor: { user_id: number } }) => each.actor.user_id), [
    null,
    account.id,
    without.userId,
    null,
  ]);
  assert.ok(!JSON.stringify(data).includes(PASSWORD));
});

Deno.test("a log-in never adopts a session that the browser brings along", async () => {
  await using api = await testApi();
  const [victim, attacker] = [await newAccount(api), await newAccount(api)];
  const theirs = await loggedIn(api, attacker);
  const planted = theirs.cookies.get("rearguard_session")!;
  const browser = new Browser(api.app);
  browser.cookies.set("rearguard_session", planted);
  await browser.logIn(victim.email, PASSWORD);
  assert.notEqual(browser.cookies.get("rearguard_session"), planted);
  assert.equal((await theirs.call("GET", "/api/session")).body.data.user.id, attacker.id);
  assert.equal((await browser.call("GET", "/api/session")).body.data.user.id, victim.id);
});

Deno.test("a session ends without use, and at its end whatever the use; housekeeping deletes it later", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const [idle, used] = [await loggedIn(api, account), await loggedIn(api, account)];
  for (let passed = 0; passed < 14 * 24; passed += 11) {
    assert.equal((await used.call("GET", "/api/session")).status, 200, `after ${passed} h`);
    await api.clock.advance(11 * HOUR);
    if (passed === 11) assert.equal((await idle.call("GET", "/api/session")).status, 401);
  }
  assert.equal((await used.call("GET", "/api/session")).status, 401);
  const rows = async () => (await api.database`select id from sessions`).length;
  await deleteExpiredRows(api.services);
  assert.equal(await rows(), 2);
  await api.clock.advance(31 * 24 * HOUR);
  await deleteExpiredRows(api.services);
  assert.equal(await rows(), 0);
});

Deno.test("a change of the password ends all other sessions, and needs the current one", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const [one, other] = [await loggedIn(api, account), await loggedIn(api, account)];
  const password = "seven quiet lanterns";
  const change = (body: unknown) => one.call("PUT", "/api/user/password", body);
  const refused = await change({ current_password: "wrong", password });
  assert.deepEqual([refused.status, refused.body.errors], [422, {
    current_password: ["The password is wrong."],
  }]);
  for (const weak of ["x".repeat(11), "x".repeat(20), account.email.toUpperCase(), "x".repeat(1025)]) {
    const answer = await change({ current_password: PASSWORD, password: weak });
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, ["password"]], weak);
  }
  assert.equal((await change({ current_password: PASSWORD, password })).status, 200);
  assert.equal((await one.call("GET", "/api/session")).status, 200);
  assert.equal((await other.call("GET", "/api/session")).status, 401);
  assert.equal((await new Browser(api.app).logIn(account.email, PASSWORD)).status, 401);
  assert.equal((await new Browser(api.app).logIn(account.email, password)).status, 200);
});

Deno.test("sessions are ended one by one; those of others look as if they did not exist", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const [one, other] = [await loggedIn(api, account), await loggedIn(api, account)];
  const foreign = await loggedIn(api, await newAccount(api));
  const { id } = (await other.call("GET", "/api/session")).body.data.session;
  assert.equal((await foreign.call("DELETE", `/api/sessions/${id}`)).status, 404);
  assert.equal((await one.call("DELETE", `/api/sessions/${id}`)).status, 200);
  assert.equal((await one.call("DELETE", `/api/sessions/${id}`)).status, 404);
  assert.equal((await other.call("GET", "/api/session")).status, 401);
  assert.equal((await one.call("GET", "/api/session")).status, 200);
});

Deno.test("a set-up link expires, and a newer one replaces it; its user's sessions end when it is used", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const before = await loggedIn(api, account);
  const use = (setup_token: string) =>
    new Browser(api.app).call("POST", "/api/login/setup", { setup_token, password: "seven quiet lanterns" });
  const first = await setupToken(api, account.id);
  const second = await setupToken(api, account.id);
  assert.equal((await use(first)).status, 401);
  await api.clock.advance(24 * HOUR);
  const late = await use(second);
  assert.equal(late.status, 401);
  assert.deepEqual(late.body, (await use("rgl_never")).body);
  const third = await setupToken(api, account.id);
  const whose = await new Browser(api.app).call("POST", "/api/login/setup/user", { setup_token: third });
  assert.deepEqual(whose.body, { data: { name: "Ada Lovelace", email: account.email } });
  assert.equal((await use(third)).status, 200);
  assert.equal((await before.call("GET", "/api/session")).status, 401);
});

Deno.test("another site changes nothing with a browser's cookie, and logs nobody in", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const json = { "Content-Type": "application/json" };
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const attempt = async (headers: Record<string, string>, body = '{"label":"x"}') => {
    const own = { Cookie: `rearguard_session=${browser.cookies.get("rearguard_session")}` };
    const request = { method: "POST", headers: { ...own, ...headers }, body };
    const response = await api.app.request("http://localhost/api/tags", request);
    await response.body?.cancel();
    return response.status;
  };
  const token = { "X-CSRF-Token": browser.csrf };
  const refused: [string, Record<string, string>, string?][] = [
    ["no headers of a browser", json],
    ["another site", { ...json, ...token, "Sec-Fetch-Site": "cross-site", Origin: "http://localhost" }],
    ["a sister site", { ...json, ...token, "Sec-Fetch-Site": "same-site" }],
    ["another origin", { ...json, ...token, Origin: "http://evil.example" }],
    ["another port", { ...json, ...token, Origin: "http://localhost:81" }],
    ["a hidden origin", { ...json, ...token, Origin: "null" }],
    ["a form without its token", { ...form, "Sec-Fetch-Site": "same-origin" }, "label=x"],
    [
      "a form with a wrong token",
      { ...form, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": "x" },
      "label=x",
    ],
    ["JSON with a wrong token", { ...json, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": "x" }],
  ];
  for (const [name, headers, body] of refused) assert.equal(await attempt(headers, body), 403, name);
  assert.equal((await browser.call("GET", "/api/tags")).body.meta.total, 0);
  assert.equal(await attempt({ ...json, Origin: "http://localhost" }), 201);
  assert.equal(await attempt({ ...form, ...token, "Sec-Fetch-Site": "same-origin" }, "label=y"), 201);
  const other = await loggedIn(api, await newAccount(api));
  const stolen = { ...form, "X-CSRF-Token": other.csrf, "Sec-Fetch-Site": "same-origin" };
  assert.equal(await attempt(stolen, "label=z"), 403, "a token of another session");

  const login = { email: account.email, password: PASSWORD };
  const forced = await new Browser(api.app).call("POST", "/api/login", login, {
    "Sec-Fetch-Site": "cross-site",
  });
  assert.deepEqual([forced.status, forced.headers.get("set-cookie")], [403, null]);
  const bearer = await api.admin.call("POST", "/api/tags", { label: "t" }, {
    "Sec-Fetch-Site": "cross-site",
  });
  assert.equal(bearer.status, 201, "a token needs no such protection");
});

Deno.test("what can't be undone needs a fresh log-in, of sessions alone", async () => {
  await using api = await testApi();
  const account = await newAccount(api, true);
  const browser = await loggedIn(api, account);
  const { id } = (await browser.call("POST", "/api/tags", { label: "x" })).body.data;
  await api.clock.advance(601_000);
  const token = { name: "t", abilities: ["manage-tags"] };
  const requests: [string, string, unknown?][] = [
    ["DELETE", `/api/tags/${id}`],
    ["POST", "/api/tokens", token],
    ["POST", "/api/scripts", { label: "s", type: "prescript", script: "true" }],
    ["POST", "/api/users", { name: "n", email: "n@example.com" }],
    ["POST", `/api/users/${account.id}/setup-link`],
    ["GET", "/api/recovery-kit"],
    ["POST", "/api/backups/1/restore", { overwrite: true }],
  ];
  for (const [method, path, body] of requests) {
    const answer = await browser.call(method, path, body);
    assert.deepEqual([answer.status, answer.body], [403, {
      error: "Forbidden",
      message: "This needs a fresh log-in: enter your password again.",
      step_up_required: true,
    }], path);
  }
  assert.equal((await browser.call("POST", "/api/backups/1/restore", { overwrite: false })).status, 404);
  assert.equal((await browser.call("POST", "/api/tags", { label: "y" })).status, 201);
  assert.equal((await api.admin.call("POST", "/api/tokens", token)).status, 201);

  const wrong = await browser.call("POST", "/api/session/step-up", { password: "wrong" });
  assert.deepEqual([wrong.status, wrong.body.errors], [422, { password: ["The password is wrong."] }]);
  assert.equal((await browser.call("DELETE", `/api/tags/${id}`)).status, 403);
  assert.equal((await browser.call("POST", "/api/session/step-up", { password: PASSWORD })).status, 200);
  assert.equal((await browser.call("DELETE", `/api/tags/${id}`)).status, 200);
});

Deno.test("guessing is slowed down by account and address, and locks nobody out who was here before", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const home = await loggedIn(api, account, "198.51.100.1");
  // Hashing passwords is slow. This test only counts attempts, so it compares passwords without a hash.
  api.services.passwords.verify = (_hash, password) => Promise.resolve(password === PASSWORD);
  const guess = async (email: string, address: string, password = "not the password") => {
    const answer = await new Browser(api.app, { address }).logIn(email, password);
    return answer.status;
  };
  for (const email of [account.email, "nobody@example.test"]) {
    const statuses = [];
    for (let n = 0; n < 8; n++) statuses.push(await guess(email, `192.0.2.${n}`));
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429], email);
  }
  const slowed = await new Browser(api.app).logIn(account.email, PASSWORD);
  assert.deepEqual([slowed.status, slowed.headers.get("retry-after"), slowed.body.message], [
    429,
    "1",
    "Too many attempts; try again in 1 second.",
  ]);
  assert.equal(
    await guess(account.email, "198.51.100.1", PASSWORD),
    200,
    "from where it was logged in to before",
  );
  await api.clock.advance(1000);
  assert.equal(await guess(account.email, "192.0.2.50"), 401);
  assert.equal(await guess(account.email, "192.0.2.51"), 429);
  for (let n = 0; n < 20; n++) {
    await api.clock.advance(60_000);
    assert.equal(await guess(account.email, "192.0.2.50"), 401, "the wait never exceeds a minute");
  }
  const statuses = new Set<number>();
  for (let n = 0; n < 25; n++) statuses.add(await guess(`${n}@example.test`, "203.0.113.1"));
  assert.deepEqual([...statuses], [401, 429], "an address that tries many accounts");
  const known = [];
  for (let n = 0; n < 7; n++) {
    const body = { current_password: "guess", password: "seven quiet lanterns" };
    known.push((await home.call("PUT", "/api/user/password", body)).status);
  }
  assert.deepEqual(known, [422, 422, 422, 422, 422, 429, 429], "a stolen session guesses no faster");
});

Deno.test("parallel guesses get no more attempts than one after the other", async () => {
  await using api = await testApi();
  const { email } = await newAccount(api);
  const attempts = Array.from({ length: 30 }, () => new Browser(api.app).logIn(email, "not the password"));
  const statuses = (await Promise.all(attempts)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 401).length, 5);
});

Deno.test("a retry with a session's Idempotency-Key gets the first response, another session's does not", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const [one, other] = [await loggedIn(api, account), await loggedIn(api, account)];
  const key = { "Idempotency-Key": "k" };
  const make = async (browser: Browser) =>
    (await browser.call("POST", "/api/tags", { label: "x" }, key)).body.data.id;
  const id = await make(one);
  assert.equal(await make(one), id);
  assert.notEqual(await make(other), id);
});

Deno.test("a session's requests are limited, and its open streams end with it", async () => {
  await using api = await testApi({ rateLimitPerMinute: 100 });
  const browser = await loggedIn(api, await newAccount(api));
  const limited = await browser.call("GET", "/api/tags");
  assert.equal(limited.headers.get("x-ratelimit-remaining"), "99");
  const call = (method: string, path: string, body?: unknown) => browser.call(method, path, body);
  const task = await newTask({ call });
  await browser.call("POST", `/api/backup-tasks/${task}/run`);
  const cookie = `rearguard_session=${browser.cookies.get("rearguard_session")}`;
  const headers = { Cookie: cookie };
  const stream = await api.app.request(`/api/backup-tasks/${task}/latest-log/stream`, { headers });
  assert.equal(stream.status, 200);
  const whole = stream.text();
  await browser.call("POST", "/api/logout");
  assert.match(await whole, /^retry: /);
});
