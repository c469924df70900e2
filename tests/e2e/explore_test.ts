/** Looks at a server through the API, a control plane and an agent, before anything is backed up. */
import assert from "node:assert/strict";
import { shell } from "../support/fixtures/backup_run.ts";
import { backUpTree, localDestination, stageTree } from "../support/fixtures/backed_up_tree.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { CliHome } from "../support/clients/cli.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import { freePort } from "../support/servers/ports.ts";
import type { RestoreServer } from "../support/sources/fixture.ts";
import { mysqlFixture } from "../support/sources/mysql.ts";
import { postgresqlFixture } from "../support/sources/postgresql.ts";

Deno.test("a server's directories are listed with names of any bytes, and links are never followed", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane, tree } = await stageTree(stack);
  const { api, serverId } = plane;
  await shell(
    `cd "$1"; mkdir sub "$(printf 'dir\\300')"; echo inside > "$(printf 'dir\\300/in')"; printf 12345 > "$(printf 'new\\nline')"
     ln -s "$1/sub" link; ln -s nowhere broken; mkfifo fifo; touch -d 1970-01-01T00:16:40Z known; chmod 640 known`,
    tree,
  );
  const real = await Deno.realPath(tree);
  const files = (query: Record<string, string>) =>
    api.call("GET", `/remote-servers/${serverId}/files?${new URLSearchParams(query)}`);
  const { status, body } = await files({ path: `${real}//./` });
  assert.equal(status, 200, JSON.stringify(body));
  const shown = body.data.map(({ name, type, link_target }: Record<string, string>) =>
    [name, type, ...link_target === null ? [] : [link_target]].join(" ")
  );
  assert.deepEqual(shown, [
    "dir\\300 directory",
    "sub directory",
    "broken symlink nowhere",
    "fifo fifo",
    "known file",
    `link symlink ${tree}/sub`,
    "new\nline file",
  ]);
  assert.deepEqual([body.path, body.parent, body.is_truncated, body.meta.total], [
    real,
    real.slice(0, real.lastIndexOf("/")),
    false,
    7,
  ]);
  assert.deepEqual(body.data[4], {
    path: `${real}/known`,
    name: "known",
    type: "file",
    size: 0,
    mode: "0640",
    uid: Deno.uid(),
    gid: Deno.gid(),
    modified_at: "1970-01-01T00:16:40Z",
    link_target: null,
    is_readable: true,
  });
  const inside = await files({ path: body.data[0].path });
  assert.deepEqual(inside.body.data.map(({ path, size }: { path: string; size: number }) => [path, size]), [[
    `${real}/dir\\300/in`,
    7,
  ]]);
  const page = await files({ path: real, page: "2", per_page: "3", search: "N" });
  assert.deepEqual([page.body.data.map(({ name }: { name: string }) => name), page.body.meta.total], [
    ["new\nline"],
    4,
  ]);
  const refusals = {
    [`${real}/nowhere`]: /^The path does not exist on the server/,
    [`${real}/known`]: /^The path is not a directory\.$/,
    [`${real}/link`]: new RegExp(`^The path leads through a symbolic link\\. Its target is ${real}/sub\\.$`),
    "relative": /must be an absolute path/,
    [`${real}/..`]: /must not contain \.\./,
  };
  for (const [path, message] of Object.entries(refusals)) {
    const { status, body } = await files({ path });
    assert.equal(status, 422, path);
    assert.deepEqual(Object.keys(body.errors), ["path"]);
    assert.match(body.errors.path[0], message);
  }
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const { stdout } = await home.run(["servers", "files", `${serverId}`, real, "--search", "sub"], { env });
  assert.match(stdout, new RegExp(`${real}/sub/\n$`));
});

Deno.test("a directory with very many entries is listed in part, and says so", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane: { api, serverId }, tree } = await stageTree(stack);
  await shell('cd "$1"; seq 1 10050 | xargs touch', tree);
  const path = encodeURIComponent(await Deno.realPath(tree));
  const { body } = await api.call("GET", `/remote-servers/${serverId}/files?path=${path}&per_page=1000`);
  assert.deepEqual([body.data.length, body.meta.total, body.is_truncated], [1000, 10_000, true]);
});

Deno.test("files are listed only with a connected agent, and only for callers who may make tasks", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane: { api, serverId } } = await stageTree(stack);
  const offline = await api.create("/remote-servers", { label: "away", ip_address: "192.0.2.7" });
  const { status, body } = await api.call("GET", `/remote-servers/${offline}/files`);
  assert.equal(status, 409);
  assert.match(body.message, /^The agent of away is not connected\. Start it there/);
  assert.equal((await api.call("GET", "/remote-servers/99/files")).status, 404);
  const token = await api.call("POST", "/tokens", { name: "viewer", abilities: ["view-remote-servers"] });
  const viewer = new ApiCaller(api.url, token.body.data?.token ?? token.body.token);
  assert.equal((await viewer.call("GET", `/remote-servers/${serverId}/files`)).status, 403);
});

Deno.test("the databases of a server are listed with a stored or a given password, and wrong fields are named", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { plane } = at;
  const { api, serverId } = plane;
  const path = `/remote-servers/${serverId}/databases`;
  const fixtures = { postgresql: postgresqlFixture, mysql: mysqlFixture };
  const servers = new Map<string, RestoreServer>();
  for (const [engine, open] of Object.entries(fixtures)) {
    servers.set(engine, stack.use(await open()).restoreServer!);
  }
  using secrecy = new Secrecy(plane, [...servers.values()].map(({ login }) => login.password!));
  for (const [engine, server] of servers) {
    await t.step(engine, async () => {
      const { host, port, username, password } = server.login;
      await server.sql(
        engine === "mysql" ? "mysql" : "postgres",
        `create database ${server.quote("with space")}`,
      );
      const login = { database_host: host, database_port: port, database_username: username };
      const listed = await api.call("POST", path, { ...login, database_password: password });
      assert.equal(listed.status, 200, JSON.stringify(listed.body));
      const { database_type, databases, server: description } = listed.body.data;
      assert.equal(database_type, engine);
      assert.match(description, new RegExp(`^(PostgreSQL|MariaDB) [\\d.]+.* as ${username}$`));
      const names = databases.map(({ name }: { name: string }) => name);
      assert.deepEqual(
        names.sort(),
        [...await server.list(), ...engine === "mysql" ? [] : ["postgres"]].sort(),
      );
      assert.ok(names.includes("with space"));
      for (const { size, problem } of databases) {
        assert.ok(size >= 0 && problem === null, JSON.stringify(databases));
      }
      const refused = async (body: Record<string, unknown>) => {
        const { status, body: answer } = await api.call("POST", path, {
          database_type: engine,
          ...login,
          ...body,
        });
        assert.equal(status, 422, JSON.stringify(answer));
        return answer.errors;
      };
      const wrong = await refused({ database_password: "wrong" });
      assert.deepEqual(Object.keys(wrong), ["database_password"]);
      assert.match(
        wrong.database_password[0],
        /^Cannot use .*(password authentication failed|Access denied)/,
      );
      const closed = await refused({ database_port: freePort() });
      assert.deepEqual(Object.keys(closed), ["database_host"]);
      const nobody = await refused({ isolated_username: "no-such-user" });
      assert.match(nobody.isolated_username[0], /^Cannot run as no-such-user: there is no such user/);

      await api.call("PUT", `/remote-servers/${serverId}`, { database_password: password });
      const query = new URLSearchParams({
        database_host: host!,
        database_port: `${port}`,
        database_username: username!,
        database_type: engine,
      });
      assert.equal((await api.call("GET", `${path}?${query}`)).status, 200);
      await api.call("PUT", `/remote-servers/${serverId}`, { database_password: null });
      const task = await api.create("/backup-tasks", {
        label: "x",
        remote_server_id: serverId,
        backup_destination_id: await api.create("/backup-destinations", {
          label: engine,
          type: "local",
          local_path: "/nowhere",
        }),
        type: "database",
        database_type: engine,
        database_name: "*",
        ...login,
        database_password: password,
        frequency: "daily",
        time_to_run_at: "01:00",
      });
      assert.equal((await api.call("GET", `${path}?backup_task_id=${task}`)).status, 200);
      // The task's password must be sent only to the task's own host.
      const elsewhere = await api.call(
        "GET",
        `${path}?backup_task_id=${task}&database_host=elsewhere.invalid`,
      );
      assert.deepEqual(Object.keys(elsewhere.body.errors), ["database_host"]);
    });
  }
  await t.step("files and unknown tasks are refused", async () => {
    const sqlite = await api.call("GET", `${path}?database_type=sqlite`);
    assert.match(sqlite.body.errors.database_type[0], /^SQLite databases are files/);
    const unknown = await api.call("GET", `${path}?backup_task_id=99`);
    assert.deepEqual(Object.keys(unknown.body.errors), ["backup_task_id"]);
    assert.equal((await api.call("POST", path, { database_pasword: "x" })).status, 422);
  });
  await t.step("the command shows them", async () => {
    const { login } = servers.get("postgresql")!;
    await using home = await CliHome.open();
    const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token, PASSWORD: login.password! };
    const args = ["--database-host", login.host!, "--database-port", `${login.port}`];
    const { stdout } = await home.run(
      [
        "servers",
        "databases",
        `${serverId}`,
        ...args,
        "--database-username",
        login.username!,
        "--database-password-from",
        "env:PASSWORD",
      ],
      { env },
    );
    assert.match(stdout, /^PostgreSQL .*\nName .*\n(.*\n)*with space/);
  });
  await t.step("no secret was told anywhere", async () => {
    await Deno.writeTextFile(`${at.tree}/file`, "content");
    await backUpTree(at, await localDestination(at));
    await secrecy.check();
  });
});

Deno.test("a restore is previewed with its final paths, what is in the way, and the errors of the restore", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTree(stack);
  const { api, serverId } = at.plane;
  await shell('cd "$1"; mkdir sub; echo one > sub/one; echo two > two', at.tree);
  const id = await backUpTree(at, await localDestination(at), { encryption_password: "secret" });
  const path = `/backups/${id}/restore`;
  const target = `${at.root}/target`;
  await shell('mkdir -p "$1/sub"; echo mine > "$1/sub/one"', target);
  const { status, body } = await api.call("POST", `${path}/preview`, {
    target_path: target,
    paths: ["/sub/"],
  });
  assert.equal(status, 200, JSON.stringify(body));
  const { free_bytes, ...data } = body.data;
  assert.ok(free_bytes > 0);
  assert.deepEqual(data, {
    remote_server: { id: serverId, label: data.remote_server.label },
    type: "files",
    targets: [{ source: "sub", path: `${target}/sub`, database_name: null, state: "occupied" }],
    targets_count: 1,
    server: null,
    requested: { files_count: 1, directories_count: 1, bytes: 4, databases_count: null, rows_count: null },
    obstacles: [{
      path: `${target}/sub/one`,
      problem: "is there already",
      solution: "Set overwrite to replace, or restore elsewhere.",
    }],
    obstacles_count: 1,
    warnings: [],
    is_possible: false,
  });
  const refused = await api.carryOut(path, { target_path: target, paths: ["/sub/"] });
  assert.match(refused.reason!, new RegExp(`${target}/sub/one is there already`));
  const free = await api.call("POST", `${path}/preview`, { target_path: target, overwrite: true });
  assert.deepEqual([free.body.data.is_possible, free.body.data.obstacles], [true, []]);
  for (const wrong of [{ paths: ["../x"] }, { databases: ["x"] }, { target: "/x" }]) {
    const [previewed, restored] = await Promise.all(
      [`${path}/preview`, path].map((each) => api.call("POST", each, wrong)),
    );
    assert.deepEqual([previewed!.status, previewed!.body], [422, restored!.body], JSON.stringify(wrong));
  }
  const offline = await api.create("/remote-servers", { label: "away", ip_address: "192.0.2.7" });
  const away = await api.call("POST", `${path}/preview`, { remote_server_id: offline, target_path: target });
  assert.equal(away.status, 409, JSON.stringify(away.body));
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const args = ["backups", "restore", `${id}`, "--target-path", target, "--dry-run"];
  const dry = await home.run(args, { env });
  assert.equal(dry.code, 1);
  assert.match(dry.stdout, /In the way: .*sub\/one is there already\. Set overwrite/);
  assert.match(dry.stderr, /^Cannot restore backup \d+: something is in the way\n$/);
  assert.equal((await home.run([...args, "--overwrite"], { env })).code, 0);
  assert.equal(await Deno.readTextFile(`${target}/sub/one`), "mine\n");
});
