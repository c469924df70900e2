import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("the overview lists what is not protected, and its exit code is 1 until everything is", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const run = (...args: string[]) =>
    home.run(args, { env: { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token } });
  const server = await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" });
  const fields = { label: "Here", type: "local", local_path: "/srv/backups" };
  const destination = await api.api.create("/backup-destinations", fields);
  const task = await api.api.create("/backup-tasks", {
    remote_server_id: server,
    backup_destination_id: destination,
    label: "Home",
    type: "files",
    source_path: "/home",
    custom_cron_expression: "0 1 * * *",
    max_age: 60,
  });
  const waiting = await run("overview");
  assert.equal(waiting.code, 0);
  assert.match(
    waiting.stdout,
    /^ *1 +Home +web +never_backed_up +none +No backup of this task can be restored yet\.$/m,
  );
  assert.match(waiting.stdout, /^No task is late\. 1 task waits for its first backup\.$/m);
  await newBackup(api.services.database, task, new Date(Date.now() - 3_600_000));
  await api.services.database`update backup_tasks set late_at = now() - interval '59 minutes'`;
  const late = await run("overview");
  assert.equal(late.code, 1);
  assert.match(late.stdout, /^ *1 +Home +web +late /m);
  assert.match(late.stdout, /^1 task has a newest backup with warnings: see `tasks list`\.$/m);
  assert.match(late.stderr, /The only task is late by (59|58) min\./);
  assert.equal(JSON.parse((await run("overview", "--json")).stdout).data.is_protected, false);
});
