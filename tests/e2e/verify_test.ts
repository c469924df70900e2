/** Tests verifications and drills through the API, a control plane, its scheduler and an agent. */
import assert from "node:assert/strict";
import type { ServiceContext } from "../../src/services/context.ts";
import { Scheduler } from "../../src/dispatcher/scheduler.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { destinationFixtures } from "../support/fixtures/destinations.ts";
import { newStream } from "../support/fixtures/notified.ts";
import { HttpReceiver } from "../support/servers/receivers.ts";
import { until } from "../support/assertions/until.ts";

/**
 * Runs the scheduler until the condition holds. One round might not be enough, because the scheduler skips
 * rows that are locked.
 */
function scheduled(services: ServiceContext, condition: () => Promise<boolean>): Promise<void> {
  return until(async () => {
    const scheduler = new Scheduler(services);
    scheduler.start();
    await scheduler.stop();
    return await condition();
  });
}

Deno.test("a backup is verified at every type of destination, and a flipped byte is told and kept", async (t) => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const { api, serverId } = plane;
  const root = await Deno.makeTempDir({ prefix: "rearguard-verify-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  await shell('mkdir "$1/tree"; cd "$1/tree"; seq 1000 > numbers; ln -s numbers link', root);
  const backUp = async (destinationId: number, fields: Record<string, unknown>) => {
    const taskId = await api.create("/backup-tasks", {
      remote_server_id: serverId,
      backup_destination_id: destinationId,
      label: "a tree",
      type: "files",
      source_path: `${root}/tree`,
      frequency: "daily",
      time_to_run_at: "01:00",
      ...fields,
    });
    const log = await api.run(taskId);
    assert.equal(log.status, "successful", log.output);
    return (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data[0];
  };
  const show = async (id: number) => (await api.call("GET", `/backups/${id}`)).body.data;
  for (const type of Object.keys(destinationFixtures)) {
    const fixture = stack.use(await destinationFixtures[type]!());
    const destinationId = await api.create("/backup-destinations", { label: type, ...fixture.fields });
    await t.step(type, async () => {
      const { id } = await backUp(destinationId, { store_path: fixture.storePath("trees") });
      const log = await api.carryOut(`/backups/${id}/verify`);
      assert.equal(log.status, "successful", log.output);
      assert.match(log.output, /Whole: backup_\d+_\d+\.tar\.zst, .*, 2 files\n/);
      assert.match(log.output, /Verification completed successfully in/);
      const backup = await show(id);
      assert.deepEqual([backup.status, backup.verified_at !== null], ["stored", true]);
    });
  }
  await t.step("a drill on schedule", async () => {
    const destinationId = await api.create("/backup-destinations", {
      label: "drilled",
      type: "local",
      local_path: `${root}/drilled`,
    });
    const { id, backup_task_id } = await backUp(destinationId, { verify_every: 0 });
    // Simulates that a day has passed, so that a drill is due.
    await plane.services.database`
      update backup_tasks set created_at = created_at - interval '1 day' where id = ${backup_task_id}`;
    const drilled = async () =>
      (await api.call("GET", "/backup-task-logs?per_page=100")).body.data.find(
        (log: { backup_id: number; finished_at: string | null }) =>
          log.backup_id === id && log.finished_at !== null,
      );
    await scheduled(plane.services, async () => await drilled() !== undefined);
    const log = await drilled();
    assert.deepEqual([log.kind, log.status], ["drill", "successful"], log.output);
    assert.match(log.output, /All of its 2 files and directories were restored/);
    const backup = await show(id);
    const task = (await api.call("GET", `/backup-tasks/${backup_task_id}`)).body.data;
    assert.ok(backup.proven_at !== null && backup.drill_duration_ms > 0);
    assert.deepEqual([task.last_proven_at, task.restore_duration_ms], [
      backup.proven_at,
      backup.drill_duration_ms,
    ]);
  });
  await t.step("damage", async () => {
    const destinationId = await api.create("/backup-destinations", {
      label: "here",
      type: "local",
      local_path: `${root}/backups`,
    });
    await using receiver = new HttpReceiver();
    const [user] = await plane.services.database<{ id: number }[]>`select id from users`;
    const streamId = await newStream(plane.services, { userId: user!.id, taskId: null }, {
      value: `${receiver.url}/hook`,
      on_success: false,
    });
    const { id, file_name, directory } = await backUp(destinationId, {
      verify_every: 1,
      notification_stream_ids: [streamId],
    });
    const path = `${directory}/${file_name}`;
    await shell('cp "$1" "$1.good"; printf xxxx | dd of="$1" bs=1 seek=100 conv=notrunc status=none', path);
    // Simulates that a day has passed, so that a verification is due.
    await plane.services
      .database`update backups set created_at = created_at - interval '1 day' where id = ${id}`;
    await scheduled(plane.services, async () => (await show(id)).status === "damaged");
    assert.match((await show(id)).damage_reason, new RegExp(`^${file_name}: its SHA-256 is`));
    const logs = (await api.call("GET", "/backup-task-logs?per_page=100")).body.data;
    const log = logs.findLast((log: { backup_id: number }) => log.backup_id === id);
    assert.deepEqual([log.kind, log.status], ["verify", "failed"]);
    assert.match(log.reason, /^Backup \d+ is damaged: /);
    await until(() => receiver.received.length > 0);
    const told = receiver.received[0]!.body;
    assert.deepEqual([told.version, told.event, told.task.label, told.server.label], [
      1,
      "backup.damaged",
      "a tree",
      "here",
    ]);
    assert.deepEqual([told.backup.id, told.backup.file_name, told.run.id, told.run.kind], [
      id,
      file_name,
      log.id,
      "verify",
    ]);
    assert.match(told.reason, new RegExp(`^${file_name}: its SHA-256 is`));
    assert.match(told.text, /older ones are kept from rotation/);
    const restored = await api.carryOut(`/backups/${id}/restore`, { target_path: `${root}/restored` });
    assert.match(
      restored.reason!,
      new RegExp(`^Cannot restore backup ${id}: Cannot trust ${file_name}: its SHA-256`),
    );
    await until(() => receiver.received.length > 1);
    const again = receiver.received[1]!.body;
    assert.deepEqual([again.event, again.run.kind, again.backup.id], ["backup.damaged", "restore", id]);
    await shell('mv "$1" "$1.bad"; mv "$1.good" "$1"', path);
    const whole = await api.carryOut(`/backups/${id}/verify`);
    assert.equal(whole.status, "successful", whole.output);
    const { status, damaged_at, damage_reason } = await show(id);
    assert.deepEqual([status, damaged_at, damage_reason], ["stored", null, null]);
    await shell('mv "$1" "$2"', directory, `${directory}.away`);
    const unreachable = await api.carryOut(`/backups/${id}/verify`);
    assert.match(
      unreachable.reason!,
      /^Cannot verify backup \d+: .* does not exist\. Check whether its file system is mounted/,
    );
    assert.equal((await show(id)).status, "stored");
  });
});
