/**
 * `deno task screenshots [DIRECTORY]`: takes pictures of the pages, light and dark, on a wide screen and on a
 * phone. Without DIRECTORY, takes only the pictures that the documents show, and writes them to
 * `docs/images`. With DIRECTORY, writes all pictures there.
 */
import { startChromium } from "./support/clients/chromium.ts";
import { sampleFleet } from "./support/fixtures/sample_fleet.ts";
import { logInAt, serveSite } from "./support/servers/web_site.ts";

const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const SCHEMES = ["light", "dark"] as const;
/** The pictures in the documents, without their extension. */
const SHOWN = [
  "overview-1280-light",
  "overview-1280-dark",
  "overview-390-light",
  "tasks-1280-light",
  "run-1280-light",
];

async function main(directory: string | undefined): Promise<void> {
  const target = directory ?? new URL("../docs/images", import.meta.url).pathname;
  await Deno.mkdir(target, { recursive: true });
  await using site = await serveSite();
  const fleet = await sampleFleet(site.api);
  const pages = {
    overview: "/",
    tasks: "/tasks",
    task: `/tasks/${fleet.taskId}`,
    run: `/runs/${fleet.failedRunId}`,
    runs: "/runs",
    backups: "/backups",
    backup: `/backups/${fleet.backupId}`,
    restore: "/restore",
    servers: "/servers",
    server: `/servers/${fleet.serverId}`,
    destinations: "/destinations",
    schedule: "/schedule",
    verification: "/verification",
    alerts: "/alerts",
    security: "/security",
    installation: "/installation",
  };
  await using browser = await startChromium();
  const page = await browser.newPage();
  await logInAt(page, site.url, fleet.account);
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      for (const [name, path] of Object.entries(pages)) {
        const picture = `${name}-${size.width}-${colorScheme}`;
        if (directory === undefined && !SHOWN.includes(picture)) continue;
        await page.goto(site.url + path);
        await page.locator("#live-stream[data-state=live]").waitFor({ state: "attached" });
        await page.screenshot({ path: `${target}/${picture}.png` });
      }
    }
  }
}

await main(Deno.args[0]);
