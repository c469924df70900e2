/** Tests the audit log's entries about agents, with real sockets and a real agent. */
import assert from "node:assert/strict";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { until } from "../support/assertions/until.ts";

Deno.test("agents that enrol, connect and are refused are entered, with their addresses", async () => {
  await using plane = await startControlPlane();
  const { api, serverId, services } = plane;
  const rows = async () =>
    await services.database`
      select actor, remote_server_id, actor_name, action, resource_id, result, reason, address, request_id
      from audit_log where action in ('enrolAgent', 'connectAgent') order by id`;
  const [enrolled, connected, ...more] = await rows();
  assert.deepEqual(more, []);
  const { request_id, ...first } = enrolled!;
  assert.match(request_id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(first, {
    actor: "agent",
    remote_server_id: serverId,
    actor_name: "here",
    action: "enrolAgent",
    resource_id: serverId,
    result: "done",
    reason: null,
    address: "127.0.0.1",
  });
  assert.deepEqual({ ...connected!, request_id }, { ...first, request_id, action: "connectAgent" });
  assert.notEqual(connected!.request_id, request_id);

  await api.call("DELETE", `/remote-servers/${serverId}/agent`);
  const answer = await fetch(`${api.url}/api/agent/connect`, {
    headers: { authorization: `Bearer ${plane.secrets[1]}` },
  });
  assert.equal(answer.status, 401);
  await answer.body?.cancel();
  await until(async () => (await rows()).filter(({ result }) => result === "refused").length >= 2);
  const refused = (await rows()).filter(({ result }) => result === "refused");
  assert.match(refused.find(({ actor }) => actor === "agent")!.reason, /^The agent's key was revoked/);
  const unknown = refused.find(({ actor }) => actor === "unknown")!;
  assert.deepEqual([unknown.remote_server_id, unknown.reason, unknown.address], [
    null,
    "Unauthenticated.",
    "127.0.0.1",
  ]);
  const [all] = await services.database`select string_agg(audit_log::text, ' ') as text from audit_log`;
  for (const secret of plane.secrets) assert.ok(!all!.text.includes(secret));
});
