/**
 * Sends every form of the pages as a member of each role. The test reads the actions of the forms from the
 * routes of the pages. So it also tests a new action that nobody has listed here.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { abilitiesOf, type Role } from "../../src/domain/access/roles.ts";
import { addWebPages } from "../../src/web/pages.ts";
import { type TestApi, testApi } from "../support/clients/api.ts";
import type { Browser } from "../support/clients/browser.ts";
import { startChromium } from "../support/clients/chromium.ts";
import { enterWorkspace, memberBrowser, newMember } from "../support/fixtures/accounts.ts";
import { type Records, recordsOf } from "../support/fixtures/endpoints.ts";
import { watchChanges } from "../support/assertions/changes.ts";
import { logInAt, serveSite } from "../support/servers/web_site.ts";

/** The record that the `id` in an action's route names, by the first part of the route. */
const RECORD_OF: Readonly<Record<string, string>> = {
  alerts: "Notification stream",
  backups: "Backup",
  destinations: "Backup destination",
  members: "Member",
  runs: "Backup task log",
  scripts: "Script",
  servers: "Remote server",
  tags: "Tag",
  tasks: "Backup task",
  tokens: "Token",
  users: "User",
  workspaces: "Workspace",
};

/** Actions about the caller's own account, session, tokens and workspace. Every role has them. */
const OF_ACCOUNT = /^\/(account|login|logout|security\/(tokens|workspaces))\b/;
/** Actions that only lead to another address or show a form again. They change nothing for any role. */
const READS = ["/backups/:id/browse", "/backups/find"];

interface Refusal {
  readonly ability: string;
  readonly message: string;
}

/** Returns a function that returns how the API has refused changes to the pages since its last call. */
function watchRefusals({ app }: TestApi): () => Refusal[] {
  let refusals: Refusal[] = [];
  const fetch = app.fetch;
  app.fetch = async (request, ...rest) => {
    const response = await fetch(request, ...rest);
    if (request.method !== "GET" && new URL(request.url).pathname.startsWith("/api/")) {
      const { message, data } = await response.clone().json();
      for (const text of [message, ...(data?.results ?? []).map((each: Refusal) => each.message)]) {
        const ability = text === "You are no administrator."
          ? "admin"
          : /lacks the (\S+) ability/.exec(text)?.[1];
        if (ability !== undefined) refusals.push({ ability, message: text });
      }
    }
    return response;
  };
  return () => {
    const taken = refusals;
    refusals = [];
    return taken;
  };
}

function actionsOf({ app }: TestApi): string[] {
  const routes = app.routes.filter(({ method, path }) => method === "POST" && !path.startsWith("/api/"));
  return [...new Set(routes.map(({ path }) => path))].filter((path) => !OF_ACCOUNT.test(path)).sort();
}

/** Replaces the `id` of a route by the id of a record. */
function pathOf(route: string, records: Records): string {
  return route.replace(":kind", "tags").replace(/(\w+)\/:id/, (_, kind: string) => {
    assert.ok(RECORD_OF[kind] !== undefined, `Add ${kind} to this test`);
    return `${kind}/${records[RECORD_OF[kind]]}`;
  });
}

/** Fields that several actions need before they call the API. */
function fieldsOf(browser: Browser, records: Records): Record<string, string> {
  const id = (resource: string) => String(records[resource]);
  return {
    csrf_token: browser.csrf,
    next: "/tasks",
    label: "Changed",
    name: "Changed",
    type: "files",
    script: "true",
    email: "new@example.test",
    role: "manager",
    reason: "Changed",
    action: "pause",
    do: "pause",
    "ids[0]": id("Backup task"),
    backup_id: id("Backup"),
    backup_task_id: id("Backup task"),
    remote_server_id: id("Remote server"),
    backup_destination_id: id("Backup destination"),
    source_path: "/srv",
    local_path: "/srv/backups",
    place: "elsewhere",
    target_path: "/srv/back",
  };
}

/** Returns what the browser sees after an action: the page that answers it, or to which the answer leads. */
async function seenAfter(browser: Browser, path: string, fields: Record<string, string>): Promise<string> {
  const answer = await browser.submit(path, fields);
  assert.ok(answer.status < 500, `${path}: ${answer.status}`);
  if (answer.status !== 303) return answer.text;
  return (await browser.call("GET", answer.headers.get("location")!)).text;
}

Deno.test("every action of the pages works for the roles that may do it, and refuses the others by name", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const takeRefusals = watchRefusals(api);
  const owner = await api.user();
  const changes = await watchChanges(api.database);
  const actions = actionsOf(api);
  /** The ability that the viewer lacks, by the action's route. */
  const needs = new Map<string, string>();
  for (const role of ["viewer", "restorer", "operator", "manager"] as const) {
    const records = await recordsOf(api, owner);
    const browser = await memberBrowser(api, owner, role);
    const abilities = abilitiesOf(role, false);
    const shown = await shownActions(browser, records);
    for (const route of actions.toSorted((a, b) => Number(isDeletion(a)) - Number(isDeletion(b)))) {
      await changes.taken();
      takeRefusals();
      const seen = await seenAfter(browser, pathOf(route, records), fieldsOf(browser, records));
      const [refusal] = takeRefusals();
      const about = `${role}: ${route}`;
      const changed = await changes.taken();
      if (role === "viewer" && !READS.includes(route)) {
        needs.set(route, refusal?.ability ?? assert.fail(`${about} is not refused`));
      }
      const needed = needs.get(route);
      const isAllowed = needed === undefined || abilities.has(needed);
      assert.equal(refusal?.ability, isAllowed ? undefined : needed, about);
      if (refusal === undefined) continue;
      assert.deepEqual(changed, [], about);
      assert.ok(seen.includes(refusal.message), `${about} does not say: ${refusal.message}`);
    }
    for (const route of actions.filter((route) => shown.some((path) => isOf(route, path)))) {
      const needed = needs.get(route);
      assert.ok(needed === undefined || abilities.has(needed), `${role} is shown a button for ${route}`);
    }
  }
});

/** Returns the actions of all forms on the pages of the records and of their lists. */
async function shownActions(browser: Browser, records: Records): Promise<string[]> {
  const kinds = ["alerts", "backups", "destinations", "runs", "scripts", "servers", "tags", "tasks"];
  const lists = [
    "/",
    "/installation/recovery-kit",
    "/security",
    "/security/users",
    "/trash",
    "/verification",
  ];
  const paths = [...lists, ...kinds.flatMap((kind) => [`/${kind}`, `/${kind}/${records[RECORD_OF[kind]!]}`])];
  const found: string[] = [];
  for (const path of paths) {
    const { text } = await browser.call("GET", path);
    for (const [form] of text.matchAll(/<form[^>]*method="post"[^>]*>/g)) {
      found.push(/ action="([^"?]*)/.exec(form)![1]!);
    }
  }
  return found;
}

/** Returns whether a path is one of a route. */
function isOf(route: string, path: string): boolean {
  return new RegExp(`^${route.replaceAll(":id", "\\d+")}$`).test(path);
}

function isDeletion(route: string): boolean {
  return /\/(delete|remove)$/.test(route);
}

Deno.test("by clicks: a viewer looks, an operator runs, a restorer restores, and none does more", async () => {
  await using site = await serveSite();
  const { api, url } = site;
  const owner = await api.user();
  const records = await recordsOf(api, owner);
  await using chromium = await startChromium();
  const open = async (role: Role, path: string) => {
    const account = await newMember(api, owner, role);
    const page = await chromium.newPage();
    await logInAt(page, url, account);
    await enterWorkspace(api, owner, account);
    await page.goto(url + path);
    await page.getByText(`· ${role}`).waitFor();
    return page;
  };
  const task = `/tasks/${records["Backup task"]}`;
  const backup = `/backups/${records["Backup"]}`;
  const buttons = (page: Page) =>
    page.locator("#content").getByRole("button").or(page.locator("#content summary.button")).allInnerTexts();

  const viewer = await open("viewer", task);
  assert.deepEqual(await buttons(viewer), []);
  await viewer.goto(url + backup);
  assert.equal(await viewer.getByRole("link", { name: /^Restore/ }).count(), 0);
  await viewer.goto(`${url}/restore?backup_id=${records["Backup"]}`);
  await viewer.getByText("Only restorers and managers can restore.").waitFor();
  // A form that somebody has changed in the browser.
  await viewer.evaluate(`(() => {
    const form = document.querySelector("form[action='/logout']");
    form.action = "${task}/run";
    form.elements.next.value = "${task}";
    form.requestSubmit();
  })()`);
  await viewer.getByText("The role viewer lacks the run-backup-tasks ability.").waitFor();

  const operator = await open("operator", task);
  assert.deepEqual((await buttons(operator)).map((text) => text.trim()), ["Run now", "Pause"]);
  await operator.getByRole("button", { name: "Run now" }).click();
  await operator.getByRole("button", { name: "Cancel the run" }).waitFor();
  await operator.goto(url + backup);
  await operator.getByRole("button", { name: "Verify" }).waitFor();
  assert.equal(await operator.getByRole("link", { name: /^Restore/ }).count(), 0);

  const restorer = await open("restorer", task);
  assert.deepEqual(await buttons(restorer), []);
  await restorer.goto(url + backup);
  assert.equal(await restorer.getByRole("button", { name: "Verify" }).count(), 0);
  await restorer.locator("#content").getByRole("link", { name: /^Restore/ }).first().click();
  await restorer.getByRole("heading", { name: "Restore", exact: true }).waitFor();
});
