/** Tests guards through a control plane and an agent. */
import assert from "node:assert/strict";
import { shell } from "../support/fixtures/backup_run.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";

/**
 * Creates a task that backs up 40 text files of 50 kB each. Makes three backups: guards need at least three
 * to compare with.
 */
async function guardedTask(fields: Record<string, unknown>) {
  await using stack = new AsyncDisposableStack();
  const { api, serverId, services } = stack.use(await startControlPlane());
  const directory = await Deno.makeTempDir({ prefix: "rearguard-guards-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const tree = `${directory}/tree`;
  await shell('mkdir "$1"; cd "$1"; seq 300000 | split -b 50000 -da 2 -', tree);
  const backupsDirectory = `${directory}/backups`;
  const destination = { label: "here", type: "local", local_path: backupsDirectory };
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: await api.create("/backup-destinations", destination),
    label: "tree",
    type: "files",
    source_path: tree,
    frequency: "daily",
    time_to_run_at: "01:00",
    ...fields,
  });
  for (let i = 0; i < 3; i++) {
    const log = await api.run(taskId);
    assert.equal(log.status, "successful", log.output);
    assert.match(log.output, /Not compared with earlier backups/);
    assert.doesNotMatch(log.output, /Warning: /);
  }
  const parts = stack.move();
  return {
    run: () => api.run(taskId),
    update: async (changes: Record<string, unknown>) =>
      assert.equal((await api.call("PUT", `/backup-tasks/${taskId}`, changes)).status, 200),
    /** Returns the warnings of all runs. Agents report warnings separately from the output. */
    warnings: async () =>
      (await services.database`select warnings from run_warnings`).flatMap(({ warnings }) => warnings),
    backups: async () => (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data,
    loseMost: () => shell('rm -- "$1"/x[012]*', tree),
    scramble: () => shell('cd "$1"; head -c 2000000 /dev/urandom | split -b 50000 -da 2 -', tree),
    stored: () => [...Deno.readDirSync(backupsDirectory)].map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

Deno.test("a source that lost most of its files warns, or fails and stores nothing, until it is another source", async () => {
  await using task = await guardedTask({ on_shrink: "fail" });
  const stored = task.stored();
  await task.loseMost();
  const failed = await task.run();
  assert.equal(failed.status, "failed");
  assert.match(failed.output, /Cannot trust this backup: it shrank .*10 files \(median 40\)/);
  assert.deepEqual(task.stored(), stored);
  assert.equal((await task.backups()).length, 3);

  await task.update({ on_shrink: "warn" });
  const warned = await task.run();
  assert.equal(warned.status, "successful");
  assert.match(warned.output, /Warning: This backup looks wrong: it shrank /);
  const [warning, ...more] = await task.warnings();
  assert.match(warning, /^This backup looks wrong: it shrank /);
  assert.deepEqual(more, []);
  const backups = await task.backups();
  assert.deepEqual([backups.length, backups[3].warnings_count], [4, 1]);
  assert.equal(backups[3].suspicious_at, backups[3].created_at);
  assert.match(backups[3].suspicion, /^It shrank to less than half .*10 files \(median 40\)/);

  await task.update({ on_shrink: "fail", excluded_paths: ["x35"] });
  const another = await task.run();
  assert.equal(another.status, "successful", another.output);
  assert.match(another.output, /Not compared with earlier backups/);
});

Deno.test("a source of random bytes is flagged, and pushes no older backup out", async () => {
  await using task = await guardedTask({ maximum_backups_to_keep: 3 });
  await task.scramble();
  for (let i = 0; i < 2; i++) {
    const log = await task.run();
    assert.equal(log.status, "successful", log.output);
    assert.match(log.output, /Warning: This backup looks wrong: possible ransomware: /);
  }
  const backups = await task.backups();
  assert.deepEqual(backups.map(({ status }: { status: string }) => status), Array(5).fill("stored"));
  const [before, flagged] = [backups[2], backups[3]];
  assert.deepEqual([before.suspicious_at, before.suspicion, before.incompressible_share], [null, null, 0]);
  assert.match(flagged.suspicion, /^Possible ransomware: /);
  assert.equal(flagged.suspicious_at, flagged.created_at);
  assert.equal(flagged.incompressible_share, 1);
});
