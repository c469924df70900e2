/**
 * Walks through the pages in a real browser, with control planes and agents: a backup by keyboard alone, and
 * a restore to another server.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { createApp } from "../../src/http/app.ts";
import type { ServiceContext } from "../../src/services/context.ts";
import { storePassword } from "../../src/store/access/user_passwords.ts";
import { addWebPages } from "../../src/web/pages.ts";
import type { TestApi } from "../support/clients/api.ts";
import { startChromium } from "../support/clients/chromium.ts";
import { PASSWORD } from "../support/fixtures/accounts.ts";
import { localDestination, stageTree } from "../support/fixtures/backed_up_tree.ts";
import { logInAt } from "../support/servers/web_site.ts";
import { stageTwoServers } from "../support/servers/two_servers.ts";

/** The user to whom the servers and tasks of these tests belong. */
const EMAIL = "ada@example.test";

interface OpenedPages {
  readonly url: string;
  readonly page: Page;
  /** Errors that the browser's console has reported. */
  readonly problems: readonly string[];
}

/** Serves the pages of a control plane, gives its user a password, and opens a browser. */
async function openPages(services: ServiceContext, stack: AsyncDisposableStack): Promise<OpenedPages> {
  const { clock, database, passwords } = services;
  const [user] = await database<{ id: number }[]>`select id from users where email = ${EMAIL}`;
  await storePassword(database, user!.id, await passwords.hash(PASSWORD), clock.now());
  const app: TestApi["app"] = createApp({ services, pages: [addWebPages({ publicUrl: null })] });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => app.fetch(request),
  );
  stack.defer(() => server.shutdown());
  const page = await stack.use(await startChromium()).newPage();
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  return { url: `http://localhost:${(server.addr as Deno.NetAddr).port}`, page, problems };
}

interface Focused {
  /** The element's label or text. */
  readonly name: string;
  readonly path: string | null;
  readonly isInContent: boolean;
  readonly isOnScreen: boolean;
  /** Whether an outline or a shadow distinguishes the element from how it looks without the focus. */
  readonly isMarked: boolean;
}

const FOCUSED = `(() => {
  const element = document.activeElement;
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const marks = () => {
    const { boxShadow, outlineColor, outlineStyle } = getComputedStyle(element);
    const isOutlined = outlineStyle !== "none" && outlineColor !== "rgba(0, 0, 0, 0)";
    return [boxShadow, isOutlined ? outlineColor : "none"].join(" and ");
  };
  const focused = marks();
  element.blur();
  const resting = marks();
  element.focus({ preventScroll: true });
  return {
    name: (element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText).trim(),
    path: element.getAttribute("href"),
    isInContent: element.closest("#content") !== null,
    isOnScreen: right > Math.max(left, 0) && bottom > Math.max(top, 0) && left < innerWidth && top < innerHeight,
    isMarked: focused !== "none and none" && focused !== resting,
  };
})()`;

/** Returns the focused element. Fails if a person can't see that it has the focus. */
async function focusedOn(page: Page): Promise<Focused> {
  const focused = await page.evaluate<Focused>(FOCUSED);
  const { name, isMarked, isOnScreen } = focused;
  assert.deepEqual({ name, isMarked, isOnScreen }, { name, isMarked: true, isOnScreen: true });
  return focused;
}

/** Presses Tab until an element is reached. Returns the names of the elements on the way, and its own. */
async function tabTo(page: Page, isReached: (focused: Focused) => boolean): Promise<string[]> {
  const names: string[] = [];
  while (names.length < 60) {
    await page.keyboard.press("Tab");
    const focused = await focusedOn(page);
    names.push(focused.name);
    if (isReached(focused)) return names;
  }
  return assert.fail(`Not reached by 60 times Tab: ${names.join(", ")}`);
}

async function logInByKeyboard({ page, url }: OpenedPages): Promise<void> {
  await page.goto(`${url}/login`);
  assert.equal((await focusedOn(page)).name, "Email");
  await page.keyboard.type(EMAIL);
  await tabTo(page, ({ name }) => name === "Password");
  await page.keyboard.type(PASSWORD);
  await tabTo(page, ({ name }) => name === "Log in");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Overview" }).waitFor();
}

/** Follows the link that skips the navigation. The next Tab then reaches an element of the content. */
async function skipToContent(page: Page): Promise<void> {
  assert.deepEqual(await tabTo(page, ({ path }) => path === "#content"), ["Skip to the content"]);
  await page.keyboard.press("Enter");
  await page.waitForFunction("document.activeElement.id === 'content'");
  await page.keyboard.press("Tab");
  assert.ok((await focusedOn(page)).isInContent);
  await page.keyboard.press("Shift+Tab");
}

Deno.test("by keyboard alone: log in, find a task, run it, and see on the run's page that it succeeded", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api, serverId, services } = at.plane;
  await Deno.writeTextFile(`${at.tree}/notes.txt`, "some notes");
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: await localDestination(at),
    label: "Photos of the garden",
    type: "files",
    source_path: at.tree,
    frequency: "daily",
    time_to_run_at: "01:00",
  });
  const pages = await openPages(services, stack);
  const { page, problems } = pages;
  await logInByKeyboard(pages);
  await skipToContent(page);

  await page.keyboard.press("Control+k");
  assert.equal((await focusedOn(page)).name, "Search for pages, tasks, servers and files");
  await page.keyboard.type("the garden");
  await page.locator("#palette-results li:first-child", { hasText: "Photos of the garden" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Photos of the garden", level: 1 }).waitFor();

  const way = await tabTo(page, ({ name }) => name === "Run now");
  assert.equal(way[0], "Skip to the content");
  assert.ok(way.includes("Overview") && way.includes("Log out"), way.join(", "));
  await page.keyboard.press("Enter");
  const run = page.getByRole("table", { name: "The last runs" }).getByRole("row", { name: /Successful/ });
  await run.waitFor();
  await skipToContent(page);
  await tabTo(page, ({ path }) => /^\/runs\/\d+$/.test(path ?? ""));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Backup of Photos of the garden", level: 1 }).waitFor();
  await page.locator("header .status.good", { hasText: "Successful" }).waitFor();
  await page.getByText("Backup completed successfully").waitFor();
  const { body } = await api.call("GET", `/backup-tasks/${taskId}/latest-log`);
  assert.deepEqual([page.url(), body.data.status], [`${pages.url}/runs/${body.data.id}`, "successful"]);
  assert.deepEqual(problems, []);
});

Deno.test("by clicks: one file of a server's backup is restored on another server", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTwoServers(stack);
  const { api, holder, other, root } = at;
  const contents = crypto.getRandomValues(new Uint8Array(50_000));
  await Deno.mkdir(`${root}/tree/letters`, { recursive: true });
  await Deno.writeFile(`${root}/tree/letters/first.bin`, contents);
  await Deno.writeTextFile(`${root}/tree/letters/second.txt`, "not chosen");
  const destinationId = await api.create("/backup-destinations", {
    label: "the disk of web1",
    type: "local",
    local_path: `${root}/backups`,
  });
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: holder.id,
    backup_destination_id: destinationId,
    label: "Letters",
    type: "files",
    source_path: `${root}/tree`,
    frequency: "daily",
    time_to_run_at: "01:00",
  });
  assert.equal((await api.run(taskId)).status, "successful");
  await Deno.remove(`${root}/tree`, { recursive: true });

  const { page, problems, url } = await openPages(at.services, stack);
  await logInAt(page, url, { id: 0, email: EMAIL });
  await page.getByRole("link", { name: "Restore", exact: true }).first().click();
  await page.getByRole("link", { name: "Choose a backup of Letters" }).click();
  await page.getByRole("link", { name: "Restore this one" }).click();
  await page.getByRole("button", { name: "letters", exact: true }).click();
  await page.getByLabel("Select first.bin").check();
  await page.getByRole("button", { name: "Continue with the selected" }).click();
  const servers = page.getByLabel("On which server");
  assert.equal(await servers.locator("option:checked").innerText(), "web1 (made this backup)");
  await servers.selectOption({ label: "web2" });
  await page.getByLabel("Into another directory").check();
  await page.getByLabel("That directory").fill(`${root}/back`);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Nothing is in the way.").waitFor();
  await page.getByText("The backup is on another server's disk").waitFor();
  at.relayed.length = 0;
  await page.getByRole("button", { name: "Start the restore" }).click();
  await page.getByText("On web2, exactly here:").waitFor();
  await page.locator("#restore-report").getByText(`${root}/back/letters/first.bin`).waitFor();

  const { body } = await api.call("GET", `/backup-task-logs/${page.url().split("/").at(-1)}`);
  assert.deepEqual([body.data.status, body.data.remote_server.id], ["successful", other.id]);
  assert.ok(at.relayed.length > 0, "the other server has read the backup through the control plane");
  assert.deepEqual(await Deno.readFile(`${root}/back/letters/first.bin`), contents);
  assert.deepEqual([...Deno.readDirSync(`${root}/back/letters`)].map(({ name }) => name), ["first.bin"]);
  assert.throws(() => Deno.statSync(`${root}/tree`), Deno.errors.NotFound);
  assert.deepEqual(problems, []);
});
