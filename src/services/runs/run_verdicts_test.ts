import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { event, success } from "../../../tests/support/clients/events.ts";
import { plant, type Planted } from "../../../tests/support/fixtures/planted.ts";
import type { ServiceContext } from "../context.ts";
import { claimAssignments } from "./dispatch.ts";
import { recordEvents } from "./run_events.ts";
import { startRun } from "./runs.ts";

/** Runs a task to its end. Calls `meanwhile` after the dispatch and before the verdict. */
async function backUp(
  services: ServiceContext,
  { caller, taskId, serverId }: Planted,
  encrypted: boolean,
  meanwhile = () => Promise.resolve<unknown>(null),
): Promise<void> {
  await startRun(services, caller, taskId);
  const [run] = await claimAssignments(services, [serverId]);
  await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
  await meanwhile();
  const done = success() as { verdict: { backup: { encrypted: boolean } } } & ReturnType<typeof success>;
  done.verdict.backup.encrypted = encrypted;
  await recordEvents(services, [event(serverId, run!, 2, done)]);
}

Deno.test("a backup keeps the password that encrypts it when the task's password changes, then and later", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { keyring } = services;
  const planted = await plant(services, { encryption_password_encrypted: keyring.encrypt("first") });
  const change = (password: string | null) =>
    database`update backup_tasks set encryption_password_encrypted = ${keyring.encryptOptional(password)}`;
  await backUp(services, planted, true, () => change("second"));
  await backUp(services, planted, true);
  await change(null);
  await backUp(services, planted, false);
  const backups = await database`select * from backups order by id`;
  assert.deepEqual(
    backups.map((row) => [row.encryption, keyring.decryptOptional(row.encryption_password_encrypted)]),
    [["password", "first"], ["password", "second"], ["none", null]],
  );
});

Deno.test("a backup keeps the recipients it was encrypted to, and no password", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const planted = await plant(services, { encryption_recipients: ["age1a", "age1b"] });
  const sealed = services.keyring.encrypt("later");
  await backUp(
    services,
    planted,
    true,
    () =>
      database`update backup_tasks set encryption_recipients = '{}', encryption_password_encrypted = ${sealed}`,
  );
  const [row] = await database`select * from backups`;
  assert.deepEqual(
    [row!.encryption, row!.encryption_recipients, row!.encryption_password_encrypted],
    ["recipients", ["age1a", "age1b"], null],
  );
});

Deno.test("a restore's counts are recorded, and a restore that wrote nothing fails", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const { caller, taskId, serverId } = await plant(services);
  const nothing = {
    files_count: null,
    directories_count: null,
    bytes: null,
    databases_count: null,
    rows_count: null,
  };
  const asked = { ...nothing, files_count: 3, directories_count: 1, bytes: 12 };
  const restore = async (written: typeof asked) => {
    await startRun(services, caller, taskId);
    const [run] = await claimAssignments(services, [serverId]);
    const id = run!.runId;
    await database`update runs set kind = 'restore' where id = ${id}`;
    await recordEvents(services, [event(serverId, run!, 1, { kind: "accepted" })]);
    const report = { requested: asked, written, skipped_count: 1, targets: ["/srv/new"], targets_count: 1 };
    await recordEvents(services, [
      event(serverId, run!, 2, {
        kind: "finished",
        verdict: {
          outcome: "succeeded",
          warnings_count: 1,
          restored: { files_count: 2, bytes_read: 9, duration_ms: 5, report },
        },
      }),
    ]);
    const [row] = await database`select state, reason, restored, bytes_written from runs where id = ${id}`;
    return { report, row: row! };
  };
  const { report, row } = await restore({ ...asked, files_count: 2, bytes: 8 });
  assert.deepEqual([row.state, row.restored, row.bytes_written], ["succeeded", report, 8]);
  const { row: empty } = await restore({ ...asked, files_count: 0, directories_count: 0, bytes: 0 });
  assert.deepEqual([empty.state, empty.restored], ["failed", null]);
  assert.match(empty.reason, /^The restore has written nothing of what it was asked for/);
});
