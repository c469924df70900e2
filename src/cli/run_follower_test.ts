import assert from "node:assert/strict";
import { CliHome } from "../../tests/support/cli.ts";
import { startControlPlane } from "../../tests/support/control_plane.ts";

/** In front of a control plane: cuts the first two log streams, each after some lines of output. */
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
    let lines = 0;
    return new Response(
      response.body!.pipeThrough(
        new TransformStream({
          transform(chunk, controller) {
            controller.enqueue(chunk);
            lines += new TextDecoder().decode(chunk).split("event: output").length - 1;
            if (lines > 0) controller.terminate();
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
  await Deno.mkdir(`${home.directory}/photos`);
  await Deno.writeTextFile(`${home.directory}/photos/cat.txt`, "meow");
  const taskId = await plane.api.create("/backup-tasks", {
    remote_server_id: plane.serverId,
    backup_destination_id: await plane.api.create("/backup-destinations", {
      label: "Here",
      type: "local",
      local_path: `${home.directory}/stored`,
    }),
    label: "Photos",
    type: "files",
    source_path: `${home.directory}/photos`,
    frequency: "daily",
    time_to_run_at: "02:00",
  });
  const env = { REARGUARD_URL: url, REARGUARD_API_TOKEN: plane.api.token };
  const { code, stdout, stderr } = await home.run(["tasks", "run", `${taskId}`, "--follow"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(resumedAfter.length, 3);
  assert.equal(resumedAfter[0], null);
  assert.match(resumedAfter[2]!, /^1-[1-9]\d*$/);
  const { output } = (await plane.api.call("GET", "/backup-task-logs/1")).body.data;
  assert.equal(stdout.slice(0, stdout.lastIndexOf("Run 1 succeeded")), output);
});
