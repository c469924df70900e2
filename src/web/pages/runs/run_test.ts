import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import type { Browser } from "../../../../tests/support/clients/browser.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import {
  newBackup,
  newDestination,
  newOutput,
  newRun,
  newServer,
  newTask,
} from "../../../../tests/support/fixtures/records.ts";
import { addWebPages } from "../../pages.ts";

const TIME = "2026-01-05T12:00:00.000Z";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

async function show(browser: Browser, id: number, query = ""): Promise<string> {
  const { status, text } = await browser.call("GET", `/runs/${id}${query}`);
  assert.equal(status, 200, text);
  return text;
}

/** Sends a form of the run's page: the form whose action ends in `name`. */
async function press(browser: Browser, id: number, name: string) {
  return await browser.submit(`/runs/${id}/${name}`, { csrf_token: browser.csrf, next: `/runs/${id}` });
}

/** Logs in a new user who has this role in the owner's workspace. */
async function withRole(api: TestApi, owner: Browser, role: string): Promise<Browser> {
  const account = await newAccount(api);
  const { workspace } = (await owner.call("GET", "/api/session")).body.data;
  const added = await owner.call("POST", `/api/workspaces/${workspace.id}/members`, {
    email: account.email,
    role,
  });
  assert.equal(added.status, 201, added.text);
  const browser = await loggedIn(api, account);
  await browser.call("PUT", "/api/session/workspace", { workspace_id: workspace.id });
  return browser;
}

Deno.test("the page of a failed run says why, shows its log as text, and runs it again", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const task = await newTask(browser, { label: "<i>Shop</i>" });
  const id = await newRun(api.database, task, api.clock.now(), {
    state: "failed",
    reason: "The disk <b>is</b> gone.",
    warnings_count: 2,
  });
  await newOutput(
    api.database,
    id,
    1,
    `${TIME} <script>x</script> \x1b[31m \u202e\n${TIME} Warning: etc/<u>: Permission denied\n`,
  );
  const page = await show(browser, id);
  assert.match(page, /<h1>Backup of &lt;i&gt;Shop&lt;\/i&gt;<\/h1>/);
  assert.match(page, /The disk &lt;b&gt;is&lt;\/b&gt; gone\./);
  assert.match(page, new RegExp(`href="/tasks/${task}/edit">Edit the task`));
  assert.match(page, /12:00:00 &lt;script&gt;x&lt;\/script&gt; \\x1b\[31m \\u\{202e\}\n/);
  assert.match(
    page,
    /<span class="log-warning">12:00:00 Warning: etc\/&lt;u&gt;: Permission denied\n<\/span>/,
  );
  assert.match(page, /<h2 id="warnings">2 warnings<\/h2>/);
  assert.match(page, new RegExp(`href="/api/backup-task-logs/${id}/warnings" download`));
  assert.ok(!/<script>|http-equiv="refresh"|[?&]log=/.test(page), "a run that is over is not followed");

  const again = await press(browser, id, "again");
  const [{ id: next }] = (await browser.call("GET", "/api/backup-task-logs?sort=-id")).body.data;
  assert.deepEqual([again.status, again.headers.get("location")], [303, `/runs/${next}`]);
  assert.equal((await browser.call("GET", `/runs/${next}`)).status, 200);
  assert.equal((await press(browser, id, "again")).headers.get("location"), `/runs/${id}`);
  assert.match((await browser.call("GET", `/runs/${id}`)).text, /role="alert">.*queued/s);
  assert.equal((await press(browser, id, "delete")).headers.get("location"), "/runs");
  const gone = await browser.call("GET", `/runs/${id}`);
  assert.deepEqual([gone.status, gone.text.includes("Not found")], [404, true]);
});

Deno.test("the page of a waiting run says what it waits for, and cancels it", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const server = await newServer(browser, { label: "web-1" });
  const task = await newTask(browser, { remote_server_id: server });
  const id = await newRun(api.database, task, api.clock.now(), { state: "queued" });
  const page = await show(browser, id);
  assert.match(page, /<strong>Why is this waiting\?<\/strong> The agent of server web-1 has never been/);
  assert.match(page, /It fails with the reason that no agent accepted it\./);
  assert.match(page, /<li class="done" aria-current="step">.*?<span>Queued<\/span>/s);
  assert.match(page, /The run has not started\./);
  assert.match(page, /<noscript><meta http-equiv="refresh" content="5"/);
  assert.match(page, new RegExp(`hx-sse:connect="/live\\?log=${id}&amp;after=0"`));
  const cancelled = await press(browser, id, "cancel");
  assert.deepEqual([cancelled.status, cancelled.headers.get("location")], [303, `/runs/${id}`]);
  const after = await show(browser, id);
  assert.match(after, /is being cancelled/);
  assert.match(after, /Run again/);
});

Deno.test("the page of a running run shows its progress, and follows the log after its last line", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const now = api.clock.now();
  const id = await newRun(api.database, await newTask(browser), now, {
    state: "running",
    bytes_read: 25_000_000,
    bytes_per_second: 1_000_000,
    eta_seconds: 75,
    files_count: 1234,
    phase: "backup",
  });
  await newOutput(api.database, id, 7, `${TIME} one\n`);
  const page = await show(browser, id);
  assert.match(page, /aria-label="25 % done"/);
  assert.match(page, /1,234 files/);
  assert.match(page, /about <span class="number">75 s<\/span> left/);
  assert.match(page, new RegExp(`hx-sse:connect="/live\\?log=${id}&amp;after=7"`));
  const { text } = await browser.call("GET", `/runs/${id}`, undefined, { "HX-Request": "true" });
  assert.match(text, /id="run"/);
  assert.ok(!text.includes('id="log"'), "renewing the state does not read the log again");
});

Deno.test("the page of a run with scripts shows each phase, with its time and duration", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const now = api.clock.now();
  const at = (seconds: number) => new Date(now.getTime() + 1000 * seconds);
  const phases = [
    { phase: "prescript", started_at: at(5) },
    { phase: "backup", started_at: at(65) },
    { phase: "postscript", started_at: at(95) },
  ];
  const id = await newRun(api.database, await newTask(browser), now, {
    started_at: at(5),
    finished_at: at(102),
    phases: api.database.json(phases as never),
  });
  const list = (await show(browser, id)).match(/<ol class="phases".*?<\/ol>/s)![0];
  const shown = list.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ").trim();
  assert.equal(
    shown,
    "Queued 5 Jan 2026, 12:00:00 UTC , waited 5 s Scripts before the backup 5 Jan 2026, 12:00:05 UTC , took 1 min " +
      "Backup 5 Jan 2026, 12:01:05 UTC , took 30 s Last scripts 5 Jan 2026, 12:01:35 UTC , took 7 s " +
      "Finished 5 Jan 2026, 12:01:42 UTC",
  );
  const { data } = (await browser.call("GET", `/api/backup-task-logs/${id}?output=none`)).body;
  assert.deepEqual(data.phases[1], { phase: "backup", started_at: "2026-01-05T12:01:05Z" });
});

Deno.test("without scripts, the lines of a log are read page by page, searched and filtered", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const id = await newRun(api.database, await newTask(browser), api.clock.now());
  for (let sequence = 1; sequence <= 12; sequence++) {
    const text = Array.from({ length: 100 }, (_, index) => `${TIME} ${sequence}-${index}\n`).join("");
    await newOutput(api.database, id, sequence, text);
  }
  await newOutput(api.database, id, 13, `${TIME} Warning: last\n`);
  const linesOf = (page: string) => page.match(/(?<=12:00:00 )(\d+-\d+|Warning: last)/g) ?? [];
  const linkOf = (page: string, label: string) =>
    new RegExp(`href="([^"]*)">(?:<svg[^>]*><path[^>]*></path></svg> )?${label}<`)
      .exec(page)?.[1]?.replaceAll("&amp;", "&");
  const last = await show(browser, id);
  assert.deepEqual([linesOf(last).length, linesOf(last).at(-1)], [501, "Warning: last"]);
  const older = linkOf(last, "Older lines")!;
  assert.equal(older, `/runs/${id}?log_before=8#log`);
  const before = (await browser.call("GET", older)).text;
  assert.deepEqual([linesOf(before)[0], linesOf(before).at(-1)], ["3-0", "7-99"]);
  const newer = (await browser.call("GET", linkOf(before, "Newer lines")!)).text;
  assert.equal(linesOf(newer)[0], "8-0");
  const first = (await browser.call("GET", linkOf(before, "First lines")!)).text;
  assert.equal(linesOf(first)[0], "1-0");
  assert.equal(linkOf(first, "Last lines"), `/runs/${id}#log`);
  const found = await show(browser, id, "?log_search=-99");
  assert.deepEqual([linesOf(found).length, linesOf(found)[0]], [12, "1-99"]);
  assert.match(found, /id="log_search" name="log_search" type="search" value="-99"/);
  assert.deepEqual(linesOf(await show(browser, id, "?log_only=warning")), ["Warning: last"]);
  assert.match(await show(browser, id, "?log_search=%3Cb%3E"), /No line of the log fits\./);
  await show(browser, id, "?log_before=x&log_after=&log_only=y");
});

Deno.test("the runs of other kinds are named, and repeated with their backup", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const destination = await newDestination(browser);
  const task = await newTask(browser, { label: "Shop", backup_destination_id: destination });
  const now = api.clock.now();
  const backup_id = await newBackup(api.database, task, now);
  const kinds = { restore: "Restore", verify: "Verification", drill: "Drill" };
  for (const [kind, name] of Object.entries(kinds)) {
    const id = await newRun(api.database, task, now, { kind, backup_id });
    const page = await show(browser, id);
    assert.match(page, new RegExp(`<h1>${name} of Shop</h1>`));
    assert.match(page, new RegExp(`href="/backups/${backup_id}">Backup ${backup_id}<`));
    if (kind === "restore") {
      assert.match(page, new RegExp(`href="/restore\\?backup_id=${backup_id}">Restore again`));
      continue;
    }
    const location = (await press(browser, id, "again")).headers.get("location")!;
    assert.match(location, /^\/runs\/\d+$/);
    const [next] = (await browser.call("GET", "/api/backup-task-logs?sort=-id")).body.data;
    assert.deepEqual([next.kind, next.backup_id, `/runs/${next.id}`], [kind, backup_id, location]);
    await api.database`delete from runs where id = ${next.id}`;
  }
});

Deno.test("a verification and a drill show what they compared, with a link to the evidence", async () => {
  await using api = await open();
  const browser = await loggedIn(api, await newAccount(api));
  const task = await newTask(browser);
  const now = api.clock.now();
  const check = async (kind: string, compared: object) => {
    const id = await newRun(api.database, task, now, { kind, attempt: 1 });
    const verdict = api.database.json({ outcome: "succeeded", warnings_count: 0, ...compared });
    const attempt = {
      run_id: id,
      attempt: 1,
      leased_at: now,
      verdict_at: now,
      verdict,
      verdict_applied: true,
    };
    await api.database`insert into run_attempts ${api.database(attempt)}`;
    return id;
  };
  const verified = {
    files_count: 1200,
    is_opened: false,
    objects_count: 3,
    bytes_read: 4096,
    duration_ms: 900,
  };
  const verification = await check("verify", { verified });
  const page = await show(browser, verification);
  assert.match(page, /<h2 id="evidence">Verified<\/h2>/);
  assert.match(page, new RegExp(`href="/verification/${verification}"`));
  assert.match(page, /the control plane has no key/);
  assert.match(page, />1,200</);
  assert.match(page, /3 objects, size and SHA-256/);
  const databases = [{ name: "<b>shop</b>", tables_count: 3, rows_count: 12_345 }];
  const proven = { files_count: null, databases, bytes_read: 512, restore_ms: 7000, duration_ms: 9500 };
  const drill = await show(browser, await check("drill", { proven }));
  assert.match(drill, /<h2 id="evidence">Proven restorable<\/h2>/);
  assert.match(drill, /&lt;b&gt;shop&lt;\/b&gt;<\/dt><dd>3 tables, 12,345 rows/);
  assert.match(drill, /The restore took<\/dt><dd><span class="number">7 s/);
  assert.ok(!/no key/.test(drill));
});

Deno.test("a viewer reads a run, and has no buttons to change it", async () => {
  await using api = await open();
  const owner = await loggedIn(api, await newAccount(api));
  const task = await newTask(owner);
  const failed = await newRun(api.database, task, api.clock.now(), { state: "failed", reason: "No." });
  const queued = await newRun(api.database, task, api.clock.now(), { state: "queued" });
  const viewer = await withRole(api, owner, "viewer");
  for (const id of [failed, queued]) {
    const page = await show(viewer, id);
    assert.ok(!new RegExp(`action="/runs/${id}/|/edit`).test(page));
    assert.match(page, /Download as text/);
  }
  const refused = await press(viewer, queued, "cancel");
  assert.equal(refused.status, 303);
  assert.match((await viewer.call("GET", `/runs/${queued}`)).text, /role="alert"/);
  const operator = await withRole(api, owner, "operator");
  assert.match(await show(operator, queued), new RegExp(`action="/runs/${queued}/cancel"`));
});
