import assert from "node:assert/strict";
import type { Browser } from "../../../../tests/support/clients/browser.ts";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { memberBrowser } from "../../../../tests/support/fixtures/accounts.ts";
import {
  newBackup,
  newDestination,
  newRun,
  newServer,
  newTask,
} from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const open = (): Promise<TestApi> => testApi({ pages: [addWebPages({ publicUrl: null })] });

async function text(browser: Browser, path: string): Promise<string> {
  const answer = await browser.call("GET", path);
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

/** Returns the labels of the listed tasks, in their order. */
function labels(page: string): string[] {
  return [...page.matchAll(/<a href="\/tasks\/\d+" title="([^"]*)"/g)].map(([, label]) => label!);
}

Deno.test("the list of tasks is filtered, searched and sorted by its address, the worst first", async () => {
  await using api = await open();
  const client = await api.user();
  const { database, clock } = api;
  const server = await newServer(client, { label: "web-1" });
  const tag = (await client.call("POST", "/api/tags", { label: "live", colour: "#ff0000" })).body.data.id;
  const good = await newTask(client, { label: "Good", remote_server_id: server, tag_ids: [tag] });
  await newBackup(database, good, clock.now(), { size: 1_500_000 });
  const paused = await newTask(client, { label: "Paused one", type: "database", database_name: "shop" });
  await client.call("POST", `/api/backup-tasks/${paused}/pause`);
  await newTask(client, { label: "Never", source_path: "/srv/<b>x</b>" });
  const failing = await newTask(client, { label: "Failing one" });
  await newBackup(database, failing, clock.now());
  await newRun(database, failing, clock.now(), { state: "failed", reason: "The disk is full." });
  const browser = await memberBrowser(api, client, "manager");

  const all = await text(browser, "/tasks");
  assert.deepEqual(labels(all), ["Never", "Failing one", "Paused one", "Good"]);
  assert.match(all, /The last run failed: The disk is full\./);
  assert.match(all, /aria-label="Last runs: 1 failed"/);
  assert.match(all, /1\.5 MB/);
  assert.match(all, /Every day at 01:00</, "the user's own time zone is left out");
  assert.match(all, /\/srv\/&lt;b&gt;x&lt;\/b&gt;/);
  assert.match(all, /Databases: shop/);
  assert.match(all, /fill="#ff0000"/);
  assert.match(all, /All <span class="muted number">4<\/span>/);
  assert.match(all, /No backup <span class="muted number">1<\/span>/);
  assert.match(all, new RegExp(`action="/tasks/${paused}/resume"`));
  for (
    const [query, expected] of [
      ["protection=failing", ["Failing one"]],
      [`remote_server_id=${server}`, ["Good"]],
      [`tag_id=${tag}`, ["Good"]],
      ["type=database", ["Paused one"]],
      ["search=one&sort=label", ["Failing one", "Paused one"]],
      ["search=one&sort=-label", ["Paused one", "Failing one"]],
    ] as const
  ) assert.deepEqual(labels(await text(browser, `/tasks?${query}`)), expected, query);

  const kept = await text(browser, "/tasks?protection=failing&sort=label&search=one");
  assert.match(kept, /<input type="hidden" name="protection" value="failing"/);
  assert.match(kept, /name="search" type="search" value="one"/);
  assert.match(kept, /href="\/tasks\?protection=failing&amp;sort=-label&amp;search=one"/);
  const none = await text(browser, "/tasks?search=nothing");
  assert.match(none, /No task matches\./);
});

Deno.test("a workspace without tasks says what to do next", async () => {
  await using api = await open();
  const client = await api.user();
  const manager = await memberBrowser(api, client, "manager");
  assert.match(await text(manager, "/tasks"), /href="\/servers\/new"/);
  await newServer(client);
  await newDestination(client);
  assert.match(await text(manager, "/tasks"), /href="\/tasks\/new"/);
  const viewer = await text(await memberBrowser(api, client, "viewer"), "/tasks");
  assert.doesNotMatch(viewer, /\/tasks\/new/);
});

Deno.test("the buttons of a task run, cancel, pause and resume it, for those who may", async () => {
  await using api = await open();
  const client = await api.user();
  const id = await newTask(client, { label: "Home" });
  const browser = await memberBrowser(api, client, "operator");
  const csrf_token = browser.csrf;
  const next = "/tasks?search=Home";
  const press = async (action: string, fields: Record<string, string> = {}) => {
    const answer = await browser.submit(`/tasks/${id}/${action}`, { csrf_token, next, ...fields });
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, next]);
    return await text(browser, next);
  };
  assert.match(await press("run"), /role="status">.*The run is queued\./);
  const running = await text(browser, "/tasks?status=running");
  assert.deepEqual(labels(running), ["Home"]);
  assert.match(running, /Running <span class="muted number">1<\/span>/);
  assert.doesNotMatch(running, new RegExp(`action="/tasks/${id}/run"`));
  assert.match(await press("run"), /role="alert">.*already/);
  assert.match(await press("cancel"), /is being cancelled/);
  assert.match(await press("pause"), /The task is paused\./);
  assert.match(await press("run"), /role="alert">.*paused/);
  assert.match(await press("resume"), /The task is resumed/);
  assert.match(await press("run", { csrf_token: "forged" }), /role="alert">/);
  assert.deepEqual(labels(await text(browser, "/tasks?status=running")), []);

  const viewer = await memberBrowser(api, client, "viewer");
  const shown = await text(viewer, "/tasks");
  assert.deepEqual(labels(shown), ["Home"]);
  assert.doesNotMatch(shown, /\/run"/);
  await viewer.submit(`/tasks/${id}/run`, { csrf_token: viewer.csrf, next });
  assert.match(await text(viewer, next), /role="alert">/);
});

Deno.test("selected tasks are run, paused, tagged and deleted at once, and each refusal is explained", async () => {
  await using api = await open();
  const client = await api.user();
  const tag = (await client.call("POST", "/api/tags", { label: "live" })).body.data.id;
  const [first, second] = [
    await newTask(client, { label: "First" }),
    await newTask(client, { label: "<i>Second" }),
  ];
  const browser = await memberBrowser(api, client, "manager");
  const next = "/tasks?sort=label";
  const submit = (fields: Record<string, string>, ...ids: number[]) =>
    browser.send(
      "POST",
      "/tasks/bulk",
      new URLSearchParams([
        ...Object.entries({ csrf_token: browser.csrf, next, ...fields }),
        ...ids.map((id) => ["ids[]", String(id)]),
      ]).toString(),
      { "Content-Type": "application/x-www-form-urlencoded" },
    );
  const page = await text(browser, next);
  assert.match(page, new RegExp(`<input type="checkbox" name="ids\\[\\]" value="${first}" form="bulk"`));
  assert.match(page, /data-check-all="true" aria-label="Select all tasks of this page"/);

  assert.equal((await submit({ action: "pause" })).headers.get("location"), next);
  assert.match(await text(browser, next), /role="alert">.*Select the tasks first\./);
  assert.equal((await submit({ action: "pause" }, first)).headers.get("location"), next);
  assert.match(await text(browser, next), /Paused 1 task\./);

  const mixed = await submit({ action: "run" }, first, second);
  assert.equal(mixed.status, 200);
  assert.match(mixed.text, /Runs of 1 task are queued\./);
  assert.match(mixed.text, /First<\/a>.*The backup task is paused\./s);
  const back = new RegExp(`href="(/tasks\\?sort=label&amp;selected=${first})"`).exec(mixed.text)![1]!;
  const selected = await text(browser, back.replace("&amp;", "&"));
  assert.match(selected, new RegExp(`value="${first}" form="bulk" aria-label="Select First" checked=`));
  assert.match(selected, new RegExp(`value="${second}" form="bulk" aria-label="Select &lt;i&gt;Second"/>`));

  await submit({ action: "resume" }, first);
  await submit({ action: "add-tag", bulk_tag: String(tag) }, first, second);
  assert.match(await text(browser, next), /Tagged 2 tasks\./);
  assert.equal(labels(await text(browser, `/tasks?tag_id=${tag}`)).length, 2);
  await submit({ action: "delete" }, first);
  assert.match(await text(browser, next), /Deleted 1 task\. They can/);
  assert.deepEqual(labels(await text(browser, next)), ["&lt;i&gt;Second"]);

  await api.clock.advance(601_000);
  const stale = await submit({ action: "delete" }, second);
  const step = "/login/step-up?next=" + encodeURIComponent(`${next}&selected=${second}`);
  assert.equal(stale.headers.get("location"), step, "the selection outlives the log-in");
  const operator = await text(await memberBrowser(api, client, "operator"), next);
  assert.match(operator, /name="action" value="pause"/);
  assert.doesNotMatch(operator, /value="delete"|value="add-tag"/);
  const viewer = await text(await memberBrowser(api, client, "viewer"), next);
  assert.doesNotMatch(viewer, /type="checkbox"/);
});
