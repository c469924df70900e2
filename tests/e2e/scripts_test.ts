/** Tests scripts before and after backups, run by real agents. */
import assert from "node:assert/strict";
import { type ControlPlane, startAgent, startControlPlane } from "../support/servers/control_plane.ts";
import { runningProcesses, signalAll } from "../../agent/engine/programs/process_tree.ts";
import { QUICK_AGENT } from "../support/clients/quick_agent.ts";
import { until } from "../support/assertions/until.ts";

type Fields = Record<string, unknown>;
type Script = Fields & { type: string; script: string };

interface Stage {
  plane: ControlPlane;
  /** A directory that every user may write to. */
  root: string;
  /** Creates a task with these scripts. Returns the task's id. */
  task(scripts: Script[], fields?: Fields): Promise<number>;
}

async function openStage(
  stack: AsyncDisposableStack,
  environment: Record<string, string> = {},
): Promise<Stage> {
  const plane = stack.use(await startControlPlane({ program: QUICK_AGENT, logLevel: "info", environment }));
  const root = await Deno.makeTempDir({ prefix: "rearguard-scripts-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.chmod(root, 0o1777);
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "content");
  const { api, serverId } = plane;
  const local = { label: "here", type: "local", local_path: `${root}/backups` };
  const destination = await api.create("/backup-destinations", local);
  return {
    plane,
    root,
    async task(scripts, fields = {}) {
      const script_ids = [];
      for (const script of scripts) {
        script_ids.push(await api.create("/scripts", { label: `a ${script.type}`, ...script }));
      }
      return await api.create("/backup-tasks", {
        remote_server_id: serverId,
        backup_destination_id: destination,
        label: "Shop's data",
        type: "files",
        source_path: `${root}/source`,
        custom_cron_expression: "0 0 29 2 *",
        script_ids,
        ...fields,
      });
    },
  };
}

async function lines(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path).catch(() => "")).split("\n").filter((line) => line !== "");
}

/** Returns the output in a run's log without the times. */
function outputOf(log: { output: string }): string {
  return log.output.replaceAll(/^\S+ /gm, "");
}

async function startRun({ plane: { api } }: Stage, task: number): Promise<void> {
  const { status, body } = await api.call("POST", `/backup-tasks/${task}/run`);
  assert.equal(status, 202, JSON.stringify(body));
}

Deno.test("scripts run in order, know their run, and the secrets in their output are masked", async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack);
  const { plane: { api }, root } = stage;
  const note = (name: string) => `echo "${name} $REARGUARD_OUTCOME" >>"${root}/order"\n`;
  await Deno.writeTextFile(`${root}/order`, "");
  await Deno.chmod(`${root}/order`, 0o666);
  const task = await stage.task([
    { type: "postscript", script: `${note("last")}env | sort >"${root}/env"; pwd; umask; cat` },
    { type: "after_failure", script: note("never") },
    { type: "after_success", script: note("success") },
    {
      type: "prescript",
      script: `#!/usr/bin/env -S bash -e\r\n${note("first")}[[ -t 0 ]] || echo "\${BASH_VERSION%%.*}"`,
    },
    {
      type: "prescript",
      script: `${note("second")}echo "it is correct horse battery" >&2; printf 'a\\377\\033[31mb\\n'; id -un`,
      run_as: "nobody",
    },
  ], { encryption_password: "correct horse battery" });
  const shown = (await api.call("GET", `/backup-tasks/${task}`)).body.data;
  assert.deepEqual(shown.script_ids, [1, 2, 3, 4, 5]);
  const log = await api.run(task);
  assert.equal(log.status, "successful", log.output);
  assert.deepEqual(await lines(`${root}/order`), [
    "first ",
    "second ",
    "success successful",
    "last successful",
  ]);
  const output = outputOf(log);
  assert.match(output, /Prescript 4 \(a prescript\) begins \(SHA-256 [0-9a-f]{64}\)\n\| \d\n/);
  assert.match(output, /\| it is \*\*\*\n\| a\\xff\\x1b\[31mb\n\| nobody\n/);
  assert.doesNotMatch(output, /correct horse/);
  assert.match(output, /\| \/\n\| 0022\nPostscript 1 \(a postscript\) succeeded in/);
  const [backup] = (await api.call("GET", `/backup-tasks/${task}/backups`)).body.data;
  const env = Object.fromEntries((await lines(`${root}/env`)).map((line) => line.split(/=(.*)/s)));
  const own = Object.keys(env).filter((name) =>
    !/^(PATH|LC_ALL|HOME|USER|LOGNAME|PWD|SHLVL|_|OLDPWD)$/.test(name)
  );
  assert.deepEqual(own, own.filter((name) => name.startsWith("REARGUARD_")));
  assert.ok(!("REARGUARD_TOKEN" in env) && !("REARGUARD_URL" in env));
  const { REARGUARD_INVOCATION_ID, REARGUARD_TIMESTAMP, REARGUARD_DURATION_SECONDS, ...rest } = env;
  assert.match(REARGUARD_INVOCATION_ID!, /^[0-9a-f-]{36}-0$/);
  assert.match(REARGUARD_TIMESTAMP!, /^\d{14}$/);
  assert.match(REARGUARD_DURATION_SECONDS!, /^\d+$/);
  assert.deepEqual(
    Object.fromEntries(Object.entries(rest).filter(([name]) => name.startsWith("REARGUARD_"))),
    {
      REARGUARD_TASK_ID: String(task),
      REARGUARD_TASK_LABEL: "Shop's data",
      REARGUARD_RUN_ID: String(log.id),
      REARGUARD_SOURCE_TYPE: "files",
      REARGUARD_SOURCE_PATH: `${root}/source`,
      REARGUARD_SCRIPT_ID: "1",
      REARGUARD_SCRIPT_LABEL: "a postscript",
      REARGUARD_SCRIPT_TYPE: "postscript",
      REARGUARD_OUTCOME: "successful",
      REARGUARD_WARNINGS_COUNT: "0",
      REARGUARD_SIZE: String(backup.size),
      REARGUARD_BYTES_READ: String(log.progress.bytes_read),
      REARGUARD_FILE_NAME: backup.file_name,
    },
  );
  // No file of the scripts is left on the server.
  assert.deepEqual([...Deno.readDirSync(`${stage.plane.agentStateDirectory}/scripts`)], []);
});

Deno.test("a failed prescript fails the run before anything is stored, or counts a warning", async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack);
  const { plane: { api }, root } = stage;
  const told = `echo "$REARGUARD_SCRIPT_TYPE $REARGUARD_OUTCOME: $REARGUARD_REASON" >>"${root}/told"`;
  const after: Script[] = [
    { type: "after_success", script: told },
    { type: "after_failure", script: told },
    { type: "postscript", script: `${told}; kill -9 $$`, on_failure: "warn" },
    { type: "postscript", script: told },
  ];
  const failing = await stage.task([
    { type: "prescript", script: "exit 3" },
    { type: "prescript", script: `touch "${root}/second"` },
    ...after,
  ]);
  const failed = await api.run(failing);
  assert.equal(failed.status, "failed");
  const reason = "Cannot begin the backup: Prescript 1 (a prescript) failed: it ended with exit code 3.";
  assert.equal(failed.reason, reason);
  assert.equal(failed.warnings_count, 1);
  assert.match(failed.output, /Warning: Postscript 5 \(a postscript\) failed: SIGKILL ended it\./);
  assert.deepEqual(
    await lines(`${root}/told`),
    ["after_failure", "postscript", "postscript"].map((type) => `${type} failed: ${reason}`),
  );
  await assert.rejects(Deno.stat(`${root}/second`));
  await assert.rejects(Deno.stat(`${root}/backups`));

  const warning = await stage.task([{ type: "prescript", script: "no-such-program", on_failure: "warn" }]);
  const log = await api.run(warning);
  assert.deepEqual([log.status, log.warnings_count], ["successful", 1], log.output);
  assert.match(log.output, /\| .*no-such-program.*not found/);
  assert.match(log.output, /exit code 127: a program was not found/);

  const unknown = await stage.task([
    { type: "prescript", script: `touch "${root}/second"` },
    { type: "postscript", script: `touch "${root}/second"`, run_as: "no-such-user" },
  ]);
  const refused = await api.run(unknown);
  assert.equal(refused.status, "failed");
  assert.match(
    refused.reason!,
    /^Cannot run as no-such-user: there is no such user on this server\. .*run_as of script/,
  );
  await assert.rejects(Deno.stat(`${root}/second`));
});

Deno.test("a script that fails after the backup fails the run, and the backup stays", async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack);
  const { plane: { api } } = stage;
  const task = await stage.task([
    { type: "after_success", script: "exit 1" },
    { type: "postscript", script: 'echo "$REARGUARD_OUTCOME"; exit 2' },
  ]);
  const log = await api.run(task);
  assert.equal(log.status, "failed");
  assert.equal(
    log.reason,
    "The backup is stored. Scripts failed: Script after success 1 (a after_success): it ended with exit code 1; " +
      "Postscript 2 (a postscript): it ended with exit code 2.",
  );
  assert.match(log.output, /\| successful\n/);
  const { data } = (await api.call("GET", `/backup-tasks/${task}/backups`)).body;
  assert.equal(data.length, 1);
  const verified = await api.carryOut(`/backups/${data[0].id}/verify`);
  assert.equal(verified.status, "successful", verified.output);
  assert.doesNotMatch(verified.output, /Postscript|Script after/);
  const restored = await api.carryOut(`/backups/${data[0].id}/restore`, {
    target_path: `${stage.root}/restored`,
  });
  assert.equal(restored.status, "successful", restored.output);
  assert.doesNotMatch(restored.output, /Postscript|Script after/);
});

Deno.test("a script is ended at its limit with all that it started, whoever holds its output open", async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack);
  const { plane: { api }, root } = stage;
  const alive = async () => {
    const pids = await lines(`${root}/pids`);
    return pids.filter((pid) => {
      try {
        return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
      } catch {
        return false;
      }
    });
  };
  const children = `trap '' TERM; sleep 600 & echo $! >>"${root}/pids"
    setsid sh -c 'echo $$ >>"${root}/pids"; exec sleep 600' & nohup sleep 600 & echo $! >>"${root}/pids"
    while [ $(wc -l <"${root}/pids") -lt 3 ]; do sleep 0.02; done`;
  const hanging = await stage.task([
    { type: "prescript", script: `${children}; wait; sleep 600`, timeout_seconds: 1 },
  ]);
  const log = await api.run(hanging);
  assert.equal(log.status, "failed");
  assert.match(log.reason!, /it did not end within 1 s and was ended\.$/);
  assert.equal((await lines(`${root}/pids`)).length, 3);
  assert.deepEqual(await alive(), []);

  // A script has succeeded once it has ended, whatever processes it leaves behind.
  await Deno.remove(`${root}/pids`);
  const leaving = await stage.task([{ type: "prescript", script: `${children}; echo done` }]);
  const left = await api.run(leaving);
  assert.equal(left.status, "successful", left.output);
  assert.match(left.output, /\| done\n/);
  const pids = await alive();
  assert.equal(pids.length, 3);
  for (const pid of pids) Deno.kill(Number(pid), "SIGKILL");
});

Deno.test("a cancelled run ends its prescript and runs its postscripts, which nothing ends", async () => {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack);
  const { plane: { api }, root } = stage;
  const task = await stage.task([
    { type: "prescript", script: `touch "${root}/begun"; sleep 600` },
    { type: "after_failure", script: `touch "${root}/never"` },
    {
      type: "postscript",
      script: `echo "$REARGUARD_OUTCOME" >>"${root}/post"; until [ -e "${root}/go" ]; do sleep 0.05; done`,
    },
  ], { stall_warning: 1, stall_timeout: 2 });
  await startRun(stage, task);
  await until(async () =>
    (await lines(`${root}/begun`), await Deno.stat(`${root}/begun`).catch(() => null)) !== null
  );
  const latest = async () => (await api.call("GET", `/backup-tasks/${task}/latest-log`)).body.data;
  await until(async () => (await latest()).progress.phase === "prescript");
  await api.call("POST", `/backup-tasks/${task}/cancel`);
  await until(async () => (await lines(`${root}/post`)).length > 0);
  await until(async () => (await latest()).progress.phase === "postscript");
  // A second request to cancel changes nothing.
  await api.call("POST", `/backup-tasks/${task}/cancel`);
  await Deno.writeTextFile(`${root}/go`, "");
  const log = await api.finished(task);
  assert.equal(log.status, "cancelled", log.output);
  assert.match(log.output, /Prescript 1 \(a prescript\) failed: it was ended because the run was stopped\./);
  assert.match(log.output, /Postscript 3 \(a postscript\) succeeded/);
  assert.deepEqual(await lines(`${root}/post`), ["cancelled"]);
  await assert.rejects(Deno.stat(`${root}/never`));
});

/** Starts an agent with the state of an agent that was killed. Returns the new agent's process id. */
async function anotherAgent({ plane }: Stage, stack: AsyncDisposableStack): Promise<number> {
  const options = { program: QUICK_AGENT, logLevel: "info" };
  const earlier = { stateDirectory: plane.agentStateDirectory };
  return (await startAgent(plane.api.url, "", options, stack, earlier)).pid;
}

/** Kills every process that the agent's scripts have started, as a power failure would. */
function killScripts(stateDirectory: string): void {
  const own = runningProcesses().filter(({ pid, session }) =>
    pid === session && wordsOf(pid).some((word) => word.startsWith(`${stateDirectory}/scripts/`))
  );
  for (const { pid } of own) {
    signalAll(runningProcesses().filter(({ session }) => session === pid), "SIGKILL");
  }
}

function wordsOf(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch {
    return []; // the process has ended
  }
}

Deno.test("an agent is killed at every step: what follows the backup runs exactly once", async (t) => {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(stack);
  const { plane: { api }, root } = stage;
  let pid = stage.plane.agentPid;
  const step = async (
    name: string,
    scripts: { pre?: string; success?: string; post?: string; isMachine?: boolean },
    expected: { status: string; counts: string[]; output: RegExp; kept?: boolean },
  ) =>
    await t.step(name, async () => {
      await Deno.remove(`${root}/marks`).catch(() => {});
      await Deno.remove(`${root}/now`).catch(() => {});
      await Deno.remove(`${root}/go`).catch(() => {});
      const mark = (of: string) => `echo ${of} >>"${root}/marks"\n`;
      const task = await stage.task([
        { type: "prescript", script: mark("pre") + (scripts.pre ?? "") },
        { type: "after_success", script: mark("success") + (scripts.success ?? "") },
        { type: "after_failure", script: mark("failure") },
        { type: "postscript", script: mark("post") + (scripts.post ?? "") },
        { type: "postscript", script: mark("last"), on_failure: "warn" },
      ]);
      await startRun(stage, task);
      await until(async () => (await Deno.stat(`${root}/now`).catch(() => null)) !== null);
      Deno.kill(pid, "SIGKILL");
      if (scripts.isMachine) killScripts(stage.plane.agentStateDirectory);
      pid = await anotherAgent(stage, stack);
      await Deno.writeTextFile(`${root}/go`, "");
      const log = await api.finished(task);
      assert.equal(log.status, expected.status, log.output);
      assert.match(log.output, expected.output);
      assert.deepEqual(await lines(`${root}/marks`), expected.counts, log.output);
      const { data } = (await api.call("GET", `/backup-tasks/${task}/backups`)).body;
      assert.equal(data.length, expected.kept ? 1 : 0);
      if (expected.kept) {
        const verified = await api.carryOut(`/backups/${data[0].id}/verify`);
        assert.equal(verified.status, "successful", verified.output);
      }
    });
  const hang = `touch "${root}/now"; sleep 600`;
  // This script continues after its agent is gone, and ends by itself.
  const end =
    `exec >/dev/null 2>&1; touch "${root}/now"; until [ -e "${root}/go" ]; do sleep 0.02; done; echo end >>"${root}/marks"`;
  const interrupted =
    /the agent was restarted while it ran, so how it ended is not known; it is not run again/;
  await step("in a prescript, which is ended", { pre: hang }, {
    status: "failed",
    counts: ["pre", "failure", "post", "last"],
    output: /Backup failed: The agent was restarted while the run was active/,
  });
  await step("in a postscript that goes on: it is waited for", { post: end }, {
    status: "successful",
    counts: ["pre", "success", "post", "end", "last"],
    output: /Postscript \d+ \(a postscript\) succeeded/,
    kept: true,
  });
  await step("in a script after success that goes on", { success: `${end}; exit 4` }, {
    status: "failed",
    counts: ["pre", "success", "end", "post", "last"],
    output:
      /The backup is stored\. A script failed: Script after success \d+ \(.*\): it ended with exit code 4\./,
    kept: true,
  });
  await step("in a postscript, with its machine", { post: hang, isMachine: true }, {
    status: "failed",
    counts: ["pre", "success", "post", "last"],
    output: interrupted,
    kept: true,
  });
  await step("in a script after success, with its machine", { success: hang, isMachine: true }, {
    status: "failed",
    counts: ["pre", "success", "post", "last"],
    output: interrupted,
    kept: true,
  });
});

Deno.test("the agent's configuration refuses scripts, or allows those that it lists", async (t) => {
  await t.step("all are refused", async () => {
    await using stack = new AsyncDisposableStack();
    const stage = await openStage(stack, { REARGUARD_SCRIPTS: "none" });
    const task = await stage.task([{ type: "postscript", script: ":", on_failure: "warn" }]);
    const log = await stage.plane.api.run(task);
    assert.equal(log.status, "failed");
    assert.match(
      log.reason!,
      /^Cannot run the task's scripts: this server's agent runs none \(REARGUARD_SCRIPTS=none\)/,
    );
    await assert.rejects(Deno.stat(`${stage.root}/backups`));
  });
  await t.step("listed ones are run", async () => {
    await using stack = new AsyncDisposableStack();
    const list = await Deno.makeTempFile({ prefix: "rearguard-allowed-" });
    stack.defer(() => Deno.remove(list));
    const stage = await openStage(stack, { REARGUARD_SCRIPTS: list });
    const { api } = stage.plane;
    const task = await stage.task([{ type: "prescript", script: `touch "${stage.root}/ran"` }]);
    const [id] = (await api.call("GET", `/backup-tasks/${task}`)).body.data.script_ids;
    const { sha256 } = (await api.call("GET", `/scripts/${id}`)).body.data;
    const refused = await api.run(task);
    assert.equal(refused.status, "failed");
    assert.ok(refused.reason!.includes(`Add its SHA-256 ${sha256} to ${list} there`), refused.reason!);
    await assert.rejects(Deno.stat(`${stage.root}/ran`));
    await Deno.writeTextFile(list, `# Freezes the shop\n${sha256}  freeze.sh\n`);
    assert.equal((await api.run(task)).status, "successful");
    await Deno.stat(`${stage.root}/ran`);
    // The SHA-256 of a changed text is not in the list.
    await api.call("PUT", `/scripts/${id}`, { script: `touch "${stage.root}/ran" #` });
    assert.match((await api.run(task)).reason!, /does not allow it/);
  });
});
