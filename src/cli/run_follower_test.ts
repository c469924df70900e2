import assert from "node:assert/strict";
import { CliHome } from "../../tests/support/clients/cli.ts";
import { type ControlPlane, startControlPlane } from "../../tests/support/servers/control_plane.ts";
import { until } from "../../tests/support/assertions/until.ts";

async function photoTask({ api, serverId }: ControlPlane, directory: string): Promise<number> {
  await Deno.mkdir(`${directory}/photos`);
  await Deno.writeTextFile(`${directory}/photos/cat.txt`, "meow");
  const local = { label: "Here", type: "local", local_path: `${directory}/stored` };
  return await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: await api.create("/backup-destinations", local),
    label: "Photos",
    type: "files",
    source_path: `${directory}/photos`,
    frequency: "daily",
    time_to_run_at: "02:00",
  });
}

/**
 * Starts a proxy in front of a control plane. The proxy cuts the first two log streams, each after some lines
 * of output.
 */
function cuttingProxy(target: string) {
  const resumedAfter: (string | null)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = request.method === "POST" ? await request.text() : undefined;
    const response = await fetch(`${target}${pathname}${search}`, {
      method: request.method,
      headers: request.headers,
      body,
    });
    if (!pathname.endsWith("/stream")) return response;
    resumedAfter.push(request.headers.get("last-event-id"));
    if (resumedAfter.length > 2) return response;
    let text = "";
    return new Response(
      response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(
        new TransformStream<string, Uint8Array>({
          transform(piece, controller) {
            text += piece;
            // Cut each of the first two streams after its first output. If a stream has no output before the
            // run's end, cut it before the run's end. So only the third stream contains the run's end, even
            // if the run is very fast.
            const [sent, event] = /^[^]*?\nevent: (output|finished)\n[^]*?\n\n/.exec(text) ?? [];
            if (sent === undefined) return;
            if (event === "output") controller.enqueue(new TextEncoder().encode(sent));
            controller.terminate();
          },
        }),
      ),
      response,
    );
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, resumedAfter, server };
}

Deno.test("a run is followed through lost connections, every line of it once", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const { url, resumedAfter, server } = cuttingProxy(plane.api.url);
  await using _ = server;
  const taskId = await photoTask(plane, home.directory);
  const env = { REARGUARD_URL: url, REARGUARD_API_TOKEN: plane.api.token };
  const { code, stdout, stderr } = await home.run(["tasks", "run", `${taskId}`, "--follow"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(resumedAfter.length, 3);
  assert.equal(resumedAfter[0], null);
  assert.match(resumedAfter[2]!, /^1-[1-9]\d*$/);
  const { output } = (await plane.api.call("GET", "/backup-task-logs/1")).body.data;
  assert.equal(stdout.slice(0, stdout.lastIndexOf("Run 1 succeeded")), output);
});

Deno.test("Ctrl-C does not stop the run, and prints how to see it", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const taskId = await photoTask(plane, home.directory);
  // A stopped agent does not accept the run, so the run stays queued.
  Deno.kill(plane.agentPid, "SIGSTOP");
  try {
    const env = { REARGUARD_URL: plane.api.url, REARGUARD_API_TOKEN: plane.api.token };
    const follower = home.start(["tasks", "run", `${taskId}`, "--follow"], { env });
    const latest = `/backup-tasks/${taskId}/latest-log`;
    await until(async () => (await plane.api.call("GET", latest)).status === 200);
    const ended = follower.output();
    // Wait until the process handles SIGINT, because an earlier signal would end the process at once.
    await until(() => handlesInterrupt(follower.pid));
    follower.kill("SIGINT");
    const { code, stderr } = await ended;
    assert.equal(code, 130);
    assert.equal(
      new TextDecoder().decode(stderr),
      "Run 1 continues; follow it with: rearguard logs show 1 --follow\n",
    );
  } finally {
    Deno.kill(plane.agentPid, "SIGCONT");
  }
  assert.equal((await plane.api.finished(taskId)).status, "successful");
});

/** Returns whether a process handles SIGINT, by its mask of caught signals (proc(5)). */
function handlesInterrupt(pid: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]!;
  return (BigInt(`0x${mask}`) & 2n) !== 0n;
}
