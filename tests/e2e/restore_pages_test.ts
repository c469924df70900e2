/** Restores chosen files through the pages, without scripts, with a control plane and an agent. */
import assert from "node:assert/strict";
import { createApp } from "../../src/http/app.ts";
import { addWebPages } from "../../src/web/pages.ts";
import type { TestApi } from "../support/clients/api.ts";
import { Browser } from "../support/clients/browser.ts";
import { insertUser } from "../../src/store/access/users.ts";
import { storePassword } from "../../src/store/access/user_passwords.ts";
import {
  type BackedUpTree,
  backUpTree,
  localDestination,
  stageTree,
} from "../support/fixtures/backed_up_tree.ts";
import { PASSWORD } from "../support/fixtures/accounts.ts";

/** Logs in as a restorer of the workspace in which the tree is backed up. */
async function openBrowser({ plane: { services } }: BackedUpTree): Promise<Browser> {
  const { clock, database, passwords } = services;
  const app: TestApi["app"] = createApp({ services, pages: [addWebPages({ publicUrl: null })] });
  const email = "restorer@example.test";
  const { id } = await insertUser(database, { name: "Ada", email, is_admin: false }, clock.now());
  await storePassword(database, id, await passwords.hash(PASSWORD), clock.now());
  const [workspace] = await database<{ id: number }[]>`select workspace_id as id from backup_tasks`;
  await database`
    insert into workspace_members (workspace_id, user_id, role, created_at)
    values (${workspace!.id}, ${id}, 'restorer', ${clock.now()})`;
  const browser = new Browser(app);
  await browser.logIn(email, PASSWORD);
  await browser.call("PUT", "/api/session/workspace", { workspace_id: workspace!.id });
  return browser;
}

/** Returns the hidden fields of the form with this action, as a browser sends them. */
function fieldsOf(page: string, action: string): Record<string, string> {
  const form = page.slice(page.indexOf(`action="${action}"`));
  const inputs = form.slice(0, form.indexOf("</form>"))
    .matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g);
  return Object.fromEntries(
    [...inputs].map(([, name, value], index) => [name!.replace("[]", `[${index}]`), unescaped(value!)]),
  );
}

function unescaped(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/** Returns the checkbox's value for the entry with this name. The value is a number. */
function boxOf(page: string, name: string): string {
  const label = `aria-label="Select ${name}"`;
  return /value="(\d+)"[^>]*$/.exec(page.slice(0, page.indexOf(label)))![1]!;
}

Deno.test("files of several directories are checked, restored elsewhere, and the rest is not", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  await Deno.mkdir(`${at.tree}/etc/conf.d`, { recursive: true });
  for (const name of ["etc/conf.d/a.conf", "etc/conf.d/b.conf", "index.html", "line\nbreak", "left"]) {
    await Deno.writeTextFile(`${at.tree}/${name}`, name);
  }
  const id = await backUpTree(at, await localDestination(at));
  const browser = await openBrowser(at);
  const action = `/backups/${id}/browse`;

  const root = (await browser.call("GET", `/backups/${id}`)).text;
  assert.ok(root.includes("line\\u000abreak"));
  const opened = await browser.submit(action, {
    ...fieldsOf(root, action),
    "check[0]": boxOf(root, "index.html"),
    "check[1]": boxOf(root, "line\\u000abreak"),
    open: boxOf(root, "etc"),
  });
  assert.equal(opened.status, 303);
  const etc = (await browser.call("GET", opened.headers.get("location")!)).text;
  assert.match(etc, /2 items selected elsewhere/);
  const deeper = await browser.submit(action, { ...fieldsOf(etc, action), open: boxOf(etc, "conf.d") });
  const conf = (await browser.call("GET", deeper.headers.get("location")!)).text;
  const chosen = await browser.submit(action, {
    ...fieldsOf(conf, action),
    "check[0]": boxOf(conf, "b.conf"),
    do: "restore",
  });
  const where = chosen.headers.get("location")!;
  assert.match((await browser.call("GET", where)).text, new RegExp(`>${at.tree}/etc/conf.d/b.conf<`));

  const target = `${at.root}/back`;
  const check = await browser.call("GET", `${where}&place=elsewhere&target_path=${target}&step=check`);
  assert.equal(check.status, 200, check.text);
  assert.match(check.text, /Nothing is in the way\./);
  assert.match(check.text, />[^<]*\/back\/index\.html<\/bdi> <span class="muted">does not exist yet/);
  const started = await browser.submit("/restore/start", fieldsOf(check.text, "/restore/start"));
  assert.match(started.headers.get("location") ?? "", /^\/runs\/\d+$/, started.text);
  const log = `/backup-task-logs/${started.headers.get("location")!.slice("/runs/".length)}`;
  for await (const { event } of at.plane.api.events(`${log}/stream`)) if (event === "finished") break;
  const { status, output } = (await at.plane.api.call("GET", log)).body.data;
  assert.equal(status, "successful", output);
  const report = (await browser.call("GET", started.headers.get("location")!)).text;
  assert.match(report, /Files<\/th>[^]*>3<[^]*>3<[^]*All of it/);
  assert.ok(report.includes(`>${target}/etc/conf.d/b.conf<`));
  assert.deepEqual([...Deno.readDirSync(target)].map(({ name }) => name).sort(), [
    "etc",
    "index.html",
    "line\nbreak",
  ]);
  const again = (await browser.call("GET", `${where}&place=elsewhere&target_path=${target}&step=check`)).text;
  assert.match(again, /3 things are in the way\./);
  assert.match(again, /back\/index\.html<\/bdi> is there already/);
  assert.ok(!again.includes('action="/restore/start"'), "what would fail can't be started");
  assert.match(again, /href="[^"]*overwrite=1[^"]*">\s*Replace existing files/);
  assert.deepEqual([...Deno.readDirSync(`${target}/etc/conf.d`)].map(({ name }) => name), ["b.conf"]);
});
