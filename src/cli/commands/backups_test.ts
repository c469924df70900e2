import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/cli.ts";
import { startControlPlane } from "../../../tests/support/control_plane.ts";

Deno.test("backups are listed, of one task too, and shown with their objects", async () => {
  await using plane = await startControlPlane();
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
  assert.match(listed.stdout, new RegExp(`^ 1 +1 {2}\\S+Z +\\d+ B {2}stored +no +${backup.file_name}$`, "m"));
  assert.equal((await run("list", "--task", "99")).code, 5);
  const shown = await run("show", "1");
  const [archive] = backup.objects;
  assert.match(
    shown.stdout,
    new RegExp(`^Objects +archive {2}${archive.name} {2}\\d+ {2}${archive.sha256}$`, "m"),
  );
  assert.match(shown.stdout, /^ +manifest {2}\S+\.manifest\.json {2}\d+ {2}\w{64}$/m);
  assert.deepEqual(JSON.parse((await run("show", "1", "--json")).stdout).data, backup);
  assert.equal((await run("download", "1", "--object", "none")).code, 5);
  assert.equal((await run("download", "1", "--object", "none", "--path", "/x")).code, 2);
  assert.equal((await run("restore", "1", "--identity-from", "file:none")).code, 2);
});
