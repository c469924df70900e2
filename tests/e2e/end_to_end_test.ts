/** Starts a control plane and its local agent as a user does, and interrupts runs in many ways. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { ApiCaller } from "../support/clients/client.ts";
import { HeldTar, processesWith } from "../support/fixtures/held_tar.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { exists } from "../support/programs.ts";
import { describeTree } from "../support/fixtures/tree.ts";
import { until } from "../support/assertions/until.ts";

const TOKEN = "rg_end-to-end-tests-only-0123456789";

interface Stage {
  directory: string;
  server: ServerProcess;
  api: ApiCaller;
  taskId: number;
  source: string;
  backups: string;
  tar: HeldTar;
  /** Stops the server and starts it again, with the same data directory and port. */
  restart(): Promise<void>;
}

/**
 * Starts a server with a task for a tree of `megabytes` of incompressible data. The agent looks for programs
 * first in the directory `programs`, then in the system's directories.
 */
async function staged(
  megabytes: number,
  work: (stage: Stage) => Promise<void>,
  programs?: string,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-e2e-" });
  await Deno.chmod(directory, 0o755);
  const source = join(directory, "source");
  const backups = join(directory, "backups");
  await Deno.mkdir(source);
  for (let i = 0; i < megabytes; i++) await Deno.writeFile(join(source, `${i}.bin`), randomBytes(1 << 20));
  await using tar = await HeldTar.make();
  const path = programs === undefined ? tar.path : `${programs}:${tar.path}`;
  const start = (port: string) =>
    new ServerProcess({
      dataDirectory: join(directory, "data"),
      env: { BOOTSTRAP_TOKEN: TOKEN, PORT: port, PATH: path },
      args: ["--local-agent"],
    });
  let server = start("0");
  try {
    const url = await server.ready();
    const api = new ApiCaller(url, TOKEN);
    const [remote] = (await api.call("GET", "/remote-servers")).body.data;
    const destination = { label: "here", type: "local", local_path: backups };
    const destinationId = await api.create("/backup-destinations", destination);
    const taskId = await api.create("/backup-tasks", {
      remote_server_id: remote.id,
      backup_destination_id: destinationId,
      label: "tree",
      type: "files",
      source_path: source,
      frequency: "daily",
      time_to_run_at: "01:00",
    });
    const stage: Stage = {
      directory,
      server,
      api,
      taskId,
      source,
      backups,
      tar,
      async restart() {
        server = start(new URL(url).port);
        stage.server = server;
        await server.ready();
      },
    };
    await work(stage);
  } finally {
    await server.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Makes a backup, starts a restore into another directory, and suspends the restore's tar. */
async function heldRestore({ api, taskId, directory, tar }: Stage) {
  assert.equal((await api.run(taskId)).status, "successful");
  const [backup] = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
  const target = join(directory, "restored");
  await tar.hold(join(directory, ".rearguard-restore"));
  const { body } = await api.call("POST", `/backups/${backup.id}/restore`, { target_path: target });
  const held = await tar.held();
  return { ...held, target, log: `/backup-task-logs/${body.backup_task_log_id}` };
}

async function ended(api: ApiCaller, log: string) {
  for await (const event of api.events(`${log}/stream`)) if (event.event === "finished") break;
  return (await api.call("GET", log)).body.data;
}

/** Starts a run of the task and suspends its tar. */
async function heldRun({ api, taskId, source, tar }: Stage): Promise<{ go(): void }> {
  await tar.hold(source);
  const { status } = await api.call("POST", `/backup-tasks/${taskId}/run`);
  assert.equal(status, 202);
  const held = await tar.held();
  await until(async () =>
    (await api.call("GET", `/backup-tasks/${taskId}/status`)).body.data.status === "running"
  );
  return held;
}

async function tarList(archive: string): Promise<string[]> {
  const { success, stdout } = await new Deno.Command("tar", { args: ["-tf", archive, "-I", "zstd"] })
    .output();
  assert.ok(success);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

async function archivesIn(directory: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".tar.zst"));
}

function assertLinesOnce(output: string): void {
  const lines = output.trimEnd().split("\n");
  assert.equal(new Set(lines).size, lines.length, output);
  const times = lines.map((line) => line.slice(0, 24));
  for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(times, [...times].sort());
}

Deno.test("a stranger's first backup: run, followed live, listed, and there for stock tar", () =>
  staged(8, async ({ api, taskId, backups }) => {
    const log = await api.run(taskId);
    assert.equal(log.status, "successful", log.output);
    assertLinesOnce(log.output);
    assert.match(log.output.trimEnd().split("\n").at(-1)!, /Backup completed successfully/);
    // After the run, a stream that is read from its beginning has the same text as the log.
    let streamed = "";
    for await (const event of api.stream(taskId)) {
      if (event.event === "output") streamed += JSON.parse(event.data).text;
    }
    assert.equal(streamed, log.output);
    const [backup] = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
    const archive = join(backups, backup.file_name);
    assert.equal((await Deno.stat(archive)).size, backup.size);
    assert.equal((await tarList(archive)).filter((name) => name.endsWith(".bin")).length, 8);
    assert.ok(
      (await Deno.stat(join(backups, backup.file_name.replace(".tar.zst", ".manifest.json")))).isFile,
    );
  }));

Deno.test("the control plane is killed in the middle of a run: the run succeeds, every line is there once", () =>
  staged(32, async (stage) => {
    const { api, taskId, backups } = stage;
    const run = await heldRun(stage);
    stage.server.kill("SIGKILL");
    await stage.server.ended();
    run.go();
    await stage.restart();
    const log = await api.finished(taskId);
    assert.equal(log.status, "successful", log.output);
    assertLinesOnce(log.output);
    assert.equal((await archivesIn(backups)).length, 1);
    assert.equal((await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data.length, 1);
  }));

Deno.test("the agent is killed in the middle of a run: the run fails, nothing is left, the next one works", () =>
  staged(32, async (stage) => {
    const { api, taskId, backups, directory } = stage;
    await heldRun(stage);
    Deno.kill(Number(await Deno.readTextFile(join(directory, "data", "agent", "agent.pid"))), "SIGKILL");
    await until(async () => (await processesWith("tar", stage.source)).length === 0);
    const log = await api.finished(taskId);
    assert.equal(log.status, "failed");
    assert.match(log.output, /Backup failed: The agent was restarted while the run was active/);
    await until(async () => (await Array.fromAsync(Deno.readDir(backups))).length === 0);
    assert.equal((await api.run(taskId)).status, "successful");
    assert.equal((await archivesIn(backups)).length, 1);
  }));

Deno.test("the control plane is killed in the middle of a restore: it succeeds, every line is there once", () =>
  staged(32, async (stage) => {
    const restore = await heldRestore(stage);
    stage.server.kill("SIGKILL");
    await stage.server.ended();
    restore.go();
    await stage.restart();
    const log = await ended(stage.api, restore.log);
    assert.equal(log.status, "successful", log.output);
    assertLinesOnce(log.output);
    const same = await new Deno.Command("diff", { args: ["-r", stage.source, restore.target] }).output();
    assert.ok(same.success);
  }));

Deno.test("the agent is killed in the middle of a restore: it fails, what was unpacked is gone", () =>
  staged(32, async (stage) => {
    const restore = await heldRestore(stage);
    const pid = await Deno.readTextFile(join(stage.directory, "data", "agent", "agent.pid"));
    Deno.kill(Number(pid), "SIGKILL");
    const log = await ended(stage.api, restore.log);
    assert.equal(log.status, "failed");
    assert.match(
      log.reason,
      /The agent was restarted while the run was active\. What it had unpacked is removed\./,
    );
    const left = [...Deno.readDirSync(stage.directory)].map(({ name }) => name).sort();
    assert.deepEqual(left, ["backups", "data", "source"]);
  }));

Deno.test("the agent is killed while files are put into their place: they are taken away, and what they replaced is back", async () => {
  await using linking = await stalledLinking();
  await staged(2, async (stage) => {
    const { api, taskId, directory } = stage;
    assert.equal((await api.run(taskId)).status, "successful");
    const [backup] = (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
    const target = join(directory, "used");
    const [first] = [...Deno.readDirSync(stage.source)].map(({ name }) => name).sort();
    await Deno.mkdir(target);
    await Deno.writeTextFile(join(target, "mine"), "mine");
    await Deno.writeTextFile(join(target, first!), "mine too");
    await Deno.utime(target, 1000, 1000);
    const before = await describeTree(target);
    const { body } = await api.call("POST", `/backups/${backup.id}/restore`, {
      target_path: target,
      overwrite: true,
    });
    await linking.stalled();
    assert.notEqual(await Deno.readTextFile(join(target, first!)), "mine too");
    Deno.kill(Number(await Deno.readTextFile(join(directory, "data", "agent", "agent.pid"))), "SIGKILL");
    const log = await ended(api, `/backup-task-logs/${body.backup_task_log_id}`);
    assert.equal(log.status, "failed");
    assert.ok(
      log.reason.endsWith(`It was putting files into ${target}, which is as it was before.`),
      log.reason,
    );
    assert.deepEqual(await describeTree(target), before);
    await linking.ended();
    const again = await api.call("POST", `/backups/${backup.id}/restore`, {
      target_path: target,
      overwrite: true,
    });
    const second = await ended(api, `/backup-task-logs/${again.body.backup_task_log_id}`);
    assert.equal(second.status, "successful", second.output);
    assert.equal(await Deno.readTextFile(join(target, "mine")), "mine");
  }, linking.directory);
});

/** Creates a program `cp` that hangs after it has linked the first files of a restore. */
async function stalledLinking() {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-bin-" });
  const path = Deno.env.get("PATH")!;
  const pidFile = join(directory, "pid");
  const script = `#!/bin/sh
case "$* $(readlink /proc/$$/fd/4)" in *.replaced) ;; *" --link "*) if [ ! -e ${pidFile} ]; then
  PATH='${path}' cp "$@"; echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1000
fi;; esac
PATH='${path}' exec cp "$@"
`;
  await Deno.writeTextFile(join(directory, "cp"), script, { mode: 0o755 });
  const pid = async () => (await Deno.readTextFile(pidFile).catch(() => "")).trim();
  return {
    /** The directory that contains the program. It must come first in the PATH of an agent. */
    directory,
    stalled: () => until(async () => await pid() !== ""),
    /** Resolves when the hanging program has ended. The program ends when its agent is killed. */
    ended: () => pid().then((found) => until(async () => !(await exists(`/proc/${found}`)))),
    async [Symbol.asyncDispose]() {
      await Deno.remove(directory, { recursive: true });
    },
  };
}

Deno.test("a cancelled run ends at once, with nothing left of it", () =>
  staged(32, async (stage) => {
    const { api, taskId, backups } = stage;
    const run = await heldRun(stage);
    assert.equal((await api.call("POST", `/backup-tasks/${taskId}/cancel`)).status, 200);
    const log = await api.finished(taskId);
    assert.equal(log.status, "cancelled");
    assert.match(log.output, /Backup cancelled: Cancelled by request\./);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(backups)), []);
    assert.throws(() => run.go(), Deno.errors.NotFound);
    assert.equal((await api.run(taskId)).status, "successful");
  }));

Deno.test("a server that is told to stop ends its run as failed, and says so at the next start", () =>
  staged(32, async (stage) => {
    const { api, taskId, backups } = stage;
    const run = await heldRun(stage);
    assert.equal((await stage.server.stop()).code, 0);
    assert.throws(() => run.go(), Deno.errors.NotFound);
    await stage.restart();
    const log = await api.finished(taskId);
    assert.equal(log.status, "failed");
    assert.match(log.output, /The agent was stopped while the run was active/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(backups)), []);
  }));
