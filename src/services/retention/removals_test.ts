import assert from "node:assert/strict";
import { bucketRow } from "../../../tests/support/fixtures/bucket_row.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { answering } from "../../../tests/support/clients/answered_deletion.ts";
import { event, failure, success } from "../../../tests/support/clients/events.ts";
import { loopback } from "../../../tests/support/servers/loopback.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { TestS3 } from "../../../tests/support/servers/s3.ts";
import { Bucket } from "../../storage/s3.ts";
import { transaction } from "../../store/database/database.ts";
import type { ServiceContext } from "../context.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { nextRemoval, removeDue, requestRemoval } from "./removals.ts";
import { recordEvents } from "../runs/run_events.ts";
import { startRun } from "../runs/runs.ts";

async function setUpBackup(services: ServiceContext) {
  const planted = await plant(services);
  await startRun(services, planted.caller, planted.taskId);
  const [run] = await claimAssignments(services, [planted.serverId]);
  const { serverId } = planted;
  await recordEvents(services, [
    event(serverId, run!, 1, { kind: "accepted" }),
    event(serverId, run!, 2, success()),
  ]);
  const [backup] = await services.database<{ id: number }[]>`select id from backups`;
  return { ...planted, backupId: backup!.id };
}

Deno.test("a backup's row is deleted only when the deletion of its objects is confirmed", async () => {
  await using test = await testServices();
  const { services, database, clock } = test;
  const { backupId, serverId } = await setUpBackup(services);
  await transaction(database, (sql) => requestRemoval(services, sql, [backupId], "request"));
  // The agent is not connected, so the removal fails. The row keeps the reason, and the removal is attempted
  // again later.
  assert.equal(await removeDue(services), 1);
  const [kept] = await database`select * from backups`;
  assert.match(kept!.removal_error, /agent is not connected/);
  assert.equal(kept!.removal_attempts, 1);
  assert.equal(await removeDue(services), 0);
  assert.deepEqual(await nextRemoval(services), new Date(clock.now().getTime() + 60_000));
  // When the agent connects again, the removal is due at once. Here the agent fails to delete one of the
  // objects.
  await sayHello(services, serverId);
  const refused = answering(services, serverId, [{ name: "backup_1.tar.zst", message: "Permission denied" }]);
  assert.equal(await removeDue(services), 1);
  assert.deepEqual(await refused, ["backup_1.tar.zst", "backup_1.manifest.json"]);
  const [still] = await database`select * from backups`;
  assert.equal(still!.removal_error, "backup_1.tar.zst: Permission denied");
  assert.deepEqual(await nextRemoval(services), new Date(clock.now().getTime() + 120_000));
  await clock.advance(120_000);
  // The agent's response does not mention one object, so the object's deletion is not confirmed.
  await sayHello(services, serverId);
  const silent = answering(services, serverId, [], ["backup_1.manifest.json"]);
  assert.equal(await removeDue(services), 1);
  await silent;
  const [unconfirmed] = await database`select removal_error, removal_attempts from backups`;
  assert.match(unconfirmed!.removal_error, /^backup_1\.manifest\.json: the agent did not confirm/);
  assert.equal(unconfirmed!.removal_attempts, 3);
  await clock.advance(240_000);
  await sayHello(services, serverId);
  const gone = answering(services, serverId, []);
  assert.equal(await removeDue(services), 1);
  await gone;
  assert.equal((await database`select * from backups`).length, 0);
});

Deno.test("a deletion that the bucket accepts without deleting the object is retried", async () => {
  await using s3 = await TestS3.open();
  await using test = await testServices();
  const { services, database, clock } = test;
  const { taskId } = await plant(services, {}, bucketRow(services, s3));
  const backupId = await newBackup(database, taskId, clock.now(), {
    directory: "kept",
    file_name: "a.tar.zst",
  });
  const bucket = new Bucket(s3.options, loopback);
  await bucket.put("kept/a.tar.zst", "archive");
  await transaction(database, (sql) => requestRemoval(services, sql, [backupId], "request"));
  s3.fault = ({ method }) => method === "DELETE" ? { status: 204, code: "Ignored" } : null;
  assert.equal(await removeDue(services), 1);
  const [kept] = await database`select removal_error, removal_attempts from backups`;
  assert.match(
    kept!.removal_error,
    /^Cannot delete kept\/a\.tar\.zst: the bucket accepted the deletion, but still has/,
  );
  assert.equal(kept!.removal_attempts, 1);
  s3.fault = () => null;
  await clock.advance(60_000);
  assert.equal(await removeDue(services), 1);
  assert.equal((await database`select * from backups`).length, 0);
  assert.equal(await bucket.head("kept/a.tar.zst"), null);
});

Deno.test("leftovers of a failed run are removed by its agent", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId, serverId } = await plant(services);
  await startRun(services, caller, taskId);
  const [run] = await claimAssignments(services, [serverId]);
  await recordEvents(services, [
    event(serverId, run!, 1, { kind: "accepted" }),
    event(serverId, run!, 2, failure("no", ["half.tar.zst"])),
  ]);
  await sayHello(services, serverId);
  const gone = answering(services, serverId, []);
  assert.equal(await removeDue(services), 1);
  assert.deepEqual(await gone, ["half.tar.zst"]);
  assert.equal((await database`select * from leftovers`).length, 0);
  assert.equal(await nextRemoval(services), null);
});

Deno.test("two replicas never work on the same removal", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { backupId } = await setUpBackup(services);
  await transaction(database, (sql) => requestRemoval(services, sql, [backupId], "request"));
  const counts = await Promise.all([removeDue(services), removeDue(services), removeDue(services)]);
  assert.equal(counts.reduce((a, b) => a + b), 1);
});

Deno.test("a proxy's 404, and a bucket without any of the other backups, do not confirm a deletion", async () => {
  await using s3 = await TestS3.open();
  await using test = await testServices();
  const { services, database, clock } = test;
  const { taskId } = await plant(services, {}, bucketRow(services, s3));
  const at = (name: string) =>
    newBackup(database, taskId, clock.now(), { directory: "kept", file_name: name });
  const [backupId] = [await at("a.tar.zst"), await at("b.tar.zst")];
  const bucket = new Bucket(s3.options, loopback);
  await bucket.put("kept/a.tar.zst", "archive");
  await bucket.put("kept/b.tar.zst", "archive");
  await transaction(database, (sql) => requestRemoval(services, sql, [backupId!], "request"));
  const refused = async () => {
    assert.equal(await removeDue(services), 1);
    const [row] = await database`select removal_error from backups where id = ${backupId!}`;
    await clock.advance(3_600_000);
    return row!.removal_error;
  };
  s3.fault = () => ({ status: 404, page: "404 page not found" });
  assert.match(await refused(), /another program than an S3 service responded/);
  // Simulates that the bucket was emptied, or replaced by another bucket with the same name.
  s3.fault = () => null;
  await s3.removeBucket();
  await s3.makeBucket();
  assert.match(await refused(), /^Cannot tell whether a\.tar\.zst was deleted: .*\(b\.tar\.zst\)/);
  await bucket.put("kept/b.tar.zst", "archive");
  assert.equal(await removeDue(services), 1);
  assert.deepEqual((await database`select file_name from backups`).map((row) => row.file_name), [
    "b.tar.zst",
  ]);
});
