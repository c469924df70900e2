/** Tests restores through the API, a control plane and an agent. */
import assert from "node:assert/strict";
import { configureDeleteDelay } from "../../src/services/retention/trash.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { type ControlPlane, FROM_SOURCE, startControlPlane } from "../support/servers/control_plane.ts";
import { type DestinationFixture, destinationFixtures } from "../support/fixtures/destinations.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import { describeTree, growTree } from "../support/fixtures/tree.ts";
import { until } from "../support/assertions/until.ts";

const PASSPHRASE = `päss "wörd" \\ $(id)`;

/** The agent derives keys with the real work factor. */
const REAL = { program: FROM_SOURCE, logLevel: "debug" };

interface Stage {
  plane: ControlPlane;
  root: string;
  tree: string;
}

async function stage(stack: AsyncDisposableStack): Promise<Stage> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-restore-" });
  stack.defer(async () => void await shell('chmod -R u+rwx "$1"; rm -rf "$1"', root));
  const tree = `${root}/tree`;
  await Deno.mkdir(tree);
  return { plane: stack.use(await startControlPlane(REAL)), root, tree };
}

async function backUp(
  { plane: { api, serverId }, tree }: Stage,
  destinationId: number,
  fields: Record<string, unknown> = {},
): Promise<number> {
  const taskId = await api.create("/backup-tasks", {
    remote_server_id: serverId,
    backup_destination_id: destinationId,
    label: "a tree",
    type: "files",
    source_path: tree,
    frequency: "daily",
    time_to_run_at: "01:00",
    ...fields,
  });
  const log = await api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  const { body } = await api.call("GET", `/backup-tasks/${taskId}/backups`);
  return body.data[0].id;
}

function localDestination({ plane, root }: Stage): Promise<number> {
  return plane.api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${root}/backups`,
  });
}

Deno.test("a tree comes back from every type of destination, whole and in part", async (t) => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { api } = at.plane;
  await growTree(at.tree);
  const original = await describeTree(at.tree);
  const fixtures = new Map<string, DestinationFixture>();
  for (const type of Object.keys(destinationFixtures)) {
    fixtures.set(type, stack.use(await destinationFixtures[type]!()));
  }
  const secrets = [PASSPHRASE, ...[...fixtures.values()].flatMap((fixture) => fixture.secrets)];
  using secrecy = new Secrecy(at.plane, secrets);
  for (const [type, fixture] of fixtures) {
    const destinationId = await api.create("/backup-destinations", { label: type, ...fixture.fields });
    const password = type === "s3" ? PASSPHRASE : null;
    await t.step(type, async () => {
      const backupId = await backUp(at, destinationId, {
        store_path: fixture.storePath("trees"),
        encryption_password: password,
      });
      const target = `${at.root}/${type}`;
      const log = await api.carryOut(`/backups/${backupId}/restore`, { target_path: target });
      assert.equal(log.status, "successful", log.output);
      assert.equal(log.kind, "restore");
      assert.equal(log.backup_id, backupId);
      const { objects, files_count } = (await api.call("GET", `/backups/${backupId}`)).body.data;
      const read = objects.filter(({ role }: { role: string }) => role !== "manifest")
        .reduce((sum: number, { size }: { size: number }) => sum + size, 0);
      assert.deepEqual([log.progress.bytes_read, log.progress.files_count], [read, files_count]);
      const { requested, written, ...rest } = log.restored!;
      assert.deepEqual(written, requested);
      assert.equal(written.files_count! + written.directories_count!, files_count);
      assert.deepEqual(rest, { skipped_count: 0, targets: [target], targets_count: 1 });
      assert.match(log.output, /Restore completed successfully in [\d.]+ s\n$/);
      assert.deepEqual(await describeTree(target), original);
      const some = await api.carryOut(`/backups/${backupId}/restore`, {
        target_path: `${target}-some`,
        paths: ["/plain/hello.txt", "./plain/deep/er/"],
      });
      assert.equal(some.status, "successful", some.output);
      assert.deepEqual([...Deno.readDirSync(`${target}-some/plain`)].map(({ name }) => name).sort(), [
        "deep",
        "hello.txt",
      ]);
      assert.deepEqual(await fixture.partials(), []);
    });
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});

Deno.test("a restore is no run of its task: status, latest log and the next run are as without it", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { api } = at.plane;
  await Deno.writeTextFile(`${at.tree}/one`, "1");
  const backupId = await backUp(at, await localDestination(at));
  const taskId = (await api.call("GET", `/backups/${backupId}`)).body.data.backup_task_id;
  const latest = (await api.call("GET", `/backup-tasks/${taskId}/latest-log`)).body.data;
  const failed = await api.carryOut(`/backups/${backupId}/restore`);
  assert.equal(failed.status, "failed");
  assert.match(failed.reason!, /^Cannot restore backup \d+: .*tree\/one is there already\. Set overwrite/);
  assert.equal((await api.call("GET", `/backup-tasks/${taskId}/latest-log`)).body.data.id, latest.id);
  assert.equal((await api.call("GET", `/backup-tasks/${taskId}/status`)).body.data.status, "ready");
  await Deno.writeTextFile(`${at.tree}/one`, "changed");
  const log = await api.carryOut(`/backups/${backupId}/restore`, { overwrite: true });
  assert.equal(log.status, "successful", log.output);
  assert.equal(await Deno.readTextFile(`${at.tree}/one`), "1");
  assert.equal((await api.run(taskId)).status, "successful");
});

Deno.test("a restore goes on over a lost agent's link and is cancelled by its log", async () => {
  await using stack = new AsyncDisposableStack();
  const at = await stage(stack);
  const { api, agentPid } = at.plane;
  await shell('cd "$1"; for n in $(seq 300); do head -c 400000 /dev/urandom > $n; done', at.tree);
  const backupId = await backUp(at, await localDestination(at));
  const target = `${at.root}/target`;
  Deno.kill(agentPid, "SIGSTOP");
  stack.defer(() => Deno.kill(agentPid, "SIGCONT"));
  const started = await api.call("POST", `/backups/${backupId}/restore`, { target_path: target });
  const log = `/backup-task-logs/${started.body.backup_task_log_id}`;
  await configureDeleteDelay(at.plane.services, 0);
  // While a restore runs, its backup is not removed. Once the removal is requested, no further restore can
  // start.
  assert.equal((await api.call("DELETE", `/backups/${backupId}`)).status, 200);
  assert.equal((await api.call("POST", `/backups/${backupId}/restore`, {})).status, 409);
  assert.equal((await api.call("POST", `${log}/cancel`)).status, 200);
  Deno.kill(agentPid, "SIGCONT");
  await until(async () => (await api.call("GET", log)).body.data.finished_at !== null);
  assert.equal((await api.call("GET", log)).body.data.status, "cancelled");
  assert.equal((await api.call("POST", `${log}/cancel`)).status, 409);
  assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
  await until(async () => (await api.call("GET", `/backups/${backupId}`)).status === 404);
});
