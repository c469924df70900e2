/** Walks through the pages in a real browser, from the set-up link to the first restored file. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Chromium, startChromium } from "../support/clients/chromium.ts";
import { ServerProcess } from "../support/servers/server.ts";

interface NewInstallation extends AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  /** The link that the start has printed. */
  readonly setupLink: string;
  readonly chromium: Chromium;
}

/** Starts a control plane with its local agent, on an empty data directory, and a browser. */
async function install(): Promise<NewInstallation> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "rearguard-first-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(`${directory}/data/photos/2026`, { recursive: true });
  for (const name of ["beach.jpg", "hill.jpg", "notes.txt"]) {
    await Deno.writeTextFile(`${directory}/data/photos/2026/${name}`, `contents of ${name}`);
  }
  const server = new ServerProcess({ dataDirectory: `${directory}/control`, env: { LOCAL_AGENT: "1" } });
  stack.defer(async () => void await server.stop("SIGTERM"));
  const url = await server.ready();
  const setupLink = /http:\S+\/login\/setup\?token=\S+/.exec(server.stdout)![0];
  const chromium = stack.use(await startChromium());
  const parts = stack.move();
  return { directory, url, setupLink, chromium, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

const PASSWORD = "seven quiet lanterns";

async function setPassword(page: Page, { setupLink, url }: NewInstallation): Promise<void> {
  await page.goto(setupLink.replace(/^http:\/\/[^/]+/, url));
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button").click();
  await page.getByText("No backup task is active: nothing is protected.").waitFor();
}

/** Makes the first backup with the form of the first steps. Ends on the page of the run that succeeded. */
async function makeFirstBackup(page: Page, { directory }: NewInstallation): Promise<void> {
  await page.getByRole("link", { name: "Set up the first backup" }).click();
  await page.getByLabel("Directory to back up").fill(`${directory}/data`);
  await page.getByLabel("Directory for the backups").fill(`${directory}/backups`);
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.getByRole("link", { name: /^Backup \d+$/ }).waitFor();
}

/**
 * Restores one file into another directory. Starts on the page of a backup run. The file is from this run's
 * backup. Ends on the page of the restore's run.
 */
async function restoreOneFile(page: Page, { directory }: NewInstallation): Promise<void> {
  await page.getByRole("link", { name: /^Backup \d+$/ }).click();
  for (const folder of ["photos", "2026"]) {
    await page.getByRole("button", { name: folder, exact: true }).click();
  }
  await page.getByLabel("Select beach.jpg").check();
  await page.getByRole("button", { name: "Restore selected" }).click();
  await page.getByRole("heading", { name: "Restore", exact: true }).waitFor();
  await page.getByLabel("Into another directory").check();
  await page.getByLabel("That directory").fill(`${directory}/back`);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Nothing is in the way.").waitFor();
  await page.getByRole("button", { name: "Start the restore" }).click();
  await page.getByText("All of it").first().waitFor();
}

function restored(directory: string): string {
  const names = (path: string): string[] =>
    [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
      isDirectory ? names(`${path}/${name}`) : [`${path}/${name}`]
    );
  const [file, ...others] = names(`${directory}/back`);
  assert.deepEqual(others, []);
  return Deno.readTextFileSync(file!);
}

Deno.test("by clicks: set-up link, password, first backup with its log, one file restored elsewhere", async () => {
  await using installation = await install();
  const page = await installation.chromium.newPage();
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  await setPassword(page, installation);
  await makeFirstBackup(page, installation);
  await page.getByText("Backup completed successfully").waitFor();
  await restoreOneFile(page, installation);
  assert.equal(restored(installation.directory), "contents of beach.jpg");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("No task is late.").or(page.getByText("protected")).first().waitFor();
  assert.deepEqual(problems, []);
});

Deno.test("without scripts, and on a phone: first backup and first restore", async () => {
  await using installation = await install();
  const page = await installation.chromium.newPage({
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
  });
  await setPassword(page, installation);
  await makeFirstBackup(page, installation);
  await restoreOneFile(page, installation);
  assert.equal(restored(installation.directory), "contents of beach.jpg");
});
