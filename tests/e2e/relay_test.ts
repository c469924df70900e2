/** Tests an agent that reads a backup from another server's disk through the control plane. */
import assert from "node:assert/strict";
import { shell } from "../support/fixtures/backup_run.ts";
import { postgresqlFixture } from "../support/sources/postgresql.ts";
import { describeTree, growTree } from "../support/fixtures/tree.ts";
import { stageTwoServers, type TwoServers } from "../support/servers/two_servers.ts";
import { until } from "../support/assertions/until.ts";

const PASSPHRASE = `päss "wörd" \\ $(id)`;

/** Backs up to the disk of the server `holder`. Returns the backup's id. */
async function backUp({ api, holder, root }: TwoServers, fields: Record<string, unknown>): Promise<number> {
  const backup_destination_id = await api.create("/backup-destinations", {
    label: "the disk of web1",
    type: "local",
    local_path: `${root}/backups`,
  });
  const schedule = { frequency: "daily", time_to_run_at: "01:00" };
  const where = { remote_server_id: holder.id, backup_destination_id };
  const taskId = await api.create("/backup-tasks", { label: "x", ...where, ...schedule, ...fields });
  const log = await api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  return (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data[0].id;
}

async function objectsOf({ api }: TwoServers, id: number): Promise<{ role: string; name: string }[]> {
  return (await api.call("GET", `/backups/${id}`)).body.data.objects;
}

function archiveOf(objects: { role: string; name: string }[]): string {
  return objects.find(({ role }) => role === "archive")!.name;
}

/** Returns how many requests told an agent to send bytes of a backup. */
async function questions({ services }: TwoServers): Promise<number> {
  return (await services.database`select from agent_requests where kind = 'backup.send'`).length;
}

Deno.test("what lies on one server's disk is restored, verified and drilled on another", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTwoServers(stack);
  const { api, other, root } = at;
  const tree = `${root}/tree`;
  await Deno.mkdir(tree);
  // With less data, even a restore of a few selected files would read most of the archive's frames.
  await growTree(tree, { noise: 20_000_000, text: 9_000_000 });
  const original = await describeTree(tree);

  for (const encryption_password of [null, PASSPHRASE]) {
    await t.step(encryption_password === null ? "files, plain" : "files, encrypted", async () => {
      const id = await backUp(at, { type: "files", source_path: tree, encryption_password });
      const target_path = `${root}/restored-${id}`;
      const path = `/backups/${id}/restore`;
      at.relayed.length = 0;
      const asked = { remote_server_id: other.id, target_path, paths: ["plain/deep"] };
      const preview = (await api.call("POST", `${path}/preview`, asked)).body.data;
      assert.deepEqual([preview.is_possible, preview.obstacles, preview.requested.files_count], [
        true,
        [],
        null,
      ]);
      assert.deepEqual(preview.targets.map(({ path }: { path: string }) => path), [
        `${target_path}/plain/deep`,
      ]);
      assert.match(preview.warnings[0], /^The backup is on another server's disk/);
      assert.equal(at.relayed.length, 0);
      const log = await api.carryOut(path, { remote_server_id: other.id, target_path });
      assert.equal(log.status, "successful", log.output);
      assert.match(log.output, /Reading from directory \S+ of server web1, through the control plane/);
      assert.deepEqual(await describeTree(target_path), original);
      assert(at.relayed.some(({ name, status }) => name.includes(".tar.zst") && status === 206));
      const some = await api.carryOut(path, {
        remote_server_id: other.id,
        target_path: `${target_path}-some`,
        paths: ["plain/deep", "with space"],
      });
      assert.equal(some.status, "successful", some.output);
      assert.deepEqual([...Deno.readDirSync(`${target_path}-some`)].map(({ name }) => name).sort(), [
        "plain",
        "with space",
      ]);
      assert(some.progress.bytes_read < log.progress.bytes_read / 2);
      const verified = await api.carryOut(`/backups/${id}/verify`, { remote_server_id: other.id });
      assert.equal(verified.status, "successful", verified.output);
      assert.notEqual((await api.call("GET", `/backups/${id}`)).body.data.verified_at, null);
      const drilled = await api.carryOut(`/backups/${id}/drill`, { remote_server_id: other.id });
      assert.equal(drilled.status, "successful", drilled.output);
      assert.notEqual((await api.call("GET", `/backups/${id}`)).body.data.proven_at, null);
      // On its own server, the agent reads the backup directly.
      at.relayed.length = 0;
      const home = await api.carryOut(path, { target_path: `${target_path}-home` });
      assert.equal(home.status, "successful", home.output);
      assert.deepEqual(at.relayed, []);
    });
  }

  await t.step("a database", async () => {
    const place = stack.use(await postgresqlFixture()).restoreServer!;
    await place.sql("postgres", "create database depot");
    await place.sql("depot", "create table stock (id int primary key, name text)");
    await place.sql("depot", "insert into stock select n, 'item ' || n from generate_series(1, 2000) n");
    const { host, port, username, password } = place.login;
    const id = await backUp(at, {
      type: "database",
      database_type: "postgresql",
      database_name: "depot",
      database_host: host,
      database_port: port,
      database_username: username,
      database_password: password,
      encryption_password: PASSPHRASE,
    });
    at.relayed.length = 0;
    const log = await api.carryOut(`/backups/${id}/restore`, {
      remote_server_id: other.id,
      database_name: "copy",
    });
    assert.equal(log.status, "successful", log.output);
    assert.deepEqual(await place.describe("copy"), await place.describe("depot"));
    assert(at.relayed.some(({ status }) => status === 206));
    const drilled = await api.carryOut(`/backups/${id}/drill`, { remote_server_id: other.id });
    assert.equal(drilled.status, "successful", drilled.output);
  });

  await t.step("an object that is gone there is found by a verification from here", async () => {
    const id = await backUp(at, { type: "files", source_path: `${tree}/plain/deep` });
    await Deno.remove(`${root}/backups/${archiveOf(await objectsOf(at, id))}`);
    const log = await api.carryOut(`/backups/${id}/verify`, { remote_server_id: other.id });
    assert.equal(log.status, "failed");
    assert.match(log.reason!, /it does not exist/);
    assert.notEqual((await api.call("GET", `/backups/${id}`)).body.data.damaged_at, null);
  });

  await t.step("nothing is left of what was asked", async () => {
    await until(async () => await questions(at) === 0);
  });
});

Deno.test("a restore goes on where the other agent was killed, and where the control plane was lost", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTwoServers(stack);
  const { api, holder, other, root } = at;
  const tree = `${root}/tree`;
  await shell('mkdir "$1"; head -c 60000000 /dev/urandom > "$1/noise"; cp "$1/noise" "$1/more"', tree);
  const id = await backUp(at, { type: "files", source_path: tree });
  const archive = archiveOf(await objectsOf(at, id));
  const restore = async (target_path: string, midway: () => Promise<void>) => {
    const gate = at.gate(20_000_000);
    at.relayed.length = 0;
    const log = api.carryOut(`/backups/${id}/restore`, {
      remote_server_id: other.id,
      target_path,
    });
    await gate.reached;
    await midway();
    gate.open();
    const { status, output } = await log;
    assert.equal(status, "successful", output);
    assert.deepEqual(await describeTree(target_path), await describeTree(tree));
    const begun = at.relayed.filter(({ name, status }) => name === archive && status === 206)
      .map(({ range }) => Number(/^bytes=(\d+)-/.exec(range)![1]));
    assert(begun.length > 1 && begun.at(-1)! >= 10_000_000, JSON.stringify(at.relayed));
  };
  await restore(`${root}/one`, async () => {
    Deno.kill(holder.agent.pid, "SIGKILL");
    await until(async () => !(await at.isConnected(holder)));
    await at.restart(holder);
  });
  await restore(`${root}/two`, () => Promise.resolve(at.balancer.cut()));
});

Deno.test("a restore whose own agent was killed is failed, and ends the sending", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTwoServers(stack);
  const { api, other, root } = at;
  const tree = `${root}/tree`;
  await shell('mkdir "$1"; head -c 60000000 /dev/urandom > "$1/noise"', tree);
  const id = await backUp(at, { type: "files", source_path: tree });
  const target_path = `${root}/target`;
  const gate = at.gate(20_000_000);
  const log = api.carryOut(`/backups/${id}/restore`, { remote_server_id: other.id, target_path });
  await gate.reached;
  assert.equal(await questions(at), 1);
  Deno.kill(other.agent.pid, "SIGKILL");
  await until(async () => !(await at.isConnected(other)));
  gate.open();
  await until(async () => await questions(at) === 0);
  await at.restart(other);
  const { status, reason } = await log;
  assert.deepEqual([status, reason], [
    "failed",
    "The agent was restarted while the run was active. What it had unpacked is removed.",
  ]);
  await assert.rejects(Deno.stat(target_path), Deno.errors.NotFound);
  const again = await api.carryOut(`/backups/${id}/restore`, { remote_server_id: other.id, target_path });
  assert.equal(again.status, "successful", again.output);
});

Deno.test("only the agent of the run reads, only what its run reads, only while it runs", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTwoServers(stack);
  const { api, holder, other, root } = at;
  await shell(
    'mkdir "$1" "$2"; head -c 30000000 /dev/urandom > "$1/noise"; echo x > "$2/x"',
    `${root}/a`,
    `${root}/b`,
  );
  const read = await backUp(at, { type: "files", source_path: `${root}/a` });
  const another = await backUp(at, { type: "files", source_path: `${root}/b` });
  const name = archiveOf(await objectsOf(at, read));
  const keyOf = async ({ agent }: TwoServers["holder"]) =>
    (await Deno.readTextFile(`${agent.stateDirectory}/key`)).trim();
  const [key, holdersKey] = [await keyOf(other), await keyOf(holder)];
  const ask = async (run_id: number, fields: Record<string, string> = {}, bearer: string | null = key) => {
    const query = new URLSearchParams({ run_id: String(run_id), attempt: "1", name, ...fields });
    const response = await fetch(`${at.api.url}/api/agent/objects?${query}`, {
      headers: { range: "bytes=0-9", ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }) },
    });
    return { status: response.status, text: await response.text() };
  };

  const gate = at.gate(5_000_000);
  const body = { remote_server_id: other.id, target_path: `${root}/target` };
  const running = (await api.call("POST", `/backups/${read}/restore`, body)).body.backup_task_log_id;
  await gate.reached;
  const cases: [
    what: string,
    run: number,
    fields: Record<string, string>,
    key: string | null,
    status: number,
  ][] = [
    ["what it may", running, {}, key, 206],
    ["an object of another backup", running, { name: archiveOf(await objectsOf(at, another)) }, key, 404],
    ["a path that leads out", running, { name: `../backups/${name}` }, key, 404],
    ["an absolute path", running, { name: "/etc/hostname" }, key, 404],
    ["another attempt", running, { attempt: "2" }, key, 409],
    ["another server's run", running, {}, holdersKey, 404],
    ["a run that is not there", 999_999, {}, key, 404],
    ["without a key", running, {}, null, 401],
    ["with a key that nobody has", running, {}, `${key}x`, 401],
  ];
  for (const [what, run, fields, bearer, status] of cases) {
    await t.step(what, async () => {
      const answer = await ask(run, fields, bearer);
      assert.equal(answer.status, status, answer.text);
    });
  }
  await t.step("what lies on its own disk", async () => {
    const { database } = at.services;
    const move = (to: number) => database`update backups set remote_server_id = ${to} where id = ${read}`;
    await move(other.id);
    const { status, text } = await ask(running);
    await move(holder.id);
    assert.deepEqual([status, JSON.parse(text).message], [
      409,
      `Cannot relay ${name}: the agent can reach it itself`,
    ]);
  });
  gate.open();
  const log = `/backup-task-logs/${running}`;
  await until(async () => (await api.call("GET", log)).body.data.finished_at !== null);
  assert.equal((await api.call("GET", log)).body.data.status, "successful");
  await t.step("a run that is over", async () => {
    assert.equal((await ask(running)).status, 409);
  });
});

Deno.test("a server that must be up, or newer, is named before anything is queued", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stageTwoServers(stack);
  const { api, holder, other, root } = at;
  await shell('mkdir "$1"; echo x > "$1/x"', `${root}/tree`);
  const id = await backUp(at, { type: "files", source_path: `${root}/tree` });
  const body = { remote_server_id: other.id, target_path: `${root}/target` };
  const ask = async () => {
    const answers = [
      await api.call("POST", `/backups/${id}/restore`, body),
      await api.call("POST", `/backups/${id}/verify`, { remote_server_id: other.id }),
    ];
    assert.equal(answers[0]!.body.message, answers[1]!.body.message);
    return answers.map(({ status, body }) => [status, body.message]);
  };
  const { database } = at.services;
  await database`update remote_servers set agent_protocol = 1 where id = ${holder.id}`;
  const old =
    "The backup is on the disk of web1, whose agent is too old to send it. Update it there, and try again.";
  assert.deepEqual(await ask(), [[409, old], [409, old]]);
  await database`update remote_servers set agent_protocol = 1 where id = ${other.id}`;
  await database`update remote_servers set agent_protocol = 2 where id = ${holder.id}`;
  const refused = await api.carryOut(`/backups/${id}/restore`, body);
  assert.equal(refused.reason, "The server's agent is too old to read backups. Update it, and try again.");
  Deno.kill(holder.agent.pid, "SIGKILL");
  await until(async () => !(await at.isConnected(holder)));
  const away =
    "The backup is on the disk of web1, whose agent is not connected. Start it there, and try again.";
  assert.deepEqual(await ask(), [[409, away], [409, away]]);
  await database`update backups set remote_server_id = null where id = ${id}`;
  assert.match((await ask())[0]![1], /^The backup is on the disk of a server that is deleted\./);
});
