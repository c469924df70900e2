import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newDestination, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import type { Browser } from "../../../../tests/support/clients/browser.ts";
import { TASK_FIELDS } from "../../../definitions/task_fields.ts";
import { addWebPages } from "../../pages.ts";
import { changedFields, withOneSchedule } from "./changes.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });
const DAY = 86_400_000;

/** Sends the fields as a form. If the value of a field is a list, sends the field once for each item. */
function submit(browser: Browser, path: string, fields: Record<string, string | string[]>) {
  const pairs = Object.entries({ csrf_token: browser.csrf, ...fields })
    .flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  const type = { "Content-Type": "application/x-www-form-urlencoded" };
  return browser.send("POST", path, new URLSearchParams(pairs).toString(), type);
}

Deno.test("a task is made in steps: each is an address, keeps the answers before it, and creates nothing", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  assert.match((await browser.call("GET", "/tasks/new")).text, /href="\/servers\/new"/);
  const server = await newServer(browser, { label: "<b>web</b>" });
  const destination = await newDestination(browser);
  const steps = (await browser.call("GET", "/tasks/new")).text;
  assert.match(steps, /&lt;b&gt;web&lt;\/b&gt;/);
  const at = (query: Record<string, string | number>) =>
    browser.call(
      "GET",
      `/tasks/new?${new URLSearchParams(Object.entries(query).map(([n, v]) => [n, String(v)]))}`,
    );
  assert.match((await at({ step: "finish" })).text, /Which server has the data\?/, "no step is skipped");
  const chosen = { remote_server_id: server, type: "files" };
  const typed = (await at({ ...chosen, step: "source", at: "/nowhere" })).text;
  assert.match(typed, /You can type the path\./, "no agent is connected");
  assert.match(typed, new RegExp(`name="remote_server_id" value="${server}"`));
  assert.match((await at({ ...chosen, source_path: "/srv" })).text, /Where do backups go\?/);
  const when = { ...chosen, source_path: "/srv", backup_destination_id: destination };
  const schedule = (await at(when)).text;
  assert.match(schedule, /Every day at 02:30 UTC/);
  assert.match(
    (await at({ ...when, step: "schedule", custom_cron_expression: "0 99 * * *" })).text,
    /id="custom_cron_expression-error"/,
  );
  const wrongZone = {
    ...when,
    frequency: "daily",
    time_to_run_at: "02:30",
    timezone: "Mars/Base",
    step: "finish",
  };
  assert.match((await at(wrongZone)).text, /id="timezone-error"/, "a wrong schedule is said in its own step");
  const finish = (await at({ ...when, frequency: "weekly", time_to_run_at: "03:15", weekday: 3 })).text;
  assert.match(finish, /rearguard tasks create [^<]*--source-path \/srv/);
  assert.equal((await browser.call("GET", "/api/backup-tasks")).body.meta.total, 0);

  const fields = {
    ...Object.fromEntries(Object.entries(when).map(([name, value]) => [name, String(value)])),
    frequency: "weekly",
    time_to_run_at: "03:15",
    weekday: "3",
    label: "Wiki",
    "shown_fields[]": ["maximum_backups_to_keep", "encryption_password"],
    encryption_password: "a secret that stays",
    unchecked: "1",
  };
  const refused = await submit(browser, "/tasks/new", { ...fields, maximum_backups_to_keep: "-1" });
  assert.equal(refused.status, 422);
  assert.match(refused.text, /id="maximum_backups_to_keep-error"/);
  assert.match(refused.text, /value="Wiki"/);
  assert.ok(!refused.text.includes("a secret that stays"));
  const made = await submit(browser, "/tasks/new", { ...fields, maximum_backups_to_keep: "9" });
  const id = /^\/tasks\/(\d+)$/.exec(made.headers.get("location")!)![1];
  const { data } = (await browser.call("GET", `/api/backup-tasks/${id}`)).body;
  assert.deepEqual(
    [data.label, data.source_path, data.weekday, data.maximum_backups_to_keep, data.has_encryption_password],
    ["Wiki", "/srv", 3, 9, true],
  );
});

Deno.test("the form of a task has every field, and a save changes only what was changed", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newTask(browser, {
    source_path: "/home",
    encryption_password: "kept",
    excluded_paths: ["*.tmp"],
  });
  const form = (await browser.call("GET", `/tasks/${id}/edit`)).text;
  const shown = [...form.matchAll(/name="shown_fields\[\]" value="(\w+)"/g)].map(([, name]) => name!);
  const absent = Object.keys(TASK_FIELDS).filter((name) =>
    !shown.includes(name) && !/^database_|database/.test(name)
  );
  assert.deepEqual(absent.filter((name) => !["type", "isolated_password"].includes(name)), []);

  const before = (await browser.call("GET", `/api/backup-tasks/${id}`)).body.data;
  const values = shown.flatMap((name) => {
    const value = before[name];
    return value === null || typeof value === "object" || typeof value === "boolean" && !value ||
        value === undefined
      ? []
      : [[name, String(value)] as const];
  });
  const guards = Object.entries(before.guards as Record<string, string>);
  const same = {
    ...Object.fromEntries(values),
    ...Object.fromEntries(guards.map(([name, action]) => [`guards[${name}]`, action])),
    excluded_paths: "*.tmp",
    "shown_fields[]": shown,
  };
  const saved = await submit(browser, `/tasks/${id}/edit`, { ...same, label: "Renamed", description: "New" });
  assert.equal(saved.headers.get("location"), `/tasks/${id}`);
  const after = (await browser.call("GET", `/api/backup-tasks/${id}`)).body.data;
  assert.deepEqual(
    { ...after, label: before.label, description: null, updated_at: before.updated_at },
    before,
  );
  assert.ok(guards.length > 0 && after.has_encryption_password);
  const wrong = await submit(browser, `/tasks/${id}/edit`, {
    ...same,
    time_to_run_at: "late",
    label: "Kept",
  });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /id="time_to_run_at-error"/);
  assert.match(wrong.text, /value="Kept"/);
});

Deno.test("a change that would delete backups says how many, and is saved only after a second yes", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newTask(browser, { maximum_backups_to_keep: 10 });
  for (let day = 1; day <= 5; day++) {
    await newBackup(api.database, id, new Date(api.clock.now().getTime() - day * DAY));
  }
  const fields = { "shown_fields[]": "maximum_backups_to_keep", maximum_backups_to_keep: "2" };
  const asked = await submit(browser, `/tasks/${id}/edit`, fields);
  assert.equal(asked.status, 422);
  assert.match(asked.text, /This change would delete 3 backups/);
  const kept = async () =>
    (await browser.call("GET", `/api/backup-tasks/${id}`)).body.data.maximum_backups_to_keep;
  assert.equal(await kept(), 10);
  assert.equal((await submit(browser, `/tasks/${id}/edit`, { ...fields, confirmed: "1" })).status, 303);
  assert.equal(await kept(), 2);
});

Deno.test("values are compared as forms send them, and a cron expression replaces the other fields", () => {
  const task = { a: 7, b: null, c: ["1"], d: { x: true }, e: "same" };
  assert.deepEqual(changedFields({ a: "7", b: "", c: [1], d: { x: true }, e: "same" }, task), {});
  assert.deepEqual(changedFields({ a: "8", c: [] }, task), { a: "8", c: [] });
  assert.deepEqual(withOneSchedule({ frequency: "daily", custom_cron_expression: "@daily", label: "x" }), {
    label: "x",
    custom_cron_expression: "@daily",
  });
  assert.deepEqual(withOneSchedule({ frequency: "daily" }), { frequency: "daily" });
});
