/** Tests the choice of the database server for restores and drills. */
import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { InvalidError } from "../../domain/errors.ts";
import type { DrillJob, RestoreJob } from "../../protocol/job.ts";
import { startDrill } from "../backups/drills.ts";
import { claimAssignments } from "../runs/dispatch.ts";
import { startRestore } from "../backups/restores.ts";

/** Creates two servers, and a task that backs up a production database from the first server. */
async function production(host: string | null = "db.prod") {
  const test = await testServices();
  const { services, database, clock } = test;
  const { keyring } = services;
  const at = await plant(services, {
    type: "database",
    source_settings: {
      database_name: "shop",
      database_host: host,
      database_port: 5433,
      database_username: "shop",
    },
    source_secrets: { database_password: keyring.encrypt("of the task") },
  }, { type: "sftp", settings: { sftp_host: "nas", sftp_port: 22, sftp_username: "backup" } });
  const [other] = await database<{ id: number }[]>`
    insert into remote_servers ${
    database({
      user_id: at.caller.userId,
      label: "staging",
      ip_address: "192.0.2.3",
      database_password_encrypted: keyring.encrypt("of staging"),
      created_at: clock.now(),
      updated_at: clock.now(),
    })
  } returning id`;
  await database`update remote_servers set runs_at_once = 9`;
  const id = await newBackup(database, at.taskId, clock.now(), { engine: "pg_dump" });
  for (const serverId of [at.serverId, other!.id]) await sayHello(services, serverId);
  return {
    ...test,
    ...at,
    id,
    other: other!.id,
    /** Dispatches the next run of a server. Returns the database server in the run's target. */
    async target(serverId: number) {
      const [run] = await claimAssignments(services, [serverId]);
      const { target } = run!.job as RestoreJob | DrillJob;
      assert.ok(target?.type === "database");
      const { host, port, username, password } = target;
      return { host, port, username, password };
    },
  };
}

const refused = (error: unknown) =>
  error instanceof InvalidError &&
  /db\.prod, may hold the original/.test(error.errors.database_host?.[0] ?? "");

Deno.test("a restore on another server than the task's never uses the task's database server by default", async () => {
  await using at = await production();
  const { services, caller, id, other } = at;
  const overwrite = { remote_server_id: other, overwrite: true };
  await assert.rejects(startRestore(services, caller, id, overwrite), refused);
  await assert.rejects(startDrill(services, caller, id, other), refused);
  assert.equal((await at.database`select from runs`).length, 0);

  await startRestore(services, caller, id, { ...overwrite, database_host: null });
  const socket = { host: null, port: null, username: null };
  assert.deepEqual(await at.target(other), { ...socket, password: "of staging" });
  const staging = { database_host: "db.staging", database_port: 5434, database_username: "qa" };
  await startRestore(services, caller, id, { ...overwrite, ...staging });
  const there = { host: "db.staging", port: 5434, username: "qa", password: "of staging" };
  assert.deepEqual(await at.target(other), there);
  await startDrill(services, caller, id, other, staging);
  assert.deepEqual(await at.target(other), there);
});

Deno.test("on the task's own server, or if its host is the machine itself, the task's database server is used", async () => {
  {
    await using at = await production();
    await startRestore(at.services, at.caller, at.id, { overwrite: true });
    const own = { host: "db.prod", port: 5433, username: "shop", password: "of the task" };
    assert.deepEqual(await at.target(at.serverId), own);
    // The task's password is sent only to the task's own host.
    await startRestore(at.services, at.caller, at.id, { database_host: "db.elsewhere" });
    const elsewhere = { host: "db.elsewhere", port: null, username: null, password: null };
    assert.deepEqual(await at.target(at.serverId), elsewhere);
  }
  await using at = await production("127.0.0.1");
  await startRestore(at.services, at.caller, at.id, { remote_server_id: at.other });
  const loopback = { host: "127.0.0.1", port: 5433, username: "shop", password: "of staging" };
  assert.deepEqual(await at.target(at.other), loopback);
});

Deno.test("changing the task's server while a restore waits fails the restore, and overwrites nothing", async () => {
  await using at = await production("127.0.0.1");
  await startRestore(at.services, at.caller, at.id, { remote_server_id: at.other, overwrite: true });
  await at
    .database`update backup_tasks set source_settings = source_settings || '{"database_host": "db.prod"}'`;
  assert.deepEqual(await claimAssignments(at.services, [at.other]), []);
  const [run] = await at.database`select state, reason from runs`;
  assert.equal(run!.state, "failed");
  assert.match(run!.reason, /db\.prod, may hold the original/);
});

Deno.test("an older agent, which would ignore the load options of a restore, gets no such job", async () => {
  await using at = await production("127.0.0.1");
  const { services, database, caller, id, serverId } = at;
  const options = { owners: false, continue_on_errors: true };
  const { runId } = await startRestore(services, caller, id, options);
  await database`update remote_servers set agent_protocol = 2`;
  assert.deepEqual(await claimAssignments(services, [serverId]), []);
  const [run] = await database`select state, reason from runs where id = ${runId}`;
  assert.equal(run!.state, "failed");
  assert.match(
    run!.reason,
    /^The agent of server is too old for owners, continue_on_errors\. Install its current/,
  );
  await startRestore(services, caller, id, { owners: true, continue_on_errors: false });
  const [plain] = await claimAssignments(services, [serverId]);
  assert.equal((plain!.job as RestoreJob).target.type, "database");
  await database`update remote_servers set agent_protocol = 3`;
  await startRestore(services, caller, id, options);
  const [known] = await claimAssignments(services, [serverId]);
  const { target } = known!.job as RestoreJob;
  assert.ok(target.type === "database");
  assert.deepEqual([target.owners, target.continue_on_errors], [false, true]);
});
