/** Follows and reads the log of a run in a real browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { TestApi } from "../support/clients/api.ts";
import { startChromium } from "../support/clients/chromium.ts";
import { loggedIn, newAccount } from "../support/fixtures/accounts.ts";
import { newOutput, newRun, newTask } from "../support/fixtures/records.ts";
import { logInAt, serveSite } from "../support/servers/web_site.ts";

const TIME = "2026-01-05T12:00:00.000Z";

/** Returns the text of an event with the numbered lines from `first` to `last`. */
function numbered(first: number, last: number): string {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return numbers.map((number) => `${TIME} line ${number} of /srv/shop/invoices/${number}.pdf\n`).join("");
}

async function newRunningRun(api: TestApi, client: Parameters<typeof newTask>[0]): Promise<number> {
  return await newRun(api.database, await newTask(client), api.clock.now(), { state: "running", attempt: 1 });
}

async function finish(api: TestApi, run: number): Promise<void> {
  await api.database`
    update runs set state = 'succeeded', finished_at = created_at, deadline_at = null where id = ${run}`;
}

/** Collects what the browser reports as wrong. */
function watchConsole(page: Page): string[] {
  const wrong: string[] = [];
  page.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()),
  );
  page.on("pageerror", (error) => wrong.push(error.message));
  return wrong;
}

/** Evaluates an expression in the page. In the expression, `log` is the element that contains the log. */
const read = <T>(page: Page, expression: string): Promise<T> =>
  page.evaluate(`(() => { const log = document.getElementById("log"); return ${expression}; })()`);

const textOf = (page: Page): Promise<string> => read(page, "log.textContent");
const numbersOf = async (page: Page) => (await textOf(page)).match(/(?<= line )\d+/g)!.map(Number);
const isAtEnd = (page: Page) =>
  read<boolean>(page, "log.scrollHeight - log.scrollTop - log.clientHeight < 24");

/** The text around the character at the top of the log's visible part. */
const FIRST_VISIBLE = `(() => {
  const { left, top } = document.getElementById("log").getBoundingClientRect();
  const { offsetNode, offset } = document.caretPositionFromPoint(left + 20, top + 40);
  return offsetNode.textContent.slice(offset, offset + 100);
})()`;

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

async function waitForText(page: Page, text: string): Promise<void> {
  await page.locator("#log", { hasText: text }).waitFor();
}

Deno.test("a log of 50,000 lines grows in the page, waits while the reader scrolls up, and jumps to its end", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const account = await newAccount(api);
  const run = await newRunningRun(api, await loggedIn(api, account));
  await newOutput(api.database, run, 1, numbered(1, 10));
  await using browser = await startChromium();
  const page = await browser.newPage();
  const wrong = watchConsole(page);
  await logInAt(page, url, account);
  await page.goto(`${url}/runs/${run}`);
  await page.locator("#live-stream[data-state=live]").waitFor();
  for (let sequence = 2; sequence <= 101; sequence++) {
    const first = (sequence - 2) * 500 + 11;
    await newOutput(api.database, run, sequence, numbered(first, first + 499));
  }
  await waitForText(page, "line 50010 of");
  assert.deepEqual(await numbersOf(page), upTo(50_010));
  assert.ok(await isAtEnd(page));
  assert.ok(await page.locator("#log .log-part").count() > 90, "the lines are in parts");

  await page.locator("#log").hover();
  await page.mouse.wheel(0, -2000);
  await page.locator("#log-end").waitFor();
  const position = () => read<number>(page, "log.scrollTop");
  const before = await position();
  await newOutput(api.database, run, 200, numbered(60_000, 60_001));
  await page.getByRole("button", { name: "Jump to the end (2 new)" }).waitFor();
  assert.equal(await position(), before, "what the reader sees stays in its place");
  await page.getByRole("button", { name: /Jump to the end/ }).click();
  await page.locator("#log-end").waitFor({ state: "hidden" });
  assert.ok(await isAtEnd(page));

  await finish(api, run);
  await api.clock.advance(2000);
  await page.getByText("This is the end of the log.").waitFor();
  await page.locator("#run .status", { hasText: "Successful" }).waitFor();
  assert.deepEqual(wrong, []);
});

Deno.test("older lines are added as the reader scrolls up, and the view stays in its place", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const account = await newAccount(api);
  const run = await newRunningRun(api, await loggedIn(api, account));
  for (let sequence = 1; sequence <= 60; sequence++) {
    await newOutput(api.database, run, sequence, numbered((sequence - 1) * 100 + 1, sequence * 100));
  }
  await finish(api, run);
  await using browser = await startChromium();
  const page = await browser.newPage();
  const wrong = watchConsole(page);
  await logInAt(page, url, account);
  await page.goto(`${url}/runs/${run}`);
  assert.equal((await numbersOf(page)).length, 500);
  assert.ok(await isAtEnd(page));
  const toTop = () => read(page, "log.scrollTop = 0");
  await toTop();
  await waitForText(page, "line 3501 of");
  const top = await page.evaluate<string>(FIRST_VISIBLE);
  assert.match(top, /line 550[12] /, "the reader still sees the first of the lines that were there");
  for (const first of [1501, 1]) {
    await toTop();
    await waitForText(page, `line ${first} of`);
  }
  assert.deepEqual(await numbersOf(page), upTo(6000));
  await page.locator("#log-older").waitFor({ state: "hidden" });
  assert.deepEqual(wrong, []);
});

Deno.test("hostile lines are text, whether the server or the script shows them, and can be searched", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const account = await newAccount(api);
  const run = await newRunningRun(api, await loggedIn(api, account));
  await using browser = await startChromium();
  const page = await browser.newPage();
  const wrong = watchConsole(page);
  await logInAt(page, url, account);
  await page.goto(`${url}/runs/${run}`);
  await page.locator("#live-stream[data-state=live]").waitFor();
  const hostile = [
    `${TIME} <script>alert(1)</script><img src=x onerror=alert(1)> </div>`,
    `${TIME} \x1b[31mred\x1b[0m \u202egnp.exe\u202c \u200b\ufeff\r tab\there \x01\x7f\x85`,
    `${TIME} Warning: <b>Cannot</b> open`,
    `[Rearguard: 5 characters of output were left out here]`,
    "",
    `no time &amp; ${"W".repeat(10_000)}`,
    "2026-99-99T99:99:99Z not a time",
  ];
  await newOutput(api.database, run, 1, `${hostile.join("\n")}\n`);
  await waitForText(page, "not a time");
  const live = (await textOf(page)).trim();
  const shown = live.split("\n").slice(0, 4);
  assert.deepEqual(shown, [
    "12:00:00 <script>alert(1)</script><img src=x onerror=alert(1)> </div>",
    "12:00:00 \\x1b[31mred\\x1b[0m \\u{202e}gnp.exe\\u{202c} \\u{200b}\\u{feff}\\x0d tab\there \\x01\\x7f\\x85",
    "12:00:00 Warning: <b>Cannot</b> open",
    "[Rearguard: 5 characters of output were left out here]",
  ]);
  assert.equal(await page.locator("#log .log-warning").textContent(), `${shown[2]}\n`);
  const isWide = () => page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth");
  assert.equal(await isWide(), false);
  await page.getByLabel("Wrap lines").uncheck();
  assert.equal(await isWide(), false, "long lines scroll inside the log");
  await page.reload();
  assert.equal((await textOf(page)).trim(), live, "the server shows the lines as the script does");

  await page.getByLabel("Search in the whole log").fill("cannot");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByRole("link", { name: "Show all lines" }).waitFor();
  assert.equal((await textOf(page)).trim(), shown[2]);
  await page.locator("#live-stream[data-state=live]").waitFor();
  await newOutput(api.database, run, 2, `${TIME} other\n${TIME} it CANNOT be\n`);
  await waitForText(page, "it CANNOT be");
  assert.equal((await textOf(page)).trim(), `${shown[2]}\n12:00:00 it CANNOT be`);
  assert.deepEqual(wrong, []);
});
