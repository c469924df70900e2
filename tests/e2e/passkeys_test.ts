/** Logs in with passkeys in a real browser, with its virtual authenticator. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Browser } from "../support/clients/browser.ts";
import { addAuthenticator, startChromium } from "../support/clients/chromium.ts";
import { newAccount, PASSWORD } from "../support/fixtures/accounts.ts";
import { logInAt, serveSite } from "../support/servers/web_site.ts";

async function addPasskey(page: Page, url: string, name: string): Promise<void> {
  await page.goto(`${url}/account/passkeys`);
  await page.getByLabel("Name of the new passkey").fill(name);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText(`${name} since`).waitFor();
}

async function logInWithPasskey(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByRole("button", { name: "Log in with a passkey" }).click();
}

Deno.test("a passkey is added and opens a session without email and password; replayed or copied it opens none", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  await using browser = await startChromium();
  const account = await newAccount(api);
  const page = await browser.newPage();
  const violations: string[] = [];
  page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  const authenticator = await addAuthenticator(page);
  await logInAt(page, url, account);
  await addPasskey(page, url, "Laptop");
  const [row] = await api.database`select user_id, name, counter from passkeys`;
  assert.deepEqual([row!.user_id, row!.name], [account.id, "Laptop"]);
  await page.getByRole("button", { name: "Log out" }).click();

  const copied = (await authenticator.credentials())[0]!;
  const sent = page.waitForRequest(/\/api\/login\/passkey$/);
  await logInWithPasskey(page, url);
  await page.getByRole("link", { name: "Overview" }).waitFor();
  await page.goto(`${url}/account`);
  assert.ok(await page.getByText(account.email).first().isVisible());
  const [used] = await api.database`select counter, last_used_at from passkeys`;
  assert.ok(used!.counter > row!.counter && used!.last_used_at !== null);

  const replay = await api.app.request(`${url}/api/login/passkey`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: url },
    body: (await sent).postData()!,
  });
  assert.deepEqual([replay.status, (await replay.json()).message], [
    401,
    "The passkey was not accepted. Try again.",
  ]);

  const thief = await browser.newPage();
  const clone = await addAuthenticator(thief);
  await clone.add({ ...copied, signCount: 0 });
  await logInWithPasskey(thief, url);
  await thief.getByText("The passkey was not accepted. Try again.").waitFor();
  assert.deepEqual(violations, [], "the pages break no rule of their content security policy");
});

Deno.test("a passkey needs its user verified, a fresh log-in to be added, and this host", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  await using browser = await startChromium();
  const account = await newAccount(api);
  const page = await browser.newPage();
  const authenticator = await addAuthenticator(page);
  await logInAt(page, url, account);
  await api.clock.advance(601_000);
  await page.goto(`${url}/account/passkeys`);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Passkeys" }).waitFor();
  await addPasskey(page, url, "Phone");
  await page.getByRole("button", { name: "Log out" }).click();

  await authenticator.setUserVerified(false);
  await logInWithPasskey(page, url);
  await page.getByText("No passkey was chosen.").waitFor();
  await authenticator.setUserVerified(true);

  await api.database`update users set deletes_at = now()`;
  await logInWithPasskey(page, url);
  await page.getByText("The passkey was not accepted.").waitFor();
  await api.database`update users set deletes_at = null`;
  const submit = (host: string, body: string) =>
    api.app.request(`http://${host}/api/login/passkey`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
  let elsewhere = 0;
  await page.route(/\/api\/login\/passkey$/, async (route) => {
    elsewhere = (await submit("other.example", route.request().postData()!)).status;
    await api.clock.advance(301_000);
    await route.continue();
  });
  await logInWithPasskey(page, url);
  await page.getByText("The passkey was not accepted.").waitFor();
  assert.equal(elsewhere, 401, "another host");
  await page.unrouteAll();
  await logInWithPasskey(page, url);
  await page.getByRole("link", { name: "Overview" }).waitFor();
  const unknown = await submit(
    "localhost",
    '{"response":{"id":"unknown","response":{},"type":"public-key"}}',
  );
  assert.equal(unknown.status, 401);

  await api.database`update login_settings set second_factor_required = true`;
  await page.reload();
  await page.getByRole("link", { name: "Overview" }).waitFor();
  const password = await new Browser(api.app).logIn(account.email, PASSWORD);
  assert.deepEqual([password.status, password.headers.get("set-cookie")], [401, null]);
  assert.match(password.body.message, /Log in with your passkey/);
});
