import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newBackup, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";

for (const kind of ["verify", "drill"]) {
  Deno.test(`a run of kind ${kind} is queued with a log of its own, once at a time, if the token allows it`, async () => {
    await using api = await testApi();
    const client = await api.user();
    const id = await newBackup(api.database, await newTask(client), api.clock.now());
    const path = `/api/backups/${id}/${kind}`;
    const reader = await api.tokenOf(client, ["view-backup-tasks"]);
    assert.equal((await reader.call("POST", path)).status, 403);
    assert.equal((await (await api.user()).call("POST", path)).status, 404);
    const answer = await client.call("POST", path);
    assert.equal(answer.status, 202);
    const log = await client.call("GET", `/api/backup-task-logs/${answer.body.backup_task_log_id}`);
    const { data } = log.body;
    assert.deepEqual([data.kind, data.status, data.backup_id], [kind, "queued", id]);
    const again = await client.call("POST", path);
    assert.equal(again.status, 409);
    assert.match(
      again.body.message,
      /is queued already\. Follow its log, \/api\/backup-task-logs\/\d+, or cancel/,
    );
    await client.call("POST", `/api/backup-task-logs/${answer.body.backup_task_log_id}/cancel`);
    const elsewhere = await client.call("POST", path, { remote_server_id: await newServer(client) });
    assert.equal(elsewhere.status, 409);
    assert.match(
      elsewhere.body.message,
      /is on the disk of .+, whose agent is not connected\. Start it there/,
    );
    await client.call("DELETE", `/api/backups/${id}`);
    const deleted = await client.call("POST", path);
    assert.equal(deleted.status, 409);
    assert.match(deleted.body.message, /in the trash/);
  });
}

Deno.test("a backup that the control plane cannot decrypt or restore gets no drill", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newBackup(api.database, await newTask(client), api.clock.now());
  const refused = async (change: Record<string, unknown>) => {
    await api.database`update backups set ${api.database(change)}`;
    const { status, body } = await client.call("POST", `/api/backups/${id}/drill`);
    assert.equal(status, 409);
    return body.message;
  };
  const recipients = { encryption: "recipients", encryption_recipients: ["age1"], encrypted: true };
  assert.match(await refused(recipients), /encrypted to recipients\. .* Restore it with the identity/);
  const none = { encryption: "none", encryption_recipients: [], encrypted: false };
  assert.match(await refused({ ...none, engine: "rearguard" }), /control plane's own state, .* Verify it/);
});
