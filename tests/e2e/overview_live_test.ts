/** Watches in a real browser how an open overview follows failures, late tasks and recoveries. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { watchProtection } from "../../src/services/tasks/protection.ts";
import { startChromium } from "../support/clients/chromium.ts";
import { loggedIn, newAccount } from "../support/fixtures/accounts.ts";
import { newBackup, newRun, newTask } from "../support/fixtures/records.ts";
import { logInAt, serveSite } from "../support/servers/web_site.ts";

const HOUR = 3_600_000;

/** Waits until the verdict contains the text. Returns its colour, as the browser draws it. */
async function colourOf(page: Page, verdict: string): Promise<string> {
  await page.locator("#overview h1", { hasText: verdict }).waitFor();
  return await page.evaluate<string>("getComputedStyle(document.querySelector('#overview h1 svg')).color");
}

Deno.test("an open overview turns to failing, late and protected again by itself", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const account = await newAccount(api);
  const other = await loggedIn(api, account);
  const task = await newTask(other, { label: "Invoices", custom_cron_expression: "0 * * * *" });
  const { clock, database, services } = api;
  await newBackup(database, task, clock.now());
  await newRun(database, task, clock.now());
  await watchProtection(services);
  await using browser = await startChromium();
  const page = await browser.newPage();
  await logInAt(page, url, account);
  await page.locator("#live-stream[data-state=live]").waitFor();
  await page.evaluate("globalThis.isSamePage = true");
  const row = page.getByRole("row", { name: /Invoices/ });
  const good = await colourOf(page, "The only task is protected.");

  await newRun(database, task, clock.now(), { state: "failed", reason: "The disk is full." });
  await row.getByText("Failing").waitFor();
  await row.getByText("The disk is full.").waitFor();
  const failing = await colourOf(page, "1 task has a recent backup, but its last run failed.");

  await clock.advance(4 * HOUR);
  await watchProtection(services);
  await row.getByText("Late").waitFor();
  const late = await colourOf(page, "late");

  await newBackup(database, task, clock.now());
  await newRun(database, task, clock.now());
  await watchProtection(services);
  await row.waitFor({ state: "detached" });
  assert.equal(await colourOf(page, "The only task is protected."), good);
  assert.equal(new Set([good, failing, late]).size, 3);
  assert.equal(await page.evaluate("globalThis.isSamePage"), true, "the page was not loaded again");
});
