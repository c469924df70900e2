import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { memberBrowser } from "../../../../tests/support/fixtures/accounts.ts";
import { newDestination, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

Deno.test("deleted tasks, scripts, tags and destinations are listed in the trash, and brought back", async () => {
  await using api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const client = await api.user();
  const browser = await memberBrowser(api, client, "manager");
  const csrf = { csrf_token: browser.csrf, next: "/trash" };
  assert.match((await browser.call("GET", "/trash")).text, /Nothing here can be brought back\./);
  const task = await newTask(client, { label: "<b>Old</b>" });
  const tag = (await client.call("POST", "/api/tags", { label: "live" })).body.data.id;
  const script = { label: "Stop", type: "prescript", script: "true" };
  const scriptId = (await client.call("POST", "/api/scripts", script)).body.data.id;
  const destination = await newDestination(client, { label: "Old disk" });
  await browser.submit(`/tasks/${task}/delete`, { ...csrf, next: `/tasks/${task}` });
  const flash = (await browser.call("GET", "/tasks")).text;
  assert.match(
    flash,
    /The task &lt;b&gt;Old&lt;\/b&gt; is deleted\. Until .* it can be brought back from the trash/,
  );
  await browser.submit(`/tags/${tag}/delete`, csrf);
  await browser.submit(`/scripts/${scriptId}/delete`, csrf);
  await client.call("DELETE", `/api/backup-destinations/${destination}`);
  const page = (await browser.call("GET", "/trash")).text;
  for (const label of ["&lt;b&gt;Old&lt;/b&gt;", "live", "Stop", "Old disk"]) {
    assert.ok(page.includes(`<span class="clamp">${label}</span>`), label);
  }
  const viewer = await memberBrowser(api, client, "viewer");
  const seen = (await viewer.call("GET", "/trash")).text;
  assert.match(seen, /Old disk/);
  assert.doesNotMatch(seen, /action="\/trash/);
  for (const [, action] of page.matchAll(/action="(\/trash\/[^"]+\/undelete)"/g)) {
    const back = await browser.submit(action!, csrf);
    assert.deepEqual([back.status, back.headers.get("location")], [303, "/trash"], action);
    assert.match((await browser.call("GET", "/trash")).text, / is back\./);
  }
  assert.equal((await client.call("GET", `/api/backup-tasks/${task}`)).body.data.label, "<b>Old</b>");
  assert.equal((await client.call("GET", `/api/tags/${tag}`)).status, 200);
  assert.equal((await client.call("GET", `/api/scripts/${scriptId}`)).status, 200);
  assert.match((await browser.call("GET", "/trash")).text, /Nothing here can be brought back\./);
  assert.equal((await browser.submit("/trash/users/1/undelete", csrf)).status, 404);
});
