/** Tests every destination type through a control plane and an agent: checks, retention and failures. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type ControlPlane, startControlPlane } from "../support/servers/control_plane.ts";
import {
  type DestinationFixture,
  destinationFixtures,
  type Mishap,
  ROOM,
} from "../support/fixtures/destinations.ts";
import { Secrecy } from "../support/assertions/secrecy.ts";
import {
  type BackupRecord,
  manifestOf,
  objectsIn,
  restoreFetched,
} from "../support/fixtures/stored_backup.ts";
import { until } from "../support/assertions/until.ts";

interface Stage {
  plane: ControlPlane;
  fixture: DestinationFixture;
  destinationId: number;
  /** A directory with the files `version` and `noise`. `noise` does not fit into a full destination. */
  source: string;
}

async function newTask(stage: Stage, directory: string, keep: number): Promise<number> {
  return await stage.plane.api.create("/backup-tasks", {
    remote_server_id: stage.plane.serverId,
    backup_destination_id: stage.destinationId,
    label: directory,
    type: "files",
    source_path: stage.source,
    store_path: stage.fixture.storePath(directory),
    maximum_backups_to_keep: keep,
    frequency: "daily",
    time_to_run_at: "01:00",
  });
}

/** Writes `version` into the source, backs it up, and returns the backup's record. */
async function store(stage: Stage, taskId: number, version: string): Promise<BackupRecord> {
  await Deno.writeTextFile(`${stage.source}/version`, version);
  const log = await stage.plane.api.run(taskId);
  assert.equal(log.status, "successful", log.output);
  return (await backupsOf(stage, taskId)).at(-1)!;
}

async function backupsOf({ plane: { api } }: Stage, taskId: number): Promise<BackupRecord[]> {
  return (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
}

/** Restores a backup with stock tools. Returns the contents of the restored file `version`. */
async function restoredVersion(objects: Map<string, Uint8Array>, backup: BackupRecord): Promise<string> {
  const target = await Deno.makeTempDir({ prefix: "rearguard-restored-" });
  const restoration = (line: string) =>
    Promise.resolve({ line: line.replace("TARGET", '"$TARGET"'), env: { TARGET: target } });
  await restoreFetched(objects, manifestOf(objects, backup), { restoration });
  const version = await Deno.readTextFile(`${target}/version`);
  await Deno.remove(target, { recursive: true });
  return version;
}

async function check(
  { plane, destinationId }: Stage,
): Promise<{ ok: boolean; steps: { message: string }[] }> {
  const body = { remote_server_id: plane.serverId };
  const answer = await plane.api.call("POST", `/backup-destinations/${destinationId}/check`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.data;
}

async function keepsTheNewest(stage: Stage): Promise<void> {
  const directory = "kept/two";
  const taskId = await newTask(stage, directory, 2);
  const stored: BackupRecord[] = [];
  for (const version of ["one", "two", "three"]) stored.push(await store(stage, taskId, version));
  await until(async () => (await backupsOf(stage, taskId)).length === 2);
  assert.deepEqual((await backupsOf(stage, taskId)).map(({ id }) => id), [stored[1]!.id, stored[2]!.id]);
  const objects = await objectsIn(stage.fixture, directory);
  const kept = [stored[1]!, stored[2]!].flatMap((backup) => manifestOf(objects, backup).names);
  assert.deepEqual([...objects.keys()].sort(), kept.sort());
  assert.equal(await restoredVersion(objects, stored[1]!), "two");
  assert.equal(await restoredVersion(objects, stored[2]!), "three");
}

async function checksWell(stage: Stage): Promise<void> {
  const { ok, steps } = await check(stage);
  assert.ok(ok, JSON.stringify(steps));
  assert.ok(steps.length >= 4);
  assert.equal((await stage.fixture.objects()).size, 0);
}

async function failsWell(stage: Stage, mishap: Mishap): Promise<void> {
  const { plane: { api }, fixture, destinationId } = stage;
  const change = async (fields: Record<string, unknown>) => {
    const { status, body } = await api.call("PUT", `/backup-destinations/${destinationId}`, fields);
    assert.equal(status, 200, JSON.stringify(body));
  };
  const directory = `in trouble, ${mishap.name}`;
  const taskId = await newTask(stage, directory, 0);
  await change(await mishap.happen());
  const log = await api.run(taskId);
  assert.equal(log.status, "failed", log.output);
  const [, reason] = /^\S+ Backup failed: (Cannot .+)$/.exec(log.output.trimEnd().split("\n").at(-1)!)!;
  assert.match(reason!, mishap.reason);
  if (mishap.isChecked) {
    const { ok, steps } = await check(stage);
    assert.equal(ok, false);
    assert.match(steps.map(({ message }) => message).join("\n"), mishap.reason);
  }
  if (!mishap.isGone) await assertNothingIn(stage, directory);
  assert.deepEqual(await backupsOf(stage, taskId), []);
  await change(await mishap.mend());
  await assertNothingIn(stage, directory);
  const backup = await store(stage, taskId, mishap.name);
  assert.equal(await restoredVersion(await objectsIn(fixture, directory), backup), mishap.name);
}

async function assertNothingIn({ fixture }: Stage, directory: string): Promise<void> {
  assert.deepEqual([...(await objectsIn(fixture, directory)).keys()], []);
  assert.deepEqual(await fixture.partials(), []);
}

Deno.test("every destination is checked, keeps the newest, and fails with its reason", async (t) => {
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const source = await Deno.makeTempDir({ prefix: "rearguard-source-" });
  stack.defer(() => Deno.remove(source, { recursive: true }));
  await Deno.writeFile(`${source}/noise`, randomBytes(4 * ROOM));
  const stages = new Map<string, Stage>();
  for (const type of Object.keys(destinationFixtures)) {
    const fixture = stack.use(await destinationFixtures[type]!());
    const destinationId = await plane.api.create("/backup-destinations", { label: type, ...fixture.fields });
    stages.set(type, { plane, fixture, destinationId, source });
  }
  const secrets = [...stages.values()].flatMap(({ fixture }) => [...fixture.secrets]);
  using secrecy = new Secrecy(plane, secrets);
  for (const [type, stage] of stages) {
    await t.step(`${type}: a check goes through and leaves nothing`, () => checksWell(stage));
    await t.step(`${type}: beyond the number to keep, the oldest is gone`, () => keepsTheNewest(stage));
    for (const mishap of stage.fixture.mishaps) {
      await t.step(
        `${type}: where ${mishap.name}, a run says so, leaves nothing, and the next one works`,
        () => failsWell(stage, mishap),
      );
    }
  }
  await t.step("no secret was told anywhere", () => secrecy.check());
});
