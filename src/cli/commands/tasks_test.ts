import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { CommandLines } from "../../../tests/support/assertions/command_lines.ts";
import { type ControlPlane, startControlPlane } from "../../../tests/support/servers/control_plane.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";
import { until } from "../../../tests/support/assertions/until.ts";

const ESCAPE = "\x1b";
const SECRET = "correct horse battery staple";

/**
 * Creates a home directory for commands that use the control plane, a directory to back up, and a
 * destination.
 */
async function prepared(plane: ControlPlane) {
  const home = await CliHome.open();
  const { url, token } = plane.api;
  const env = { REARGUARD_URL: url, REARGUARD_API_TOKEN: token };
  await Deno.mkdir(`${home.directory}/photos`);
  await Deno.writeTextFile(`${home.directory}/photos/cat.txt`, "meow");
  const destinationId = await plane.api.create("/backup-destinations", {
    label: "Here",
    type: "local",
    local_path: `${home.directory}/stored`,
  });
  const fields = {
    remote_server_id: plane.serverId,
    backup_destination_id: destinationId,
    label: "Photos",
    type: "files",
    source_path: `${home.directory}/photos`,
    frequency: "daily",
    time_to_run_at: "02:00",
  };
  return { home, env, fields };
}

Deno.test("tasks are created from flags and files, their secrets from anywhere but an argument", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  using commandLines = new CommandLines();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token, PASSWORD: SECRET };
  const serverId = await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" });
  await api.api.create("/backup-destinations", { label: "Here", type: "local", local_path: "/backups" });
  const flags = [
    ["--label", "Site", "--remote-server-id", `${serverId}`, "--backup-destination-id", "1"],
    ["--source-path", "/var/www", "--excluded-paths", "*.tmp", "--excluded-paths", "cache"],
    ["--custom-cron-expression", "0 2 * * *", "--field", "run_timeout=60", "--field", "tag_ids=[]"],
  ].flat();
  const create = (args: string[], stdin?: string) =>
    home.run(["tasks", "create", ...args], stdin === undefined ? { env } : { env, stdin });
  const made = await create([...flags, "--encryption-password-from", "stdin"], `${SECRET}\n`);
  assert.deepEqual([made.code, made.stderr], [0, ""]);
  assert.match(made.stdout, /^Backup task 1 created: Site, next run \d{4}-\d\d-\d\dT02:00:00Z\n$/);
  const { body } = await api.api.call("GET", "/backup-tasks/1");
  assert.deepEqual(body.data.excluded_paths, ["*.tmp", "cache"]);
  assert.deepEqual([body.data.type, body.data.run_timeout], ["files", 60]);
  assert.equal(body.data.has_encryption_password, true);

  await Deno.writeTextFile(`${home.directory}/task.json`, JSON.stringify({ ...body.data, label: "Copy" }));
  const copy = await create(
    ["--from-file", "task.json", "--label", "Mine", "--database-password-from", "env:PASSWORD", "--json"],
  );
  assert.equal(copy.code, 0, copy.stderr);
  const { data } = JSON.parse(copy.stdout);
  assert.deepEqual([data.label, data.has_database_password], ["Mine", true]);

  const tag = await api.api.create("/tags", { label: "live" });
  const checked = ["--on-shrink", "fail", "--verify-every", "1", "--tag-ids", `${tag}`, "--json"];
  const third = JSON.parse((await create([...flags, ...checked, "--allow-unreadable"])).stdout).data;
  assert.deepEqual(
    [third.on_shrink, third.verify_every, third.tag_ids, third.allow_unreadable],
    ["fail", 1, [tag], true],
  );

  // If the API ignored the misspelt field, the task would not be encrypted.
  const mistyped = await create(
    ["--from-file", "-"],
    JSON.stringify({ ...body.data, encryption_pasword: "x" }),
  );
  assert.deepEqual([mistyped.code, mistyped.stdout], [7, ""]);
  assert.match(mistyped.stderr, /encryption_pasword is not known. Did you mean encryption_password\?/);
  const extra = await create(["--from-file", "-"], JSON.stringify({ ...body.data, made_by: "x" }));
  assert.deepEqual([extra.code, extra.stdout.startsWith("Backup task 4 created")], [1, true]);
  assert.match(extra.stderr, /^Warning: The field made_by was ignored: this operation has no such field\.$/m);
  assert.equal(
    extra.stderr.split("\n").at(-2),
    "Cannot set made_by: the control plane does not know the field; backup task 4 was created without it",
  );

  const prompted = await home.atTerminal(
    ["tasks", "create", ...flags, "--encryption-password-from", "prompt"],
    [["password:", SECRET], ["again:", "correct horse batery staple"]],
    env,
  );
  assert.equal(prompted.code, 2);
  assert.match(prompted.stdout, /Cannot continue: the two inputs differ/);
  for (
    const [args, stdin] of [
      [["--encryption-password-from", SECRET]],
      [["--encryption-password-from", "env:NONE"]],
      [["--encryption-password-from", "file:none"]],
      [["--encryption-password-from", "stdin", "--database-password-from", "stdin"], SECRET],
      [["--from-file", "-"], "[]"],
      [["--field", "encryption_password=x"]],
    ] as [string[], string?][]
  ) {
    const { code, stdout, stderr } = await create(args, stdin);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, /^Cannot [^\n]+\n$/);
    assert.ok(!stderr.includes(SECRET), "The secret is shown");
  }
  const given = commandLines.seen().filter((line) => line.includes(SECRET));
  assert.deepEqual(given.filter((line) => !line.includes(`-from ${SECRET}`)), []);
});

Deno.test("a run is followed to its end, and the exit code shows its result", async () => {
  await using plane = await startControlPlane();
  const { home, env, fields } = await prepared(plane);
  await using _ = home;
  const run = (...args: string[]) => home.run(["tasks", ...args], { env });
  const taskId = await plane.api.create("/backup-tasks", fields);
  const followed = await run("run", `${taskId}`, "--follow");
  assert.deepEqual([followed.code, followed.stderr], [0, ""]);
  assert.match(followed.stdout, /Backup completed successfully.*\nRun 1 succeeded: .* read, .* written\n$/);
  assert.ok(!followed.stdout.includes(ESCAPE) && !followed.stdout.includes("\r"));

  const json = await run("run", `${taskId}`, "--follow", "--json");
  const { data } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, json.stderr, data.status, data.id], [0, "", "successful", 2]);

  await Deno.remove(`${home.directory}/photos`, { recursive: true });
  const failed = await run("run", `${taskId}`, "--follow");
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /Backing up files in /);
  assert.match(failed.stderr, /^Run 3 failed: [^\n]+\n$/);
  const failedJson = await run("run", `${taskId}`, "--follow", "--json");
  assert.deepEqual([failedJson.code, JSON.parse(failedJson.stdout).data.status], [1, "failed"]);

  const begun = await run("run", `${taskId}`);
  assert.deepEqual([begun.code, begun.stderr], [0, ""]);
  assert.match(begun.stdout, /^Backup task initiated successfully\.\nFollow it with: rearguard logs show 5 /);
  await plane.api.finished(taskId);
});

Deno.test("at a terminal a run shows its progress in colour, and without colour on request", async () => {
  await using plane = await startControlPlane();
  const { home, env, fields } = await prepared(plane);
  await using _ = home;
  const taskId = await plane.api.create("/backup-tasks", fields);
  const args = ["tasks", "run", `${taskId}`, "--follow"];
  const coloured = await home.atTerminal(args, [], env);
  assert.equal(coloured.code, 0, coloured.stdout);
  const shown = coloured.stdout.replaceAll(ESCAPE, "ESC");
  assert.match(shown, /\rESC\[K\d.* read/);
  assert.match(shown, /ESC\[32mRun 1 succeeded: /);
  const plain = await home.atTerminal(args, [], { ...env, NO_COLOR: "1" });
  assert.match(plain.stdout, /Run 2 succeeded: /);
  assert.doesNotMatch(plain.stdout.replaceAll(ESCAPE, "ESC"), /ESC\[\d+m/);
});

Deno.test("a run is cancelled from elsewhere, by its task and by its log, and a command that follows it reports that", async () => {
  await using plane = await startControlPlane();
  const { home, env, fields } = await prepared(plane);
  await using _ = home;
  const taskId = await plane.api.create("/backup-tasks", fields);
  for (const [runId, group] of [[1, "tasks"], [2, "logs"]] as const) {
    // A stopped agent does not accept the run, so the run stays queued.
    Deno.kill(plane.agentPid, "SIGSTOP");
    using _going = { [Symbol.dispose]: () => Deno.kill(plane.agentPid, "SIGCONT") };
    const follower = home.start(["tasks", "run", `${taskId}`, "--follow"], { env });
    const latest = `/backup-tasks/${taskId}/latest-log`;
    await until(async () => (await plane.api.call("GET", latest)).body.data?.id === runId);
    const cancelled = await home.run([group, "cancel", `${group === "tasks" ? taskId : runId}`], { env });
    assert.deepEqual([cancelled.code, cancelled.stderr], [0, ""]);
    assert.match(cancelled.stdout, /cancellation requested successfully\.\n$/i);
    Deno.kill(plane.agentPid, "SIGCONT");
    const { code, stderr } = await follower.output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), new RegExp(`^Run ${runId} was cancelled: [^\\n]+\\n$`));
  }
});

Deno.test("lists are complete unless a page is requested; errors have their own exit codes", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const run = (args: string[], more = {}) => home.run(args, { env: { ...env, ...more } });
  const serverId = await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" });
  await api.api.create("/backup-destinations", { label: "Here", type: "local", local_path: "/backups" });
  for (let number = 1; number <= 101; number++) {
    await api.api.create("/backup-tasks", {
      remote_server_id: serverId,
      backup_destination_id: 1,
      label: `Task ${number}`,
      type: "files",
      source_path: "/srv",
      frequency: "daily",
      time_to_run_at: "02:00",
    });
  }
  const all = await run(["tasks", "list"]);
  assert.deepEqual([all.code, all.stderr], [0, ""]);
  const lines = all.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 102);
  assert.match(lines[0]!, /^ ID {2}Label +Type +Server +Destination +Status +Last run +Outcome +Next run$/);
  assert.match(lines[101]!, /^101 {2}Task 101 +files +1 +1 +ready +\d{4}-\d\d-\d\dT02:00:00Z$/);
  const { data, meta } = JSON.parse((await run(["--json", "tasks", "list"])).stdout);
  assert.deepEqual([data.length, data[100].id, meta], [101, 101, { total: 101 }]);
  const page = JSON.parse((await run(["tasks", "list", "--page", "2", "--per-page", "3", "--json"])).stdout);
  assert.deepEqual([page.data.map(({ id }: { id: number }) => id), page.meta.current_page], [[4, 5, 6], 2]);

  assert.equal((await run(["tasks", "pause", "5"])).stdout, "Backup task paused successfully.\n");
  const refused = {
    REARGUARD_API_TOKEN: await api.tokenWith(["view-backup-tasks"]),
  };
  for (
    const [code, args, error, more] of [
      [2, ["tasks", "show", "five"], /^Cannot understand the command: .* It must be the number of a record/],
      [2, ["tasks", "shw"], /^Cannot understand the command: unknown command 'shw' \(Did you mean show\?\)/],
      [4, ["tasks", "pause", "1"], /^Cannot pause backup task 1: This token lacks the pause-/, refused],
      [5, ["tasks", "show", "999"], /^Cannot show backup task 999: Backup task not found/],
      [6, ["tasks", "run", "5"], /^Cannot run backup task 5: .*paused/],
      [
        7,
        ["tasks", "create", "--label", "", "--frequency", "daily"],
        /^Cannot create the backup task: .*label: .*; .*time_to_run_at: The time to run at field is required/,
      ],
    ] as [number, string[], RegExp, Record<string, string>?][]
  ) {
    const ended = await run(args, more);
    assert.deepEqual([ended.code, ended.stdout], [code, ""], ended.stderr);
    assert.match(ended.stderr, error);
    assert.match(ended.stderr, /^[^\n]+\n$/);
  }
  assert.equal((await run(["tasks", "resume", "5"])).code, 0);
  const shown = await run(["tasks", "show", "5"]);
  assert.match(shown.stdout, /^Label +Task 5$/m);
  assert.match(shown.stdout, /^Has encryption password +no$/m);
});

Deno.test("a schedule is shown in words with its next times before a task has it", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const preview = (...args: string[]) => home.run(["tasks", "schedule-preview", ...args], { env });
  const daily = ["--frequency", "daily", "--time-to-run-at", "02:30", "--timezone", "Europe/Berlin"];
  const shown = await preview(...daily);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(
    shown.stdout,
    /^Every day at 02:30 Europe\/Berlin\n\nNext runs +UTC\n(\S+T02:30:00\+\d\d:00 +\S+Z\n|\S+T03:00:00\S+ +\S+Z\n){5}\n/,
  );
  assert.match(shown.stdout, /the clocks go back from 03:00 to 02:00: 02:30 occurs twice/);
  assert.equal(JSON.parse((await preview(...daily, "--json")).stdout).data.next_runs.length, 5);
  const wrong = await preview("--custom-cron-expression", "60 * * * *");
  assert.deepEqual([wrong.code, wrong.stdout], [7, ""]);
  assert.match(wrong.stderr, /minute 60 is not one of 0 to 59/);
});

Deno.test("many tasks are changed at once; one that can't be is named, and the exit code says so", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const bulk = (...args: string[]) => home.run(["tasks", "bulk", ...args], { env });
  const remote_server_id = await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" });
  const backup_destination_id = await api.api.create("/backup-destinations", {
    label: "Here",
    type: "local",
    local_path: "/backups",
  });
  const task = (label: string) =>
    api.api.create("/backup-tasks", {
      remote_server_id,
      backup_destination_id,
      label,
      type: "files",
      source_path: "/srv",
      frequency: "daily",
      time_to_run_at: "02:00",
    });
  const ids = [`${await task("One")}`, `${await task("Two")}`];
  const week = await home.run(["tasks", "week", "--start", "2040-01-02"], { env });
  assert.deepEqual([week.code, week.stderr], [0, ""]);
  assert.match(week.stdout, /^2040-01-02 to 2040-01-08, UTC\n\nServer {2}Task {2}Label /);
  assert.match(week.stdout, /^web {8}1 {2}One +Every day at 02:00 UTC +7 times\n/m);
  assert.match(
    week.stdout,
    /\n\nOverlap on .*\nweb +2040-01-02T02:00:00Z +2040-01-02T02:01:00Z +1, 2 +yes\n/,
  );
  const tag = await api.api.create("/tags", { label: "live" });
  const tagged = await bulk("add-tag", ...ids, "--tag", `${tag}`);
  assert.deepEqual([tagged.code, tagged.stderr], [0, ""]);
  assert.match(
    tagged.stdout,
    /^ID {2}Result {2}Message +Log\n 1 {2}ok +Tag successfully added to the backup task\.\n 2 {2}ok /,
  );
  assert.equal((await bulk("pause", ids[0]!)).code, 0);
  const started = await bulk("run", ...ids, "99");
  assert.equal(started.code, 1);
  assert.match(started.stdout, /^ 1 {2}failed {2}The backup task is paused\./m);
  assert.match(started.stdout, /^ 2 {2}ok {6}Backup task initiated successfully\. +1$/m);
  assert.match(started.stdout, /^99 {2}failed {2}Backup task not found$/m);
  assert.equal(started.stderr, "Cannot run 2 of 3 backup tasks\n");
  assert.equal((await bulk("add-tag", ...ids)).code, 7);
  assert.equal((await bulk("explode", ...ids)).code, 2);
});
