import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { newBackup, newRun } from "../../../tests/support/fixtures/records.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("the history lists the runs and the stored bytes of days, and the runs and proofs of a task", async () => {
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
  });
  const { database } = api.services;
  await newRun(database, task, new Date("2026-01-30T12:00:00Z"), { state: "failed" });
  await newRun(database, task, new Date("2026-01-31T12:00:00Z"), {
    finished_at: new Date("2026-01-31T12:00:45Z"),
  });
  const range = ["--from", "2026-01-01", "--to", "2026-02-01", "--timezone", "UTC"];
  const shown = await run("history", "days", ...range, "--task", String(task));
  assert.deepEqual(shown.stdout.trim().split("\n").map((line) => line.trim().split(/ +/).join(" ")), [
    "Day Succeeded Warnings Failed Cancelled Skipped",
    "2026-01-30 0 0 1 0 0",
    "2026-01-31 1 0 0 0 0",
  ]);
  await newBackup(database, task, new Date("2026-01-31T12:00:00Z"), { size: 2000 });
  const storage = await run("history", "storage", ...range, "--destination", String(destination));
  assert.match(storage.stdout, /^2026-01-30 +0 B +0 +0 B +0 B$/m);
  assert.match(storage.stdout, /^2026-02-01 +2\.0 kB +1 +0 B +0 B$/m);
  assert.match(storage.stdout, /^Backups that were deleted before .+Z are missing in the days before\.$/m);
  const last = await run("history", "task", String(task), "--limit", "1");
  assert.match(last.stdout, /^ *2 +2026-01-31T12:00:00Z +succeeded +45 s +0 B +0 B$/m);
  assert.ok(!last.stdout.includes("failed"));
  const at = new Date("2026-01-31T12:00:00Z");
  const drill = await newRun(database, task, at, { kind: "drill", attempt: 1 });
  const proven = {
    files_count: null,
    databases: [{ name: "shop", tables_count: 1, rows_count: 20 }],
    bytes_read: 5,
    restore_ms: 1500,
    duration_ms: 2000,
  };
  const verdict = database.json({ outcome: "succeeded", warnings_count: 0, proven });
  await database`insert into run_attempts (run_id, attempt, leased_at, verdict, verdict_applied)
    values (${drill}, 1, ${at}, ${verdict}, true)`;
  const proofs = await run("history", "proofs", "--task", String(task));
  assert.match(
    proofs.stdout,
    /^Home +drill +2026-01-31T12:00:00Z +proven +shop: 1 table with 20 rows, restored in 1\.5 s$/m,
  );
  const tasks = await run("history", "proofs");
  assert.match(tasks.stdout, /^Home +never_proven +20\S+Z *$/m);
  assert.equal((await run("history", "days", ...range, "--server", "77")).stdout, "None.\n");
  assert.equal(JSON.parse((await run("history", "days", "--json")).stdout).data.days.length, 365);
});
