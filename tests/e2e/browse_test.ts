/** Lists the contents of backups through the API, a control plane and an agent. */
import assert from "node:assert/strict";
import { backUpTree, localDestination, stageTree } from "../support/fixtures/backed_up_tree.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { type DestinationFixture, destinationFixtures } from "../support/fixtures/destinations.ts";
import { newStream } from "../support/fixtures/notified.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import { growTree } from "../support/fixtures/tree.ts";

const PASSPHRASE = `päss "wörd" \\ $(id)`;

Deno.test("a backup is browsed at every type of destination", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api } = at.plane;
  await growTree(at.tree);
  await Deno.writeTextFile(`${at.tree}/plain/known`, "known\n", { mode: 0o640 });
  await Deno.utime(`${at.tree}/plain/known`, 1000.5, 1000.5);
  const fixtures = new Map<string, DestinationFixture>();
  for (const type of Object.keys(destinationFixtures)) {
    fixtures.set(type, stack.use(await destinationFixtures[type]!()));
  }
  const secrets = [PASSPHRASE, ...[...fixtures.values()].flatMap((fixture) => fixture.secrets)];
  using secrecy = new Secrecy(at.plane, secrets);
  for (const [type, fixture] of fixtures) {
    await t.step(type, async () => {
      const destinationId = await api.create("/backup-destinations", { label: type, ...fixture.fields });
      const id = await backUpTree(at, destinationId, {
        store_path: fixture.storePath("trees"),
        encryption_password: type === "s3" ? PASSPHRASE : null,
      });
      const files = async (query: string) => await api.call("GET", `/backups/${id}/files?${query}`);
      const { status, body } = await files("path=plain");
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(body.data.map(({ name }: { name: string }) => name), [
        "deep",
        "hello.txt",
        "known",
        "noise.bin",
        "nothing",
        "text",
      ]);
      const known = body.data[2];
      assert.deepEqual(known, {
        path: "plain/known",
        name: "known",
        type: "file",
        size: 6,
        mode: "0640",
        uid: Deno.uid(),
        gid: Deno.gid(),
        modified_at: "1970-01-01T00:16:40Z",
        link_target: null,
      });
      const itself = await files("path=/plain/known");
      assert.deepEqual([itself.body.data, itself.body.meta.total], [[known], 1]);
      assert.deepEqual(await files("path=plain/nowhere").then(({ status, body }) => [status, body.message]), [
        404,
        "Path not found",
      ]);
      assert.equal((await files("path=../up")).status, 422);
      const task = (await api.call("GET", `/backups/${id}`)).body.data.backup_task_id;
      const found = await api.call("GET", `/backup-tasks/${task}/files?search=KNOWN`);
      assert.equal(found.status, 200, JSON.stringify(found.body));
      const { data: [hit, ...more], ...rest } = found.body;
      assert.deepEqual([more, rest], [[], {
        truncated: false,
        searched_count: 1,
        not_searched: [],
        older_count: 0,
        unlisted_count: 0,
      }]);
      assert.deepEqual([hit.path, hit.name], ["plain/known", "known"]);
      const [{ backups: [inBackup, ...others], ...version }] = hit.versions;
      assert.deepEqual(version, { type: "file", size: 6, modified_at: "1970-01-01T00:16:40Z" });
      assert.deepEqual([inBackup.id, others], [id, []]);
    });
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});

Deno.test("the root is paged with exact totals, and names of any bytes are shown and found again", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api } = at.plane;
  await growTree(at.tree);
  await shell(
    `cd "$1"; mkdir -p "$(printf 'odd \\303dir')"; echo x > "$(printf 'odd \\303dir/in')"`,
    at.tree,
  );
  const id = await backUpTree(at, await localDestination(at));
  const count = [...Deno.readDirSync(at.tree)].length;
  const seen: Record<string, string>[] = [];
  for (let page = 1, last = 1; page <= last; page++) {
    const { body } = await api.call("GET", `/backups/${id}/files?per_page=7&page=${page}`);
    assert.equal(body.meta.total, count);
    last = body.meta.last_page;
    seen.push(...body.data);
  }
  assert.equal(seen.length, count);
  const types = seen.map(({ type }) => type === "directory");
  assert.equal(types.lastIndexOf(true), types.indexOf(false) - 1, "directories come first");
  const named = (path: string) => seen.find((entry) => entry.path === path);
  assert.equal(named("not utf8 \\377\\376")?.type, "file");
  assert.equal(named("new\nline")?.type, "file");
  assert.equal(named("back\\slash\\n")?.type, "file");
  assert.equal(named("link")?.link_target, "plain/hello.txt");
  assert.deepEqual([named("setuid")?.mode, named("sticky")?.mode], ["4755", "1777"]);
  const odd = new URLSearchParams({ path: "odd \\303dir" });
  const inside = await api.call("GET", `/backups/${id}/files?${odd}`);
  assert.deepEqual(inside.body.data.map(({ path }: { path: string }) => path), ["odd \\303dir/in"]);
});

Deno.test("a file is found in every backup of a task, restored and downloaded, and what was not searched is told", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api, services } = at.plane;
  const name = "näme\nof $(id).txt";
  await Deno.writeTextFile(`${at.tree}/${name}`, "first");
  const destination = await localDestination(at);
  const first = await backUpTree(at, destination);
  const task = (await api.call("GET", `/backups/${first}`)).body.data.backup_task_id;
  await api.run(task);
  await Deno.writeTextFile(`${at.tree}/${name}`, "changed");
  await api.run(task);
  const path = `/backup-tasks/${task}/files`;
  const find = async (search: string) =>
    (await api.call("GET", `${path}?${new URLSearchParams({ search })}`)).body;
  const { data: [hit], searched_count } = await find("OF $(");
  assert.equal(searched_count, 3);
  const ids = hit.versions.map(({ backups }: { backups: { id: number }[] }) => backups.map(({ id }) => id));
  assert.deepEqual([hit.path, ids], [name, [[first + 2], [first + 1, first]]]);
  const copy = await api.call("GET", `/backups/files?${new URLSearchParams({ search: "OF $(" })}`);
  assert.deepEqual(copy.body.data, [hit], "of all tasks");
  const target = `${at.root}/target`;
  await api.carryOut(`/backups/${ids[1][0]}/restore`, { target_path: target, paths: [hit.path] });
  assert.equal(await Deno.readTextFile(`${target}/${name}`), "first");
  const query = new URLSearchParams({ path: hit.path });
  const content = await fetch(`${api.url}/api/backups/${ids[0][0]}/files/download?${query}`, {
    headers: { authorization: `Bearer ${api.token}` },
  });
  assert.equal(await content.text(), "changed");

  const objects = await services.database<{ id: number; name: string }[]>`
    select backup_id as id, name from backup_objects where role = 'index' order by backup_id`;
  await Deno.writeTextFile(`${at.root}/backups/${objects[2]!.name}`, "x");
  await api.call("DELETE", `/backups/${first + 1}`);
  const partly = await find("*.txt");
  assert.deepEqual(partly.data.length, 1);
  assert.deepEqual(partly.not_searched.map(({ backup_id }: { backup_id: number }) => backup_id), [
    first + 2,
    first + 1,
  ]);
  assert.match(partly.not_searched[0].reason, /^Cannot trust \S+: it has 1 bytes, but \d+ were stored/);
  assert.match(partly.not_searched[1].reason, /^The backup is in the trash/);
  assert.equal((await api.call("GET", `/backups/${first + 2}`)).body.data.status, "damaged");

  const missing = await api.call("GET", `/backup-tasks/${task + 1}/files?search=a`);
  assert.deepEqual([missing.status, missing.body.message], [404, "Backup task not found"]);
  assert.equal((await api.call("GET", path)).status, 422);
  assert.equal((await services.database`select from agent_requests where kind = 'backup.find'`).length, 0);
});

Deno.test("what is encrypted to recipients is browsed and restored with an identity that is kept nowhere", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api, services } = at.plane;
  await Deno.writeTextFile(`${at.tree}/one`, "1");
  await shell('head -c 30000000 /dev/urandom > "$1/rest"', at.tree);
  const generate = async () => {
    const text = await shell("age-keygen 2>/dev/null");
    return { text, key: /^AGE-SECRET-KEY-\S+$/m.exec(text)![0], recipient: /age1\S+/.exec(text)![0] };
  };
  const [right, wrong] = [await generate(), await generate()];
  using secrecy = new Secrecy(at.plane, [right.key, wrong.key]);
  const id = await backUpTree(at, await localDestination(at), { encryption_recipients: [right.recipient] });
  const path = `/backups/${id}/files`;
  const refused = await api.call("GET", path);
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /POST \/api\/backups\/\d+\/files with the identity/);
  for (const identity of [wrong.key, "AGE-SECRET-KEY-1QQQQ"]) {
    const answer = await api.call("POST", path, { identity });
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, ["identity"]]);
  }
  const { status, body } = await api.call("POST", path, { identity: right.text, per_page: "1" });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.data.map((entry: { path: string }) => entry.path), ["one"]);
  const task = (await api.call("GET", `/backups/${id}`)).body.data.backup_task_id;
  const found = `/backup-tasks/${task}/files`;
  const locked = (await api.call("GET", `${found}?search=one`)).body;
  assert.match(locked.not_searched[0].reason, /encrypted to recipients. Search by POST/);
  assert.equal(
    (await api.call("POST", found, { search: "one", identity: "AGE-SECRET-KEY-1QQQQ" })).status,
    422,
  );
  const unfit = (await api.call("POST", found, { search: "one", identity: wrong.key })).body;
  assert.equal(unfit.not_searched[0].reason, "None of the given keys decrypts it.");
  const opened = (await api.call("POST", found, { search: "one", identity: right.text })).body;
  assert.deepEqual([opened.searched_count, opened.data[0]?.path], [1, "one"]);
  const target = `${at.root}/target`;
  assert.equal((await api.call("POST", `/backups/${id}/restore`, { target_path: target })).status, 409);
  const log = await api.carryOut(`/backups/${id}/restore`, { target_path: target, identity: right.text });
  assert.equal(log.status, "successful", log.output);
  assert.equal(await Deno.readTextFile(`${target}/one`), "1");
  await secrecy.check();
  const kept = await services.database`select * from agent_requests where kind = 'backup.browse'`;
  assert.equal(kept.length, 0);
});

Deno.test("a damaged index is told, and the backup marked; one that can't be read now is not", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api, services } = at.plane;
  await shell('seq 1000 | split -l 1 - "$1/file"', at.tree);
  const id = await backUpTree(at, await localDestination(at));
  const show = async () => (await api.call("GET", `/backups/${id}`)).body.data;
  const directory = `${at.root}/backups`;
  await Deno.rename(directory, `${directory}.away`);
  const away = await api.call("GET", `/backups/${id}/files`);
  assert.equal(away.status, 503);
  assert.match(away.body.message, /Check whether its file system is mounted/);
  await Deno.rename(`${directory}.away`, directory);
  assert.equal((await show()).status, "stored");
  const path = await shell('echo -n "$1"/*.index.zst', directory);
  const content = await Deno.readFile(path);
  content[content.length >> 1]! ^= 1;
  await Deno.writeFile(path, content);
  const { backup_task_id: taskId } = (await api.call("GET", `/backups/${id}`)).body.data;
  const [owner] = await services.database<
    { id: number }[]
  >`select user_id as id from backups where id = ${id}`;
  await newStream(services, { userId: owner!.id, taskId });
  const { status, body } = await api.call("GET", `/backups/${id}/files`);
  assert.deepEqual([status, body.error], [409, "Conflict"]);
  assert.equal((await api.call("GET", `/backups/${id}/files`)).status, 409);
  const told = await services.database`select event from notification_deliveries`;
  assert.deepEqual(told.map(({ event }) => [event.event, event.run, event.backup.id]), [
    ["backup.damaged", null, id],
  ]);
  assert.match(
    body.message,
    new RegExp(
      `^Cannot list backup ${id}: Cannot trust backup_.*\\.index\\.zst: its SHA-256 is .* marked as damaged\\.`,
    ),
  );
  const { status: shown, damage_reason } = await show();
  assert.equal(shown, "damaged");
  assert.match(damage_reason, /^backup_.*\.index\.zst: its SHA-256 is/);
});
