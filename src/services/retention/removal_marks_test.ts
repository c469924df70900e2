/**
 * Tests that a mark for removal can be taken back. This is no longer possible once an object might have been
 * deleted.
 */
import { bucketRow } from "../../../tests/support/fixtures/bucket_row.ts";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { answering } from "../../../tests/support/clients/answered_deletion.ts";
import { type TestServices, testServices } from "../../../tests/support/fixtures/database.ts";
import { plant, type Planted, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { loopback } from "../../../tests/support/servers/loopback.ts";
import { TestS3 } from "../../../tests/support/servers/s3.ts";
import { ConflictError } from "../../domain/errors.ts";
import { Keyring } from "../../secrets/keyring.ts";
import { Bucket } from "../../storage/s3.ts";
import { transaction } from "../../store/database/database.ts";
import { deleteBackup, holdBackup, undeleteBackup } from "../backups/backups.ts";
import { findReadable } from "../backups/backup_access.ts";
import { nextRemoval, removeDue, requestRetention } from "./removals.ts";
import { startRestore } from "../backups/restores.ts";
import { startVerification } from "../backups/verifications.ts";

/** Creates three backups of a task that keeps two, so the oldest backup is marked for removal. */
async function stage(test: TestServices, destination: Record<string, unknown> = {}) {
  const { services, database, clock } = test;
  const planted = await plant(services, { keep_last: 2 }, destination);
  const ids: number[] = [];
  for (const name of ["a", "b", "c"]) {
    await clock.advance(1000);
    const directory = destination.type === undefined ? "/backups" : "backups";
    const file_name = `${name}.tar.zst`;
    ids.push(await newBackup(database, planted.taskId, clock.now(), { directory, file_name }));
  }
  const [oldest, ...newer] = ids as [number, number, number];
  await database`
    insert into backup_objects (backup_id, ordinal, role, name, size, sha256)
    values (${oldest}, 1, 'manifest', 'a.manifest.json', 2, ${"0".repeat(64)})`;
  await transaction(database, (sql) => requestRetention(services, sql, planted.taskId));
  return {
    ...planted,
    oldest,
    row: async () => (await database`select * from backups where id = ${oldest}`)[0],
    loseNewer: () =>
      database`update backups set damaged_at = ${clock.now()} where id = any(${newer}::bigint[])`,
  };
}

type Stage = Planted & Awaited<ReturnType<typeof stage>>;

/** Waits until the next removal is due and attempts it. Returns the number of attempted removals. */
async function tryNext({ services, clock }: TestServices): Promise<number> {
  const due = await nextRemoval(services);
  await clock.advance(Math.max(0, (due ?? clock.now()).getTime() - clock.now().getTime()));
  return await removeDue(services);
}

async function assertTakenBack(test: TestServices, { row }: Stage): Promise<void> {
  const { removal_requested_at, removal_reason, removal_error, removal_attempts } = (await row())!;
  assert.deepEqual(
    { removal_requested_at, removal_reason, removal_error, removal_attempts },
    { removal_requested_at: null, removal_reason: null, removal_error: null, removal_attempts: 0 },
  );
  assert.equal(await nextRemoval(test.services), null);
}

Deno.test("a marked backup that becomes the last good one stays, before the first attempt and after others", async () => {
  for (const tries of [0, 1, 2]) {
    await using test = await testServices();
    const at = await stage(test);
    for (let i = 0; i < tries; i++) {
      assert.equal(await tryNext(test), 1);
      assert.match((await at.row())!.removal_error, /agent is not connected/);
    }
    await at.loseNewer();
    assert.equal(await tryNext(test), 0);
    await assertTakenBack(test, at);
  }
});

Deno.test("a bucket that refuses a deletion keeps the whole backup, and the rules are applied again", async () => {
  await using s3 = await TestS3.open();
  await using test = await testServices();
  const at = await stage(test, bucketRow(test.services, s3));
  const bucket = new Bucket(s3.options, loopback);
  for (const name of ["a.tar.zst", "a.manifest.json"]) await bucket.put(`backups/${name}`, "x");
  s3.fault = ({ method }) => method === "DELETE" ? { status: 403, code: "AccessDenied" } : null;
  assert.equal(await tryNext(test), 1);
  assert.match((await at.row())!.removal_error, /AccessDenied|denied/i);
  await at.loseNewer();
  assert.equal(await tryNext(test), 0);
  await assertTakenBack(test, at);
});

Deno.test("a partly deleted backup is deleted completely; a hold and a restore say why they are refused", async () => {
  await using test = await testServices();
  const { services } = test;
  const at = await stage(test);
  await sayHello(services, at.serverId);
  const answered = answering(services, at.serverId, [{
    name: "a.manifest.json",
    message: "Permission denied",
  }]);
  assert.equal(await tryNext(test), 1);
  await answered;
  await at.loseNewer();
  const refused = (error: unknown) =>
    error instanceof ConflictError &&
    /being deleted since .*, and parts of it may be deleted/.test(error.message);
  await assert.rejects(holdBackup(services, at.caller, at.oldest, null), refused);
  await assert.rejects(startRestore(services, at.caller, at.oldest, {}), refused);
  await assert.rejects(findReadable(services.database, at.caller, at.oldest), refused);
  await sayHello(services, at.serverId);
  const again = answering(services, at.serverId, []);
  assert.equal(await tryNext(test), 1);
  await again;
  assert.equal(await at.row(), undefined);
});

Deno.test("a backup stays whole if its agent could delete none of its objects", async () => {
  await using test = await testServices();
  const { services } = test;
  const at = await stage(test);
  await sayHello(services, at.serverId);
  const names = ["a.tar.zst", "a.manifest.json"];
  const answered = answering(
    services,
    at.serverId,
    names.map((name) => ({ name, message: "Not permitted" })),
  );
  assert.equal(await tryNext(test), 1);
  await answered;
  assert.equal((await at.row())!.removal_begun_at, null);
  await holdBackup(services, at.caller, at.oldest, null);
  await assertTakenBack(test, at);
});

Deno.test("a restore, a verification and a hold of a marked backup remove its mark", async () => {
  const ways = [
    ({ caller, oldest }: Stage, { services }: TestServices) =>
      startRestore(services, caller, oldest, { target_path: "/back" }),
    ({ caller, oldest }: Stage, { services }: TestServices) =>
      startVerification(services, caller, oldest, undefined),
    ({ caller, oldest }: Stage, { services }: TestServices) => holdBackup(services, caller, oldest, null),
  ];
  for (const way of ways) {
    await using test = await testServices();
    const at = await stage(test);
    assert.equal((await findReadable(test.database, at.caller, at.oldest)).backup.id, at.oldest);
    await way(at, test);
    await assertTakenBack(test, at);
  }
});

Deno.test("a backup that a user deletes is removed whatever the rules say; undeleting or a hold cancels that", async () => {
  await using test = await testServices();
  const { services } = test;
  const at = await stage(test);
  await deleteBackup(services, at.caller, at.oldest);
  await at.loseNewer();
  assert.equal(await tryNext(test), 1);
  assert.equal((await at.row())!.removal_reason, "request");
  const isRefused = (error: unknown) =>
    error instanceof ConflictError &&
    /undo the deletion with POST \/api\/backups\/\d+\/undelete/.test(error.message);
  await assert.rejects(startRestore(services, at.caller, at.oldest, { target_path: "/back" }), isRefused);
  await undeleteBackup(services, at.caller, at.oldest);
  await assertTakenBack(test, at);
  await deleteBackup(services, at.caller, at.oldest);
  await holdBackup(services, at.caller, at.oldest, null);
  await assertTakenBack(test, at);
});

Deno.test("a removal whose destination's secrets can't be decrypted says so, and keeps the backup whole", async () => {
  await using s3 = await TestS3.open();
  await using test = await testServices();
  const { services } = test;
  const lost = { keyring: new Keyring([randomBytes(32)]) };
  const at = await stage(test, bucketRow(lost, s3));
  await deleteBackup(services, at.caller, at.oldest);
  assert.equal(await tryNext(test), 1);
  const { removal_begun_at, removal_error, removal_attempts } = (await at.row())!;
  assert.deepEqual([removal_begun_at, removal_attempts], [null, 1]);
  assert.match(
    removal_error,
    /^Cannot read a stored secret: it was sealed with key \S+, which SECRET_KEY does not/,
  );
  await undeleteBackup(services, at.caller, at.oldest);
  await assertTakenBack(test, at);
});
