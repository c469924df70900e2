/**
 * Checks every page in a real browser. The page must be accessible, must not be wider than the window, and
 * must show hostile text as text.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { startChromium } from "../support/clients/chromium.ts";
import { hostileFleet } from "../support/fixtures/hostile_fleet.ts";
import { pagePaths } from "../support/fixtures/page_paths.ts";
import { logInAt, serveSite } from "../support/servers/web_site.ts";

const AXE = Deno.readTextFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")));

/** Finds pictures and scripts that are not the dashboard's own. */
const FOREIGN = "img:not([src^='/assets/images/']), script:not([nonce], [src*='/assets/'])";

/** The routes that have no page of their own. Some of them only redirect to another page. */
const NO_PAGES = [
  /^\/(api|assets|docs)\b/,
  /^\/(live|healthz|readyz|metrics)$/,
  /^\/login\/oidc/,
  /^\/backups\/:id\/browse$/,
  /^\/restore\/(check|start)$/,
  /\.(json|txt|sh)$/,
];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Returns what axe-core finds on a page, one line for each element. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const tags = '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]';
  const { violations } = await page.evaluate<{ violations: Violation[] }>(`axe.run({ runOnly: ${tags} })`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) =>
      `${id}: ${html.slice(0, 200)} (${failureSummary.replaceAll("\n", " ").slice(0, 200)})`
    )
  );
}

Deno.test("every page is accessible, light and dark, fits a phone, and shows hostile text as text", async (t) => {
  await using site = await serveSite();
  const { api, url } = site;
  const fleet = await hostileFleet(api);
  const paths = pagePaths(fleet);
  await t.step("no page is left out", () => {
    const routes = api.app.routes.filter(({ method }) => method === "GET").map(({ path }) => path);
    const pages = [...new Set(routes)].filter((path) => !NO_PAGES.some((pattern) => pattern.test(path)));
    assert.deepEqual(pages.filter((path) => !(path in paths)).sort(), []);
    assert.deepEqual(Object.keys(paths).filter((path) => !routes.includes(path)), []);
  });
  await using browser = await startChromium();
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await logInAt(page, url, fleet.account);
  const console: string[] = [];
  page.on("console", (message) => message.type() === "error" && console.push(message.text()));
  for (const path of Object.values(paths).flat()) {
    await t.step(path, async () => {
      console.length = 0;
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
      const { status } = await page.goto(url + path).then((response) => ({ status: response!.status() }));
      assert.ok(status < 500, `${status}`);
      const found: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        found.push(...(await violationsOf(page)).map((violation) => `${colorScheme}: ${violation}`));
      }
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 800 });
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
        if (wide > 0) found.push(`${width}: ${wide} pixels too wide`);
      }
      found.push(...(await violationsOf(page)).map((violation) => `390: ${violation}`));
      const isHacked = await page.evaluate<boolean>(`"isHacked" in globalThis`);
      assert.equal(isHacked, false);
      const foreign = await page.evaluate<string[]>(
        `[...document.querySelectorAll("${FOREIGN}")].map((element) => element.outerHTML)`,
      );
      assert.deepEqual(foreign, []);
      const errors = status >= 400 ? [] : console.filter((text) => !/Failed to load resource/.test(text));
      assert.deepEqual([...found, ...errors, ...problems], []);
    });
  }
});
