import assert from "node:assert/strict";
import { type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import type { Browser } from "../../../../tests/support/clients/browser.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newBackup, newRun, newTask } from "../../../../tests/support/fixtures/records.ts";
import { pack } from "./selection.ts";
import { addWebPages } from "../../pages.ts";

interface Site extends AsyncDisposable {
  readonly api: TestApi;
  readonly browser: Browser;
}

const HOSTILE = '<script>alert(1)</script>\u202e"';

async function openSite(): Promise<Site> {
  const api = await testApi({ pages: [addWebPages({ publicUrl: null })] });
  const browser = await loggedIn(api, await newAccount(api));
  return { api, browser, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

/** Creates a user who is a member of the browser's workspace. */
async function memberOf(api: TestApi, browser: Browser, role = "manager"): Promise<Browser> {
  const workspace_id = (await browser.call("GET", "/api/session")).body.data.workspace.id;
  const account = await newAccount(api);
  await api.database`
    insert into workspace_members (workspace_id, user_id, role, created_at)
    values (${workspace_id}, ${account.id}, ${role}, ${api.clock.now()})`;
  const member = await loggedIn(api, account);
  await member.call("PUT", "/api/session/workspace", { workspace_id });
  return member;
}

Deno.test("a backup's page says in words what is wrong with it, and what was done with it", async () => {
  await using site = await openSite();
  const { api, browser } = site;
  const task = await newTask(browser as never, { label: "<b>web</b>" });
  const now = api.clock.now();
  const id = await newBackup(api.database, task, now, {
    damaged_at: now,
    damage_reason: `The index is ${HOSTILE}.`,
    suspicious_at: now,
    suspicion: "It shrank.",
    unreadable_count: 2,
    held_at: now,
    hold_reason: HOSTILE,
    source: { type: "files", kind: "directory", path: `/srv/${HOSTILE}` },
  });
  await newRun(api.database, task, now, {
    kind: "verify",
    backup_id: id,
    state: "failed",
    reason: "It is gone.",
  });
  const { status, text } = await browser.call("GET", `/backups/${id}`);
  assert.equal(status, 200);
  assert.ok(!text.includes("<script>alert"));
  assert.ok(
    text.includes("/srv/&lt;script&gt;alert(1)&lt;/script&gt;\\u202e&quot;"),
    "hidden characters are visible",
  );
  for (
    const words of [/Damaged, found/, /Suspicious: It shrank\./, /2 files could not be read/, /It is gone\./]
  ) {
    assert.match(text, words);
  }
  assert.match(text, /href="\/restore\?backup_id=/);
  assert.ok(!text.includes(`action="/backups/${id}/delete"`), "a held backup is not deleted");
  assert.equal((await browser.call("GET", "/backups/987654")).status, 404);
});

Deno.test("a backup is held, released, deleted and taken out of the trash by forms", async () => {
  await using site = await openSite();
  const { api, browser } = site;
  const id = await newBackup(api.database, await newTask(browser as never), api.clock.now());
  const other = await newBackup(api.database, await newTask(browser as never), api.clock.now());
  const press = async (id: number, verb: string, fields: Record<string, string> = {}) => {
    const page = `/backups/${id}`;
    const sent = { csrf_token: browser.csrf, next: page, ...fields };
    const answer = await browser.submit(`${page}/${verb}`, sent);
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, page], verb);
    return (await browser.call("GET", page)).text;
  };
  assert.match(await press(id, "hold", { reason: "Before the move" }), /Before the move/);
  assert.match(await press(id, "delete"), /role="alert">.*The backup is held/s);
  assert.match(await press(id, "release"), /, released: ends/);
  const trashed = await press(other, "delete");
  assert.match(trashed, /In the trash\. Until/);
  assert.match(trashed, /Take the backup out of the trash to see its contents/);
  assert.doesNotMatch(await press(other, "undelete"), /In the trash\. Until/);
  await api.clock.advance(601_000);
  const late = await browser.submit(`/backups/${other}/delete`, {
    csrf_token: browser.csrf,
    next: `/backups/${other}`,
  });
  assert.match(late.headers.get("location") ?? "", /^\/login\/step-up\?next=/, "the log-in is old");
});

Deno.test("a viewer sees a backup without its buttons, an operator verifies it, a restorer restores", async () => {
  await using site = await openSite();
  const { api, browser } = site;
  const id = await newBackup(api.database, await newTask(browser as never), api.clock.now());
  const buttons = async (role: string) => {
    const member = await memberOf(api, browser, role);
    const { text } = await member.call("GET", `/backups/${id}`);
    return ["/verify", "/hold", "/delete"].map((verb) => text.includes(`action="/backups/${id}${verb}"`))
      .concat(text.includes(`href="/restore?backup_id=${id}"`));
  };
  assert.deepEqual(await buttons("viewer"), [false, false, false, false]);
  assert.deepEqual(await buttons("operator"), [true, false, false, false]);
  assert.deepEqual(await buttons("restorer"), [false, false, false, true]);
  assert.deepEqual(await buttons("manager"), [true, true, true, true]);
});

Deno.test("the buttons of a directory lead to pages that keep what is checked", async () => {
  await using site = await openSite();
  const { api, browser } = site;
  const id = await newBackup(api.database, await newTask(browser), api.clock.now());
  const press = async (fields: Record<string, string>) => {
    const sent = {
      csrf_token: browser.csrf,
      place: "backup",
      page: "2",
      at: pack(["html/img"]),
      shown: pack(["html/img/1.jpg", "html/img/2.jpg", "html/img/raw"]),
      chosen: pack(["etc", "html/img/1.jpg"]),
      name: "jpg",
      "check[0]": "1",
      ...fields,
    };
    const location = (await browser.submit(`/backups/${id}/browse`, sent)).headers.get("location")!;
    const { pathname, searchParams } = new URL(location, "http://localhost");
    return [
      pathname.replace(String(id), "ID"),
      Object.fromEntries(searchParams),
      searchParams.getAll("paths[]"),
    ];
  };
  const chosen = ["etc", "html/img/2.jpg"];
  const last = { "paths[]": "html/img/2.jpg" };
  assert.deepEqual(await press({ open: "2" }), ["/backups/ID", { path: "html/img/raw", ...last }, chosen]);
  assert.deepEqual(await press({ up: "1" }), ["/backups/ID", { path: "html", ...last }, chosen]);
  assert.deepEqual(await press({ up: "0" }), ["/backups/ID", last, chosen]);
  const here = { path: "html/img", name: "jpg" };
  assert.deepEqual(await press({ to_page: "3" }), ["/backups/ID", { ...here, page: "3", ...last }, chosen]);
  assert.deepEqual(await press({ do: "filter" }), ["/backups/ID", { ...here, ...last }, chosen]);
  assert.deepEqual((await press({ drop: "0" }))[2], ["html/img/2.jpg"]);
  assert.deepEqual(await press({ do: "clear" }), ["/backups/ID", { ...here, page: "2" }, []]);
  assert.deepEqual(await press({ do: "restore" }), ["/restore", { backup_id: String(id), ...last }, chosen]);
  const inRestore = await press({ place: "restore", open: "2" });
  assert.deepEqual(inRestore[0], "/restore");
  const none = await press({ do: "restore", chosen: "", "check[0]": "9" });
  assert.deepEqual([none[0], none[2]], ["/backups/ID", []]);
  assert.match((await browser.call("GET", `/backups/${id}`)).text, /Nothing is selected/);
  const many = pack(Array.from({ length: 1001 }, (_, index) => `etc/${index}`));
  await press({ chosen: many });
  assert.match((await browser.call("GET", `/backups/${id}`)).text, /too many to select one by one/);
  assert.equal(
    (await browser.call("GET", `/backups/${id}/browse`)).headers.get("location"),
    `/backups/${id}`,
  );
});
