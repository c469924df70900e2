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
