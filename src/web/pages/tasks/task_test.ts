import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { memberBrowser } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const open = (): Promise<TestApi> => testApi({ pages: [addWebPages({ publicUrl: null })] });
const HOUR = 3_600_000;

Deno.test("the page of a task says how it is protected, how its runs went, what is stored, and what it does", async () => {
  await using api = await open();
  const client = await api.user();
  const { database, clock } = api;
  const remote_server_id = await newServer(client, { label: "web-1" });
  const script = (await client.call("POST", "/api/scripts", {
    label: "Stop the shop",
    type: "prescript",
    script: "true",
  })).body.data.id;
  const id = await newTask(client, {
    label: "<b>Shop</b>",
    remote_server_id,
    source_path: "/srv/shop",
    excluded_paths: ["*.tmp"],
    description: "What customers\nsee",
    keep_daily: 7,
    maximum_backups_to_keep: 4,
    script_ids: [script],
  });
  const ago = (hours: number) => new Date(clock.now().getTime() - hours * HOUR);
  const took = { started_at: ago(2), finished_at: ago(1), state: "succeeded" };
  const run = await newRun(database, id, ago(2), {
    ...took,
    bytes_read: 9_000_000,
    bytes_written: 2_500_000,
  });
  await newBackup(database, id, ago(1), { run_id: run, size: 2_500_000, verified_at: ago(1) });
  const older = await newBackup(database, id, ago(30), {
    suspicious_at: ago(30),
    suspicion: "It shrank.",
    findings: database.json([{ name: "shrink", message: "It has half the files.", severity: "critical" }]),
  });
  await newRun(database, id, ago(1), { state: "failed", reason: "The disk is <full>." });
  const browser = await memberBrowser(api, client, "manager");
  const { text } = await browser.call("GET", `/tasks/${id}`);
  assert.match(text, /<h1>&lt;b&gt;Shop&lt;\/b&gt;<\/h1>/);
  assert.match(text, /web-1: <bdi>\/srv\/shop<\/bdi>, to disk\. Every day at 01:00\./);
  assert.match(text, /The last run failed: The disk is &lt;full&gt;\./);
  assert.match(text, /the agent of web-1 has never connected/);
  assert.match(text, new RegExp(`href="/servers/${remote_server_id}">Open the server`));
  assert.match(text, /aria-label="Last runs: 1 succeeded, 1 failed"/);
  assert.match(text, /aria-label="Stored of the last 1 run: 2\.5 MB to 2\.5 MB"/);
  assert.match(text, /All 2 backups, <span class="number" title="2,501,000 bytes">2\.5 MB/);
  assert.match(text, new RegExp(`href="/backups/${older}">Backup of`));
  assert.match(text, /It has half the files\./);
  assert.match(text, /What customers\nsee/);
  assert.match(text, /without \*\.tmp/);
  assert.match(text, /<dt>Keeps<\/dt><dd>The newest 4 and 7 daily<\/dd>/);
  assert.match(text, new RegExp(`href="/scripts/${script}">Stop the shop<`));
  assert.match(text, /Nobody is told of failures/);
  assert.match(text, /rearguard tasks run \d+ --follow/);
  assert.equal((await browser.call("GET", "/tasks/999999")).status, 404);

  const viewer = await memberBrowser(api, client, "viewer");
  const seen = (await viewer.call("GET", `/tasks/${id}`)).text;
  assert.doesNotMatch(seen, /\/(run|pause|edit|delete|trigger-token)"|\/restore\?/);
  const restorer = await memberBrowser(api, client, "restorer");
  assert.match((await restorer.call("GET", `/tasks/${id}`)).text, /\/restore\?backup_id=\d+/);
});

Deno.test("a queued run shows what it waits for, and can be cancelled; a paused task can be resumed", async () => {
  await using api = await open();
  const client = await api.user();
  const id = await newTask(client);
  const browser = await memberBrowser(api, client, "operator");
  const press = async (action: string) => {
    await browser.submit(`/tasks/${id}/${action}`, { csrf_token: browser.csrf, next: `/tasks/${id}` });
    return (await browser.call("GET", `/tasks/${id}`)).text;
  };
  const queued = await press("run");
  assert.match(queued, /has never been connected/);
  assert.match(queued, /href="\/runs\/\d+">Open the run/);
  assert.match(queued, /Cancel the run/);
  assert.match(await press("cancel"), /aria-label="Last runs: 1 cancelled"/);
  const paused = await press("pause");
  assert.match(paused, /Paused since .*: no run starts/);
  assert.match(paused, new RegExp(`action="/tasks/${id}/resume"`));
  assert.doesNotMatch(await press("resume"), /Paused since/);
});

Deno.test("a task is deleted alone, or with its backups", async () => {
  await using api = await open();
  const client = await api.user();
  const browser = await memberBrowser(api, client, "manager");
  for (const withBackups of [false, true]) {
    const id = await newTask(client, { label: "Old" });
    const backup = await newBackup(api.database, id, api.clock.now());
    const page = (await browser.call("GET", `/tasks/${id}`)).text;
    assert.match(page, /Its 1 backup \(.*\) stays and can still be restored/);
    const fields = { csrf_token: browser.csrf, next: `/tasks/${id}` };
    const gone = await browser.submit(
      `/tasks/${id}/delete`,
      withBackups ? { ...fields, with_backups: "1" } : fields,
    );
    assert.deepEqual([gone.status, gone.headers.get("location")], [303, "/tasks"]);
    assert.match(
      (await browser.call("GET", "/tasks")).text,
      /The task Old is deleted\. Until .* brought back from the trash\./,
    );
    const { deletes_at } = (await client.call("GET", `/api/backups/${backup}`)).body.data;
    assert.equal(deletes_at !== null, withBackups);
  }
});

Deno.test("a token for other systems is shown once, replaced and deleted", async () => {
  await using api = await open();
  const client = await api.user();
  const id = await newTask(client);
  const browser = await memberBrowser(api, client, "manager");
  const page = `/tasks/${id}`;
  const csrf = { csrf_token: browser.csrf, next: page };
  const made = await browser.submit(`${page}/trigger-token`, csrf);
  assert.equal(made.status, 200);
  const [token] = /rgt_[\w-]+/.exec(made.text)!;
  assert.equal(made.headers.get("cache-control"), "no-store");
  const started = await api.app.request(`/api/backup-tasks/${id}/trigger`, {
    method: "POST",
    headers: { "X-Trigger-Token": token },
  });
  assert.equal(started.status, 202);
  const after = (await browser.call("GET", page)).text;
  assert.ok(!after.includes(token));
  assert.match(after, /Replace the token/);
  const gone = await browser.submit(`${page}/trigger-token/delete`, csrf);
  assert.equal(gone.headers.get("location"), page);
  assert.match((await browser.call("GET", page)).text, /Make a token/);
  await api.clock.advance(601_000);
  const stale = await browser.submit(`${page}/trigger-token`, csrf);
  assert.equal(stale.headers.get("location"), `/login/step-up?next=${encodeURIComponent(page)}`);
});
