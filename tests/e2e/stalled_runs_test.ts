/**
 * Tests runs on real agents whose source or destination hangs. The cause is reported, and the run ends at its
 * time limit.
 */
import assert from "node:assert/strict";
import { type ControlPlane, FROM_SOURCE, startControlPlane } from "../support/servers/control_plane.ts";
import { HeldTar, processesWith } from "../support/fixtures/held_tar.ts";
import { MariadbServer } from "../support/servers/mariadb.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { until } from "../support/assertions/until.ts";

type Fields = Record<string, unknown>;

async function stage(stack: AsyncDisposableStack, path?: string) {
  const plane = stack.use(await startControlPlane({ program: FROM_SOURCE, logLevel: "info", path }));
  const root = await Deno.makeTempDir({ prefix: "rearguard-stalled-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const destination = await plane.api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
  return { plane, root, destination };
}

/** Creates a task and starts its run. Returns the id of the run's log. */
async function run({ api, serverId }: ControlPlane, destination: number, fields: Fields): Promise<number> {
  const task = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: destination,
    label: "x",
    custom_cron_expression: "0 0 29 2 *",
    stall_warning: 1,
    ...fields,
  });
  const { body } = await api.call("POST", `/backup-tasks/${task}/run`);
  return body.backup_task_log_id;
}

async function why({ api }: ControlPlane, id: number) {
  await until(async () => {
    const { body } = await api.call("GET", `/backup-task-logs/${id}/why`);
    assert.ok(["queued", "running"].includes(body.data.status), body.data.message);
    return body.data.waiting_for === "progress" && !/does not report/.test(body.data.message);
  });
  return (await api.call("GET", `/backup-task-logs/${id}/why`)).body.data.message;
}

async function end({ api }: ControlPlane, id: number) {
  const log = async () => (await api.call("GET", `/backup-task-logs/${id}`)).body.data;
  await until(async () => (await log()).finished_at !== null);
  return await log();
}

Deno.test("a dump behind a lock says which session holds it, and fails when its limit has passed", async (t) => {
  await using stack = new AsyncDisposableStack();
  const { plane, destination } = await stage(stack);
  await t.step("postgresql", async () => {
    await using server = await PostgresqlServer.open();
    await server.sql("postgres", "create table locked (a int)");
    const holder = new Deno.Command("psql", {
      args: ["-X", "-q", "-c", "begin; lock table locked; select pg_sleep(600)"],
      env: {
        PGHOST: server.directory,
        PGPORT: String(server.port),
        PGUSER: "postgres",
        PGAPPNAME: "migration",
      },
      stdout: "null",
      stderr: "null",
    }).spawn();
    const held = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted";
    await until(async () => (await server.sql("postgres", held)).trim() !== "0");
    const { host, port, username, password } = server;
    const id = await run(plane, destination, {
      type: "database",
      database_type: "postgresql",
      database_name: "postgres",
      database_host: host,
      database_port: port,
      database_username: username,
      database_password: password,
      lock_wait_timeout: 8,
    });
    const holding =
      /lock that is held by session \d+ \(user postgres, from the local socket, migration, active, in a transaction for \d+ s\)/;
    assert.match(await why(plane, id), holding);
    const { status, output } = await end(plane, id);
    assert.equal(status, "failed");
    assert.match(
      output,
      /Backup failed: Cannot go on: a lock was not available for \d+ s\. It waits for a lock/,
    );
    holder.kill("SIGKILL");
    await holder.status;
  });
  await t.step("mysql", async () => {
    await using server = await MariadbServer.open();
    await server.sql("mysql", "create database shop; create table shop.t (a int)");
    const holder = new Deno.Command("mariadb", {
      args: [
        "--no-defaults",
        `--socket=${server.socket}`,
        "--user=root",
        "shop",
        "-e",
        "lock tables t write; do sleep(600)",
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const held = "select count(*) from information_schema.processlist where info like 'do sleep%'";
    await until(async () => (await server.sql("mysql", held)).includes("1"));
    const { host, port, username, password } = server;
    const id = await run(plane, destination, {
      type: "database",
      database_type: "mysql",
      database_name: "shop",
      database_host: host,
      database_port: port,
      database_username: username,
      database_password: password,
      lock_wait_timeout: 8,
    });
    assert.match(
      await why(plane, id),
      /It waits for a lock \(Waiting for .*\)\. It may be held by session \d+ \(user root/,
    );
    const { status, output } = await end(plane, id);
    assert.equal(status, "failed");
    assert.match(output, /Backup failed: Cannot go on: a lock was not available for \d+ s\./);
    holder.kill("SIGKILL");
    await holder.status;
  });
});

Deno.test("a program that stands still is named, and its run ends at its limit", async () => {
  await using stack = new AsyncDisposableStack();
  const tar = stack.use(await HeldTar.make());
  const { plane, root, destination } = await stage(stack, tar.path);
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "x");
  await tar.hold(`${root}/source`);
  const source = { type: "files", source_path: `${root}/source` };
  const id = await run(plane, destination, { ...source, stall_timeout: 6 });
  await tar.held();
  assert.match(
    await why(plane, id),
    /^It has made no progress for \d+ s\. It waits for .*tar.*, which make no progress\.$/,
  );
  const { status, output } = await end(plane, id);
  assert.equal(status, "failed");
  assert.match(output, /Backup failed: Cannot go on: there was no progress for \d+ s\. It waits for .*tar/);
  assert.equal((await end(plane, await run(plane, destination, source))).status, "successful");
});

Deno.test("a compressor that hangs ends the run as well, and the task's next run works", async () => {
  await using stack = new AsyncDisposableStack();
  const tar = stack.use(await HeldTar.make());
  const { plane, root, destination } = await stage(stack, tar.path);
  await Deno.mkdir(`${root}/source`);
  // The file has more bytes than the buffer of a pipe holds.
  await Deno.writeFile(`${root}/source/file`, new Uint8Array(8_000_000));
  await tar.hold(`${root}/source`);
  const source = { type: "files", source_path: `${root}/source`, stall_timeout: 6 };
  const id = await run(plane, destination, source);
  const held = await tar.held();
  const isAgents = (pid: number) =>
    Deno.readTextFileSync(`/proc/${pid}/status`).includes(`PPid:\t${plane.agentPid}\n`);
  const compressors = (await processesWith("pzstd")).filter(isAgents);
  assert.ok(compressors.length > 0);
  for (const pid of compressors) Deno.kill(pid, "SIGSTOP");
  held.go();
  assert.match(await why(plane, id), /^It has made no progress for \d+ s\. It waits for .*pzstd/);
  const { status, output } = await end(plane, id);
  assert.equal(status, "failed");
  assert.match(output, /Backup failed: Cannot go on: there was no progress for \d+ s\. It waits for .*pzstd/);
  assert.equal((await end(plane, await run(plane, destination, source))).status, "successful");
});
