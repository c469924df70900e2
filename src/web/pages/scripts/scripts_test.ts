import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { memberBrowser } from "../../../../tests/support/fixtures/accounts.ts";
import { newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const FIELDS = {
  label: "Stop <b>",
  type: "after_success",
  script: "#!/bin/sh\necho '</textarea><script>'\n",
  timeout_seconds: "60",
  run_as: "",
  on_failure: "warn",
};

Deno.test("scripts are created, changed and deleted by forms, which keep what was typed", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const client = await api.user();
  const browser = await memberBrowser(api, client, "manager");
  const csrf = { csrf_token: browser.csrf, next: "/scripts" };
  assert.match((await browser.call("GET", "/scripts")).text, /href="\/scripts\/new"/);
  assert.match((await browser.call("GET", "/scripts/new")).text, /#!\/bin\/sh/);
  const bad = await browser.submit("/scripts/new", { ...csrf, ...FIELDS, timeout_seconds: "0" });
  assert.equal(bad.status, 422);
  assert.match(bad.text, /id="timeout_seconds-error"/);
  assert.match(bad.text, /echo &#39;&lt;\/textarea&gt;&lt;script&gt;&#39;/);
  assert.match(bad.text, /<option value="after_success" selected="">After a stored backup/);
  const made = await browser.submit("/scripts/new", { ...csrf, ...FIELDS });
  assert.equal(made.headers.get("location"), "/scripts");
  const [script] = (await client.call("GET", "/api/scripts")).body.data;
  assert.equal(script.script, FIELDS.script);
  assert.deepEqual([script.run_as, script.timeout_seconds], [null, 60]);
  const page = `/scripts/${script.id}`;
  assert.match((await browser.call("GET", "/scripts")).text, new RegExp(`href="${page}">Stop &lt;b&gt;<`));

  const task = await newTask(client, { script_ids: [script.id] });
  assert.match((await browser.call("GET", page)).text, /Used by 1 task\./);
  await browser.submit(`${page}/delete`, { ...csrf, next: page });
  assert.match((await browser.call("GET", page)).text, /role="alert">.*Home/s);
  const saved = await browser.submit(page, { ...csrf, ...FIELDS, label: "Start" });
  assert.equal(saved.headers.get("location"), page);
  assert.equal((await client.call("GET", `/api${page}`)).body.data.label, "Start");

  const viewer = (await (await memberBrowser(api, client, "viewer")).call("GET", page)).text;
  assert.match(viewer, /<pre class="notice">#!\/bin\/sh/);
  assert.doesNotMatch(viewer, /action="\/scripts/);
  await client.call("PUT", `/api/backup-tasks/${task}`, { script_ids: [] });
  assert.equal((await browser.submit(`${page}/delete`, csrf)).headers.get("location"), "/scripts");
  assert.equal((await client.call("GET", `/api${page}`)).status, 404);

  await api.clock.advance(601_000);
  const stale = await browser.submit("/scripts/new", { ...csrf, ...FIELDS, label: "Typed at night" });
  assert.equal(stale.status, 422);
  assert.match(stale.text, /value="Typed at night"/);
  assert.match(stale.text, /Log in again in a new tab/);
});
