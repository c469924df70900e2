/** Tests a copy of a machine with its agent's state directory, with real agents over real connections. */
import assert from "node:assert/strict";
import { FROM_SOURCE, startAgent, startControlPlane } from "../support/servers/control_plane.ts";
import { until } from "../support/assertions/until.ts";

Deno.test("a copy of an agent's state directory is refused, and the original goes on with its work", async () => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const root = await Deno.makeTempDir({ prefix: "rearguard-clone-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.mkdir(`${root}/agent/journal`, { recursive: true });
  await Deno.copyFile(`${plane.agentStateDirectory}/key`, `${root}/agent/key`);
  const options = { program: FROM_SOURCE, logLevel: "info" };
  const clone = await startAgent(await urlOf(plane), "", options, stack, {
    stateDirectory: `${root}/agent`,
  });
  await until(() => /refused the agent: 'Cannot connect this agent: another one/.test(clone.output()));
  const server = () => plane.api.call("GET", `/remote-servers/${plane.serverId}`);
  // The control plane first sends the refusal, and then stores that it refused the copy.
  await until(async () => (await server()).body.data.duplicate_agent !== null);
  const { body } = await server();
  assert.equal(body.data.duplicate_agent.hostname, Deno.hostname());
  assert.equal(body.data.status.connectivity, "connected");
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "x");
  const destination = await plane.api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
  const task = await plane.api.create("/backup-tasks", {
    remote_server_id: plane.serverId,
    backup_destination_id: destination,
    label: "x",
    type: "files",
    source_path: `${root}/source`,
    custom_cron_expression: "0 0 29 2 *",
  });
  await plane.api.call("POST", `/backup-tasks/${task}/run`);
  await until(async () => {
    const answer = await plane.api.call("GET", `/backup-tasks/${task}/latest-log`);
    return answer.body.data.status === "successful";
  });
});

/** Returns the control plane's URL as given on the agent's command line. */
async function urlOf({ agentPid }: { agentPid: number }): Promise<string> {
  const words = (await Deno.readTextFile(`/proc/${agentPid}/cmdline`)).split("\0");
  return words[words.indexOf("--url") + 1]!;
}
