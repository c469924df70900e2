import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../../tests/support/servers/control_plane.ts";

Deno.test("logs are listed, of one task too, and shown", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const { url, token } = plane.api;
  const run = (...args: string[]) =>
    home.run(args, { env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: token } });
  await Deno.mkdir(`${home.directory}/photos`);
  await Deno.writeTextFile(`${home.directory}/photos/cat.txt`, "meow");
  const destinationId = await plane.api.create("/backup-destinations", {
    label: "Here",
    type: "local",
    local_path: `${home.directory}/stored`,
  });
  for (const source of ["photos", "none"]) {
    const taskId = await plane.api.create("/backup-tasks", {
      remote_server_id: plane.serverId,
      backup_destination_id: destinationId,
      label: source,
      type: "files",
      source_path: `${home.directory}/${source}`,
      frequency: "daily",
      time_to_run_at: "02:00",
    });
    await plane.api.run(taskId);
  }
  const all = (await run("logs")).stdout.split("\n");
  assert.match(all[0]!, /^ID {2}Task {2}Kind +Status +Outcome +Created +Finished +Warnings +Reason$/);
  assert.match(all[1]!, /^ 1 +1 {2}backup +successful +succeeded +\S+Z +\S+Z +0$/);
  assert.match(all[2]!, /^ 2 +2 {2}backup +failed +failed +\S+Z +\S+Z +0 +\S/);
  const { data } = JSON.parse((await run("logs", "list", "2", "--json")).stdout);
  assert.deepEqual(data.map(({ id }: { id: number }) => id), [2]);
  assert.equal((await run("logs", "99")).code, 5);
  const one = (await run("logs", "2", "--page", "1")).stdout.split("\n");
  assert.match(one[1]!, /^ 2 +2 {2}backup +failed /);
  const newest = (await run("logs", "list", "--sort", "-id", "--per-page", "1")).stdout.split("\n");
  assert.match(newest[1]!, /^ 2 /);
  const failed = (await run("logs", "list", "--status", "failed", "--search", "none")).stdout.split("\n");
  assert.match(failed[1]!, /^ 2 /);
  assert.match((await run("logs", "list", "--status", "broken")).stderr, /status: .* must be one of/);

  const shown = await run("logs", "show", "1");
  assert.match(shown.stdout, /^Status +successful$/m);
  assert.match(shown.stdout, /\n\n\S+Z Run 1 of [\s\S]+Backup completed successfully.*\n$/);
  assert.equal(JSON.parse((await run("logs", "show", "1", "--json")).stdout).data.id, 1);
  assert.equal((await run("logs", "show", "99")).code, 5);
  const lines = await run("logs", "lines", "1", "--search", "backup completed", "--limit", "5");
  assert.match(lines.stdout, /^\S+Z Backup completed successfully[^\n]*\n$/);
  assert.equal((await run("logs", "lines", "99")).code, 5);
  const waits = await run("logs", "why", "2");
  assert.match(waits.stdout, /^Message +It is over: failed\. /m);
  assert.equal(JSON.parse((await run("logs", "why", "2", "--json")).stdout).data.waiting_for, null);
  assert.equal((await run("logs", "why", "99")).code, 5);
  const over = await run("logs", "cancel", "1");
  assert.equal(over.code, 6);
  assert.match(over.stderr, /^Cannot cancel the run of log 1: [^\n]+\n$/);
  assert.equal((await run("logs", "cancel", "99")).code, 5);
});
