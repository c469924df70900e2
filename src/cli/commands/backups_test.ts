import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../../tests/support/servers/control_plane.ts";
import { configureDeleteDelay } from "../../services/retention/trash.ts";

Deno.test("backups are listed, of one task too, and shown with their objects", async () => {
  await using plane = await startControlPlane();
  await configureDeleteDelay(plane.services, 0);
  await using home = await CliHome.open();
  const { url, token } = plane.api;
  const run = (...args: string[]) =>
    home.run(["backups", ...args], { env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token } });
  assert.equal((await run("list")).stdout, "None.\n");
  await Deno.mkdir(`${home.directory}/photos`);
  await Deno.writeTextFile(`${home.directory}/photos/cat.txt`, "meow");
  const taskId = await plane.api.create("/backup-tasks", {
    remote_server_id: plane.serverId,
    backup_destination_id: await plane.api.create("/backup-destinations", {
      label: "Here",
      type: "local",
      local_path: `${home.directory}/stored`,
    }),
    label: "Photos",
    type: "files",
    source_path: `${home.directory}/photos`,
    frequency: "daily",
    time_to_run_at: "02:00",
  });
  await plane.api.run(taskId);
  const { data: [backup] } = (await plane.api.call("GET", "/backups")).body;
  const listed = await run("list", "--task", `${taskId}`);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(
    listed.stdout,
    new RegExp(`^ 1 +1 {2}\\S+Z +\\d+ B {2}stored +no +no +${backup.file_name}$`, "m"),
  );
  assert.equal((await run("list", "--task", "99")).code, 5);
  const shown = await run("show", "1");
  const [archive] = backup.objects;
  assert.match(
    shown.stdout,
    new RegExp(`^Objects +archive {2}${archive.name} {2}\\d+ {2}${archive.sha256}$`, "m"),
  );
  assert.match(shown.stdout, /^ +manifest {2}\S+\.manifest\.json {2}\d+ {2}\w{64}$/m);
  assert.deepEqual(JSON.parse((await run("show", "1", "--json")).stdout).data, backup);

  const find = (...args: string[]) =>
    home.run(["tasks", "find", ...args], { env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token } });
  const found = await find(`${taskId}`, "CAT");
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /^ 4 B {2}\S+Z +1 +cat\.txt$/m);
  assert.equal(JSON.parse((await find(`${taskId}`, "*.txt", "--json")).stdout).data[0].path, "cat.txt");
  assert.equal((await find(`${taskId}`, "dog")).stdout, "None.\n");
  assert.equal((await find("99", "dog")).code, 5);
  await plane.services.database`update backups set removal_requested_at = now(), removal_reason = 'request'`;
  const missed = await find(`${taskId}`, "cat");
  assert.equal(missed.code, 1);
  assert.match(missed.stderr, /^Warning: Backup 1 was not searched: The backup is in the trash\./m);
  assert.match(missed.stderr, /none of its backups could be searched/);
  await plane.services.database`update backups set removal_requested_at = null, removal_reason = null`;

  const held = await run("hold", "1", "--reason", "before the move");
  assert.deepEqual([held.code, held.stdout], [0, "Backup 1 is held until it is released\n"]);
  const { held: isHeld, hold_reason } = (await plane.api.call("GET", "/backups/1")).body.data;
  assert.deepEqual([isHeld, hold_reason], [true, "before the move"]);
  assert.match((await run("list")).stdout, / no +yes +backup_/);
  assert.equal(JSON.parse((await run("hold", "1", "--json")).stdout).data.held, true);
  const released = await run("release", "1");
  assert.deepEqual([released.code, released.stdout], [
    0,
    "Backup 1 is released: the rules of its task apply\n",
  ]);
  assert.equal(JSON.parse((await run("release", "1", "--json")).stdout).data.held, false);
  assert.equal((await run("hold", "99")).code, 5);
  assert.equal((await run("release", "99")).code, 5);

  const preview = (...args: string[]) =>
    home.run(["tasks", "retention-preview", `${taskId}`, ...args], {
      env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token },
    });
  await plane.api.run(taskId);
  const all = await preview();
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /^ID {2}Created +Size {2}Retention {2}Why\n/);
  assert.match(all.stdout, /\n\n2 backups stay, 0 go: 0 B\n$/);
  const last = await preview("--keep-last", "1");
  assert.match(
    last.stdout,
    /^ 2 +\S+Z +\d+ B {2}keep +the last one, the newest intact one\n 1 +\S+Z +\d+ B {2}remove\n/m,
  );
  assert.match(last.stdout, /\n\n1 backup stays, 1 goes: \d+ B\n$/);
  const { data } = JSON.parse(
    (await preview("--keep-last", "1", "--minimum-age-days", "3", "--json")).stdout,
  );
  assert.deepEqual([data.removed, data.policy.keep_last, data.policy.minimum_age_days], [0, 1, 3]);
  assert.equal((await preview("--keep-daily", "many")).code, 7);
  assert.equal((await home.run(["tasks", "retention-preview", "all"])).code, 2);
  assert.equal((await run("download", "1", "--object", "none")).code, 5);
  assert.equal((await run("download", "1", "--object", "none", "--path", "/x")).code, 2);
  assert.equal((await run("restore", "1", "--identity-from", "file:none")).code, 2);
});
