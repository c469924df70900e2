/** Watches in a real browser how open pages renew themselves. */
import assert from "node:assert/strict";
import { startChromium } from "../support/clients/chromium.ts";
import { loggedIn, newAccount } from "../support/fixtures/accounts.ts";
import { newTask } from "../support/fixtures/records.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { logInAt, serveSite } from "../support/servers/web_site.ts";
import { until } from "../support/assertions/until.ts";

Deno.test("an open page shows what others change, also what they changed while it was not connected", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const account = await newAccount(api);
  const other = await loggedIn(api, account);
  const task = await newTask(other, { label: "Invoices" });
  const rename = (label: string) => other.call("PUT", `/api/backup-tasks/${task}`, { label });
  await using browser = await startChromium();
  const page = await browser.newPage();
  await logInAt(page, url, account);
  const isLive = page.locator("#live-stream[data-state=live]");
  const link = (label: string) => page.getByRole("link", { name: label, exact: true }).first();

  // The page is made, and the task changes before the page's stream begins.
  let connect = () => {};
  const held = new Promise<void>((resolve) => connect = resolve);
  await page.route("**/live", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${url}/tasks`);
  await link("Invoices").waitFor();
  await rename("Orders");
  connect();
  await link("Orders").waitFor();
  await isLive.waitFor();

  await rename("Photos");
  await link("Photos").waitFor();

  // The stream breaks, and the page can't connect again for a while.
  await page.unroute("**/live");
  await page.route("**/live", (route) => route.abort());
  api.services.live.stop();
  await page.locator("#live-stream[data-state=reconnecting]").waitFor();
  await rename("Letters");
  assert.equal(await link("Letters").count(), 0);
  await page.unroute("**/live");
  await link("Letters").waitFor();
  await isLive.waitFor();

  await page.close();
  await until(() => api.services.live.size === 0);
});

Deno.test("a page keeps what it shows, and says so, if its record is deleted or its user is logged out", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const account = await newAccount(api);
  const other = await loggedIn(api, account);
  const task = await newTask(other, { label: "Invoices" });
  await using browser = await startChromium();
  const page = await browser.newPage();
  await logInAt(page, url, account);
  const chip = (text: string) => page.locator("#live-stream", { hasText: text });
  await page.goto(`${url}/tasks/${task}`);
  await chip("Live").waitFor();
  const shown = await page.locator("#task").textContent();
  assert.equal((await other.call("DELETE", `/api/backup-tasks/${task}`)).status, 200);
  await chip("Deleted").waitFor();
  assert.equal(await page.locator("#task").textContent(), shown);

  const { body } = await other.call("GET", "/api/sessions?sort=-id");
  const session = body.data.find(({ is_current }: { is_current: boolean }) => !is_current);
  assert.equal((await other.call("DELETE", `/api/sessions/${session.id}`)).status, 200);
  await chip("Logged out").waitFor();
  assert.equal(await page.locator("#task").textContent(), shown);
});

Deno.test("a control plane that stops ends the streams of open pages by itself", async () => {
  const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-live-" });
  await Deno.chmod(dataDirectory, 0o755); // so that the user of the embedded Postgres can enter it
  try {
    await using server = new ServerProcess({ dataDirectory, env: { LOCAL_AGENT: "0" } });
    const url = await server.ready();
    const headers = { Authorization: `Bearer ${server.token}` };
    const reader = (await fetch(`${url}/api/live`, { headers })).body!.getReader();
    const text = new TextDecoder();
    assert.match(text.decode((await reader.read()).value), /event: refresh/);
    const stopped = server.stop("SIGTERM");
    // If the control plane cut off the stream after the grace time, `read` would reject.
    while (!(await reader.read()).done);
    await stopped;
  } finally {
    await Deno.remove(dataDirectory, { recursive: true });
  }
});
