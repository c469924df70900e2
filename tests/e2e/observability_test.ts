/** Tests the trace and the log lines of one run, from a control plane and an agent in separate processes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiCaller } from "../support/clients/client.ts";
import { Collector } from "../support/servers/collector.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const TOKEN = "rg_observability-tests-only-0123456789";
const PASSWORD = "never to be told 5127";

interface Stage {
  directory: string;
  server: ServerProcess;
  url: string;
  api: ApiCaller;
  taskId: number;
  serverId: number;
}

async function staged(env: Record<string, string>, work: (stage: Stage) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-observed-" });
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(join(directory, "source"));
  await Deno.writeTextFile(join(directory, "source", "file"), "content\n");
  const server = new ServerProcess({
    dataDirectory: join(directory, "data"),
    env: { BOOTSTRAP_TOKEN: TOKEN, LOG_FORMAT: "json", ...env },
    args: ["--local-agent"],
  });
  try {
    const url = await server.ready();
    const api = new ApiCaller(url, TOKEN);
    const [remote] = (await api.call("GET", "/remote-servers")).body.data;
    const destinationId = await api.create("/backup-destinations", {
      label: "here",
      type: "local",
      local_path: join(directory, "backups"),
    });
    const taskId = await api.create("/backup-tasks", {
      remote_server_id: remote.id,
      backup_destination_id: destinationId,
      label: "tree",
      type: "files",
      source_path: join(directory, "source"),
      encryption_password: PASSWORD,
      frequency: "daily",
      time_to_run_at: "01:00",
    });
    await work({ directory, server, url, api, taskId, serverId: remote.id });
  } finally {
    await server.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a run is one trace, from the call that asks for it to its agent's programs and back", async () => {
  await using collector = new Collector();
  await staged(collector.environment, async ({ api, taskId, directory, server }) => {
    assert.equal((await api.run(taskId)).status, "successful");
    const named = (name: string) => collector.spans.filter((span) => span.name === name);
    await until(() => named("record finished").length > 0 && named("backup run").length > 0);
    await until(() => named("POST /api/backup-tasks/{id}/run").length > 0 && named("tar").length > 0);
    const [asked] = named("POST /api/backup-tasks/{id}/run");
    const ofTrace = (name: string, service: string) => {
      const found = named(name).filter((span) => span.trace === asked!.trace);
      // Only `tar` may have several spans.
      assert.ok(found.length === 1 || (name === "tar" && found.length > 0), `${name}: ${found.length}`);
      for (const span of found) assert.equal(span.service, service);
      return found.at(-1)!;
    };
    const chain = [
      asked!,
      ofTrace("queue run", "rearguard"),
      ofTrace("dispatch run", "rearguard"),
      ofTrace("backup run", "rearguard-agent"),
      ofTrace("tar", "rearguard-agent"),
    ];
    for (const [index, span] of chain.slice(1).entries()) {
      assert.equal(span.parent, chain[index]!.id, span.name);
    }
    const run = chain[3]!;
    assert.equal(ofTrace("record accepted", "rearguard").parent, run.id);
    const back = ofTrace("record finished", "rearguard");
    assert.equal(back.parent, run.id);
    assert.equal(back.attributes["rearguard.run.state"], "succeeded");
    assert.equal(run.attributes["rearguard.run.outcome"], "succeeded");
    assert.equal(Number(run.attributes["rearguard.task.id"]), taskId);
    // The control plane's log line contains the id of the trace.
    const queued = parsed(server.stderr).find(({ message }) => / is queued$/.test(message));
    assert.equal(queued.trace_id, asked!.trace);
    const agent = parsed(await Deno.readTextFile(join(directory, "data", "agent", "agent.log")));
    const begun = agent.find(({ message }) => / begins$/.test(message));
    assert.deepEqual([begun.trace_id, begun.span_id], [run.trace, run.id]);
    assert.ok(!collector.received.includes(PASSWORD) && !collector.received.includes(TOKEN));
    assert.ok(!collector.received.includes(join(directory, "source")), "a program's arguments are told");
  });
});

Deno.test("each log line about a run says which, of which task, on which server, and who asked", () =>
  staged({}, async ({ api, directory, server, serverId, taskId, url }) => {
    const asked = await fetch(`${url}/api/backup-tasks/${taskId}/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "x-request-id": "7C5FA2A04C524F2A8A4E0F4CB1D0A3C1" },
    });
    // The client sends the id in the format of nginx, without dashes. The response has the same id with
    // dashes.
    const requestId = "7c5fa2a0-4c52-4f2a-8a4e-0f4cb1d0a3c1";
    assert.equal(asked.headers.get("x-request-id"), requestId);
    const answer = await asked.json();
    assert.equal(asked.status, 202, JSON.stringify(answer));
    const runId = answer.backup_task_log_id;
    assert.equal((await api.finished(taskId)).status, "successful");
    const records = () => parsed(server.stderr).filter((line) => line.run_id !== undefined);
    await until(() => records().some(({ message }) => / is succeeded$/.test(message)));
    const states = records().map((line) => {
      assert.equal(line.run_id, runId);
      assert.equal(line.task_id, taskId);
      assert.equal(line.remote_server_id, serverId);
      return /^Backup run .* is (\w+)$/.exec(line.message)?.[1];
    });
    // Each transaction logs after its commit. So the dispatcher might log "leased" before the request logs
    // "queued".
    if (states[0] === "leased") [states[0], states[1]] = [states[1], states[0]];
    assert.deepEqual(states, ["queued", "leased", "running", "succeeded"]);
    const requested = records().filter((line) => line.request_id !== undefined);
    assert.deepEqual(requested.map((line) => line.request_id), [requestId]);
    assert.match(requested[0]!.message, / is queued$/);
    const logged = async () => parsed(await Deno.readTextFile(join(directory, "data", "agent", "agent.log")));
    const ofRuns = (lines: Awaited<ReturnType<typeof logged>>) =>
      lines.filter(({ message }) => /\brun\b/i.test(message));
    // The agent logs the end of a run after it has sent the verdict.
    await until(async () => ofRuns(await logged()).length > 1);
    const agent = await logged();
    const own = ofRuns(agent);
    assert.equal(own.length, 2);
    for (const line of own) assert.deepEqual([line.run_id, line.task_id, line.attempt], [runId, taskId, 1]);
    for (const line of [...parsed(server.stderr), ...agent]) {
      if (/\brun \d+/i.test(line.message)) assert.ok(line.run_id !== undefined, line.message);
    }
  }));

Deno.test("a control plane that is told to stop is not ready from then on", () =>
  staged({}, async ({ directory, server, url }) => {
    const readiness = () => fetch(`${url}/readyz`);
    const before = await readiness();
    assert.deepEqual([before.status, await before.json()], [200, { status: "ready" }]);
    // The control plane waits for its local agent before it ends. A suspended agent cannot end, so `/readyz`
    // keeps responding.
    const agent = Number(await Deno.readTextFile(join(directory, "data", "agent", "agent.pid")));
    Deno.kill(agent, "SIGSTOP");
    try {
      server.kill("SIGTERM");
      await until(async () => {
        const response = await readiness();
        const { message } = await response.json();
        return response.status === 503 && message === "The control plane is stopping.";
      });
    } finally {
      Deno.kill(agent, "SIGCONT");
    }
  }));

Deno.test("a run's requests about its uploads are handled in its trace", async () => {
  await using collector = new Collector();
  const url = (path: string) => new URL(`../../${path}`, import.meta.url);
  const program = `
    import { RunRequests } from "${url("agent/rpc/run_requests.ts")}";
    import { handleStorageRequest } from "${url("src/agents/storage_requests.ts")}";
    import { systemClock } from "${url("src/domain/clock.ts")}";
    import { startSpan, withSpan } from "${url("src/telemetry/tracing.ts")}";
    const noDatabase = {};
    const link = { request: (message) => handleStorageRequest(noDatabase, 7, { ...message, request_id: "1" }) };
    const ended = AbortSignal.timeout(200);
    const span = startSpan("backup run", {});
    const call = { type: "upload.abort", upload_id: "u" };
    await withSpan(span, () => new RunRequests(link, systemClock).request(call, "upload.aborted", ended)).catch(() => {});
    span.end();
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--ext=js", "-"],
    cwd: new URL(".", import.meta.url),
    env: collector.environment,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  assert.ok((await child.status).success);
  const run = collector.spans.find(({ name }) => name === "backup run")!;
  const answered = collector.spans.find(({ name }) => name === "answer upload.abort")!;
  assert.deepEqual([answered.trace, answered.parent, answered.status], [run.trace, run.id, 2]);
});

// deno-lint-ignore no-explicit-any
function parsed(text: string): any[] {
  return text.trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
