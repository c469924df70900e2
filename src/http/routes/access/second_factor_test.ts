import assert from "node:assert/strict";
import { TOTP } from "otpauth";
import { Browser } from "../../../../tests/support/clients/browser.ts";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { type Account, loggedIn, newAccount, PASSWORD } from "../../../../tests/support/fixtures/accounts.ts";

interface Equipped {
  readonly account: Account;
  readonly browser: Browser;
  readonly codes: string[];
  /** Returns the authenticator app's current code, or the code that is `steps` codes later. */
  code(steps?: number): string;
}

/** Creates a user with an authenticator app. */
async function equipped(api: TestApi, isAdmin = false): Promise<Equipped> {
  const account = await newAccount(api, isAdmin);
  const browser = await loggedIn(api, account);
  const started = await browser.call("POST", "/api/user/totp");
  assert.equal(started.status, 201, started.text);
  const { secret, uri } = started.body.data;
  assert.match(uri, /^otpauth:\/\/totp\/Rearguard:/);
  const code = (steps = 0) =>
    TOTP.generate({ secret: secretOf(secret), timestamp: api.clock.now().getTime() + steps * 30_000 });
  const confirmed = await browser.call("POST", "/api/user/totp/confirm", { code: code() });
  assert.equal(confirmed.status, 200, confirmed.text);
  await api.clock.advance(60_000);
  return { account, browser, codes: confirmed.body.data.recovery_codes, code };
}

const secretOf = (secret: string) => new TOTP({ secret }).secret;

/** Enters the password. Returns the browser, and the challenge for the second factor. */
async function challenged(api: TestApi, { email }: Account, address?: string) {
  const browser = new Browser(api.app, { address });
  const answer = await browser.logIn(email, PASSWORD);
  assert.deepEqual([answer.status, answer.body.second_factor_required], [401, true]);
  const enter = (code: string, challenge: string = answer.body.challenge) =>
    browser.call("POST", "/api/login/code", { challenge, code });
  return { browser, enter, challenge: answer.body.challenge as string };
}

Deno.test("with an authenticator app, the password alone opens no session; the code opens one, once", async () => {
  await using api = await testApi();
  const { account, code } = await equipped(api);
  const first = await challenged(api, account);
  assert.equal(first.browser.cookies.size, 0, "the first factor alone is no session");
  assert.equal((await first.browser.call("GET", "/api/session")).status, 401);
  const used = code();
  const opened = await first.enter(used);
  assert.deepEqual([opened.status, opened.body.data.user.id], [200, account.id]);
  assert.equal((await first.enter(code(1))).status, 401, "the challenge is used up");

  const second = await challenged(api, account);
  assert.equal((await second.enter(used)).status, 401, "a code works once");
  assert.equal((await second.enter(code(-1))).status, 401, "nor does the one before it");
  assert.equal((await second.enter(code(1))).status, 200, "clocks may differ by one code");
  const third = await challenged(api, account);
  assert.equal((await third.enter(code(0))).status, 401);
  await api.clock.advance(60_000);
  assert.equal((await third.enter(code(2))).status, 401, "by no more than one");
  assert.equal((await third.enter(code())).status, 200);
});

Deno.test("a challenge expires, ends with a new password, and allows five codes", async () => {
  await using api = await testApi();
  const { account, browser, code } = await equipped(api);
  const late = await challenged(api, account);
  await api.clock.advance(300_000);
  assert.equal((await late.enter(code())).status, 401);
  const guessed = await challenged(api, account);
  for (let n = 0; n < 5; n++) {
    const { status, body } = await guessed.enter("000000");
    assert.deepEqual([status, body.message], [401, "The code is wrong."]);
    await api.clock.advance(1_000);
  }
  await api.clock.advance(120_000);
  assert.match((await guessed.enter(code())).body.message, /Log in again/);
  const changed = await challenged(api, account);
  const change = { current_password: PASSWORD, password: "seven quiet lanterns" };
  assert.equal((await browser.call("PUT", "/api/user/password", change)).status, 200);
  assert.equal((await changed.enter(code())).status, 401);
  assert.deepEqual((await changed.enter("1", "rgl_never")).status, 401);
});

Deno.test("codes are guessed no faster than passwords, by whoever knows the password", async () => {
  await using api = await testApi();
  const { account } = await equipped(api);
  const statuses: number[] = [];
  for (let n = 0; n < 8; n++) {
    const browser = new Browser(api.app, { address: `203.0.113.${n}` });
    const answer = await browser.logIn(account.email, PASSWORD);
    if (answer.status === 429) statuses.push(429);
    else {
      const { challenge } = answer.body;
      statuses.push((await browser.call("POST", "/api/login/code", { challenge, code: "000000" })).status);
    }
  }
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
});

Deno.test("a recovery code replaces one code, once; new ones replace them all", async () => {
  await using api = await testApi();
  const { account, browser, codes, code } = await equipped(api);
  assert.equal(new Set(codes).size, 10);
  const rows = await api.database`select code_hash from recovery_codes`;
  assert.ok(rows.every(({ code_hash }) => /^[0-9a-f]{64}$/.test(code_hash)));
  assert.equal((await (await challenged(api, account)).enter(codes[0]!.toLowerCase())).status, 200);
  assert.equal((await (await challenged(api, account)).enter(codes[0]!)).status, 401);
  assert.equal((await (await challenged(api, account)).enter(codes[1]!.replaceAll("-", " "))).status, 200);
  assert.equal((await browser.call("GET", "/api/session")).body.data.second_factor.recovery_codes_left, 8);
  const renewed = await browser.call("POST", "/api/user/recovery-codes");
  assert.equal(renewed.status, 201);
  assert.equal((await (await challenged(api, account)).enter(codes[2]!)).status, 401);
  const foreign = await equipped(api);
  assert.equal((await (await challenged(api, account)).enter(foreign.codes[0]!)).status, 401);
  await api.clock.advance(600_000);
  const sealed = await api.database`select secret_encrypted from totp_secrets`;
  assert.ok(sealed.every(({ secret_encrypted }) => secret_encrypted.startsWith("v1:")));
  assert.equal((await (await challenged(api, account)).enter(code())).status, 200);
});

Deno.test("a fresh log-in needs the code too, and a set-up ends sessions that began without one", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const older = await loggedIn(api, account);
  const { account: equippedAccount, browser, code } = await equipped(api);
  assert.notEqual(equippedAccount.id, account.id);
  await api.clock.advance(600_000);
  const stepUp = (body: unknown) => browser.call("POST", "/api/session/step-up", body);
  assert.equal((await browser.call("DELETE", "/api/user/totp")).body.step_up_required, true);
  assert.deepEqual((await stepUp({ password: PASSWORD })).body.errors, {
    code: ["The code field is required."],
  });
  assert.deepEqual((await stepUp({ password: PASSWORD, code: "000000" })).body.errors, {
    code: ["The code is wrong."],
  });
  assert.equal((await browser.call("DELETE", "/api/user/totp")).status, 403);
  assert.equal((await stepUp({ password: PASSWORD, code: code() })).status, 200);
  assert.equal((await browser.call("DELETE", "/api/user/totp")).status, 200);
  assert.equal((await new Browser(api.app).logIn(equippedAccount.email, PASSWORD)).status, 200);

  const other = await loggedIn(api, account);
  const { secret } = (await other.call("POST", "/api/user/totp")).body.data;
  assert.equal((await older.call("GET", "/api/session")).status, 200);
  const first = new TOTP({ secret }).generate({ timestamp: api.clock.now().getTime() });
  assert.equal((await other.call("POST", "/api/user/totp/confirm", { code: "000000" })).status, 422);
  assert.equal((await other.call("POST", "/api/user/totp/confirm", { code: first })).status, 200);
  assert.equal((await older.call("GET", "/api/session")).status, 401);
  assert.equal((await other.call("GET", "/api/session")).status, 200);
  assert.equal((await other.call("POST", "/api/user/totp")).status, 409, "no second app in its place");
});

Deno.test("if everybody must have a second factor, who has none can only set one up; tokens go on", async () => {
  await using api = await testApi();
  const admin = await equipped(api, true);
  const account = await newAccount(api);
  const bare = await loggedIn(api, account);
  const require = (second_factor_required: boolean) =>
    admin.browser.call("PUT", "/api/login-settings", { second_factor_required });
  assert.equal((await bare.call("PUT", "/api/login-settings", { second_factor_required: true })).status, 403);
  const other = await loggedIn(api, await newAccount(api, true));
  const without = await other.call("PUT", "/api/login-settings", { second_factor_required: true });
  assert.equal(without.status, 409, "an administrator without one would lock themselves out");
  assert.equal((await require(true)).status, 200);
  for (
    const [method, path] of [["GET", "/api/tags"], ["GET", "/api/user"], ["POST", "/api/tokens"]] as const
  ) {
    const answer = await bare.call(
      method,
      path,
      method === "POST" ? { name: "t", abilities: [] } : undefined,
    );
    assert.deepEqual([answer.status, answer.body.second_factor_setup_required], [403, true], path);
  }
  assert.equal((await api.admin.call("GET", "/api/tags")).status, 200);
  assert.equal((await admin.browser.call("GET", "/api/tags")).status, 200);
  assert.equal((await admin.browser.call("DELETE", "/api/user/totp")).status, 409);
  const { secret } = (await bare.call("POST", "/api/user/totp")).body.data;
  const code = new TOTP({ secret }).generate({ timestamp: api.clock.now().getTime() });
  assert.equal((await bare.call("POST", "/api/user/totp/confirm", { code })).status, 200);
  assert.equal((await bare.call("GET", "/api/tags")).status, 200);
  assert.equal((await require(false)).status, 200);
  assert.deepEqual((await api.admin.call("GET", "/api/login-settings")).body, {
    data: { second_factor_required: false },
  });
});

Deno.test("a set-up link keeps the second factor, unless it was made for a lost one", async () => {
  await using api = await testApi();
  const { account, code } = await equipped(api);
  const password = "seven quiet lanterns";
  const use = async (reset_second_factor: boolean) => {
    const made = await api.admin.call("POST", `/api/users/${account.id}/setup-link`, { reset_second_factor });
    const setup_token = new URL(made.body.data.url).searchParams.get("token");
    return await new Browser(api.app).call("POST", "/api/login/setup", { setup_token, password });
  };
  const kept = await use(false);
  assert.deepEqual([kept.status, kept.body.second_factor_required, kept.headers.get("set-cookie")], [
    401,
    true,
    null,
  ]);
  const { challenge } = kept.body;
  const entered = await new Browser(api.app).call("POST", "/api/login/code", { challenge, code: code() });
  assert.equal(entered.status, 200);
  assert.equal((await use(true)).status, 200);
  assert.equal((await new Browser(api.app).logIn(account.email, password)).status, 200);
  assert.deepEqual([...await api.database`select 1 from recovery_codes`], []);
});
