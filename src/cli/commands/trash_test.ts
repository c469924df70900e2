import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("deleted records are shown in the trash and restored, one by one or all of them", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const { database } = api.services;
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
    frequency: "daily",
    time_to_run_at: "01:00",
  });
  const ids = [await newBackup(database, task, new Date()), await newBackup(database, task, new Date())];
  const deleted = await run("backups", "delete", `${ids[0]}`);
  assert.match(deleted.stdout, /^Backup successfully deleted: in the trash until \d{4}-\S+Z\n$/);
  assert.match((await run("trash", "list")).stdout, /^backup +1 +\S+ +\d{4}-\S+Z$/m);
  const kept = await run("backups", "undelete", `${ids[0]}`);
  assert.deepEqual([kept.code, kept.stdout], [0, "Backup 1 is out of the trash\n"]);

  const gone = await run("tasks", "delete", `${task}`, "--with-backups");
  assert.match(gone.stdout, /^Backup task successfully deleted: in the trash until /);
  assert.equal((await run("trash", "undelete", "backup", "--all")).stdout.split("\n").length, 3);
  assert.match((await run("trash", "list")).stdout, /^Kind .*\ntask +1 +Home +\S+Z\n$/);
  const undone = await run("trash", "undelete", "task", `${task}`);
  assert.deepEqual([undone.code, undone.stdout], [0, "Backup task 1 is out of the trash\n"]);
  assert.equal((await run("trash", "list")).stdout, "None.\n");
  assert.equal((await run("trash", "undelete", "backup")).code, 2);
  const { data } = (await api.api.call("GET", `/backup-tasks/${task}/backups`)).body;
  assert.equal(data.length, 2);
  assert.equal((await run("tasks", "delete", `${task}`)).code, 0);

  const refused = await run("destinations", "delete", `${destination}`);
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /holds 2 backups.*\?forget=true/);
  assert.match(
    (await run("destinations", "delete", `${destination}`, "--forget")).stdout,
    /in the trash until/,
  );
  assert.match((await run("trash", "list")).stdout, /^destination +1 +Here /m);
  assert.equal((await run("destinations", "undelete", `${destination}`)).code, 0);
  assert.equal((await run("servers", "delete", `${server}`, "--forget")).code, 0);
});
