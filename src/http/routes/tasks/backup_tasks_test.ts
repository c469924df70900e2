import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { openDatabase } from "../../../store/database/database.ts";
import { createApp } from "../../app.ts";
import {
  newBackup,
  newDestination,
  newRun,
  newServer,
  newTask,
} from "../../../../tests/support/fixtures/records.ts";

Deno.test("a task shows everything that was sent, and no secret", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { call } = client;
  const tag = (await call("POST", "/api/tags", { label: "live", colour: "#ff0000" })).body.data.id;
  const sent = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
    label: "Databases",
    description: "All of them",
    type: "database",
    database_name: "shop, wiki",
    database_type: "postgresql",
    database_host: "127.0.0.1",
    database_port: 5433,
    database_username: "backup",
    database_password: "s3cret-db",
    database_format: "plain",
    excluded_database_tables: "logs,cache",
    frequency: "weekly",
    time_to_run_at: "02:30",
    timezone: "Europe/Berlin",
    weekday: 0,
    maximum_backups_to_keep: 4,
    appended_file_name: "weekly",
    store_path: "db/weekly",
    isolated_username: "backup",
    isolated_password: "s3cret-os",
    encryption_password: "s3cret-age",
    run_timeout: 3600,
    on_shrink: "fail",
    on_incompressible: "ignore",
    verify_every: 30,
    drill_every: 0,
    allow_unreadable: true,
    excluded_paths: ["*.tmp"],
    tag_ids: [tag],
  };
  const answer = await call("POST", "/api/backup-tasks", sent);
  assert.equal(answer.status, 201);
  const task = answer.body.data;
  const { database_password: _d, isolated_password: _i, encryption_password: _e, ...shown } = sent;
  for (const [field, value] of Object.entries(shown)) assert.deepEqual(task[field], value, field);
  assert.doesNotMatch(JSON.stringify(task), /s3cret/);
  assert.deepEqual(
    [task.has_database_password, task.has_isolated_credentials, task.has_encryption_password],
    [true, true, true],
  );
  assert.deepEqual(task.tags, [{ id: tag, label: "live", colour: "#ff0000" }]);
  // The next run is on a Sunday in winter, when Berlin is one hour ahead of UTC.
  assert.deepEqual(task.schedule, {
    frequency: "weekly",
    time: "02:30",
    custom_cron: null,
    scheduled_utc_time: "01:30",
    description: "Every Sunday at 02:30 Europe/Berlin",
    scheduled_local_time: "02:30",
    timezone: "Europe/Berlin",
    next_run_at: "2026-01-11T01:30:00Z",
  });
  assert.equal(task.notification_streams_count, 0);
  assert.deepEqual((await call("GET", `/api/backup-tasks/${task.id}`)).body.data, task);
  const [row] = await api.database`select * from backup_tasks where id = ${task.id}`;
  assert.doesNotMatch(JSON.stringify(row), /s3cret/);
  assert.equal(api.services.keyring.decrypt(row!.encryption_password_encrypted), "s3cret-age");
});

Deno.test("a task says what it backs up, where from and to, and what it has stored", async () => {
  await using api = await testApi();
  const client = await api.user();
  const { call } = client;
  const [remote_server_id, backup_destination_id] = [await newServer(client), await newDestination(client)];
  const where = { remote_server_id, backup_destination_id };
  const described = async (fields: object) => {
    const id = await newTask(client, { ...where, source_path: null, ...fields });
    return (await call("GET", `/api/backup-tasks/${id}`)).body.data;
  };
  const task = await described({ type: "files", source_path: "/srv/shop" });
  assert.equal(task.source.description, "/srv/shop");
  const database = { type: "database" };
  for (
    const [fields, expected] of [
      [{ ...database, database_type: "mysql", database_name: "shop, wiki" }, "MySQL databases: shop, wiki"],
      [{ ...database, database_type: "postgresql", database_name: "*" }, "All PostgreSQL databases"],
      [{ ...database, database_name: "*" }, "All databases"],
      [{ ...database, database_name: "shop" }, "Databases: shop"],
    ] as const
  ) assert.equal((await described(fields)).source.description, expected);
  const [server] = (await call("GET", "/api/remote-servers")).body.data;
  const [destination] = (await call("GET", "/api/backup-destinations")).body.data;
  assert.deepEqual(task.remote_server, { id: remote_server_id, label: server.label });
  assert.deepEqual(task.backup_destination, { id: backup_destination_id, label: destination.label });
  assert.deepEqual(task.backups, { count: 0, size: 0 });
  await newBackup(api.database, task.id, api.clock.now(), { size: 1500 });
  const newest = await newBackup(api.database, task.id, api.clock.now(), { size: 700 });
  const [listed] = (await call("GET", "/api/backup-tasks")).body.data;
  assert.deepEqual(listed.backups, { count: 2, size: 2200 });
  assert.equal((await call("DELETE", `/api/backups/${newest}`)).status, 200);
  const after = (await call("GET", `/api/backup-tasks/${task.id}`)).body.data.backups;
  assert.deepEqual(after, { count: 1, size: 1500 });
});

Deno.test("a task of SQLite databases takes paths and patterns, and nothing of a server", async () => {
  await using api = await testApi();
  const client = await api.user();
  const fields = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
    label: "Notes",
    type: "database",
    database_type: "sqlite",
    custom_cron_expression: "@daily",
  };
  const create = (other: Record<string, unknown>) =>
    client.call("POST", "/api/backup-tasks", { ...fields, ...other });
  const { status, body } = await create({ database_name: "/var/lib/a.db, /srv/*/b.db" });
  assert.equal(status, 201, JSON.stringify(body));
  const paths = "must be absolute paths of files, separated by commas, when database type is sqlite";
  // No type of database task accepts these names.
  for (const database_name of ["/srv/", "/srv/a,b"]) {
    assert.deepEqual(
      Object.keys((await create({ database_name })).body.errors),
      ["database_name"],
      database_name,
    );
  }
  for (const database_name of ["shop", "*"]) {
    const refused = await create({ database_name });
    assert.deepEqual(
      refused.body.errors,
      { database_name: [`The database name field ${paths}.`] },
      database_name,
    );
  }
  assert.deepEqual(Object.keys((await create({})).body.errors), ["database_name"]);
  const foreign = await create({ database_name: "/a", database_host: "db", database_password: "x" });
  assert.deepEqual(foreign.body.errors, {
    database_host: ["The database host field can't be used when database type is sqlite."],
    database_password: ["The database password field can't be used when database type is sqlite."],
  });
  const path = `/api/backup-tasks/${body.data.id}`;
  assert.equal((await client.call("PUT", path, { label: "Other" })).status, 200);
  const other = await client.call("PUT", path, { database_type: "mysql" });
  assert.match(
    other.body.errors.database_name[0],
    /slash/,
  );
  for (const database_type of [null, "postgresql"]) {
    const refused = await create({ database_type, database_name: "/a" });
    assert.match(refused.body.errors.database_name[0], /slash/);
  }
});

Deno.test("a task of strings, as a form sends them, is the same task", async () => {
  await using api = await testApi();
  const client = await api.user();
  const server = await newServer(client);
  const destination = await newDestination(client);
  const form = new URLSearchParams({
    remote_server_id: String(server),
    backup_destination_id: String(destination),
    label: "Home",
    type: "files",
    source_path: "/home",
    frequency: "daily",
    time_to_run_at: "01:00",
    custom_cron_expression: "",
    maximum_backups_to_keep: "5",
    allow_unreadable: "1",
  });
  form.append("excluded_paths[]", "*.tmp");
  const answer = await client.call("POST", "/api/backup-tasks", form.toString(), {
    "Content-Type": "application/x-www-form-urlencoded",
  });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { remote_server_id, maximum_backups_to_keep, allow_unreadable, excluded_paths } = answer.body.data;
  assert.deepEqual([remote_server_id, maximum_backups_to_keep, allow_unreadable, excluded_paths], [
    server,
    5,
    true,
    ["*.tmp"],
  ]);
});

Deno.test("null for what can't be empty is the default, and leaves what there is", async () => {
  await using api = await testApi();
  const client = await api.user();
  const nothing = {
    timezone: null,
    maximum_backups_to_keep: null,
    excluded_paths: null,
    allow_unreadable: null,
    database_format: "",
    on_shrink: null,
    verify_every: null,
    tag_ids: null,
  };
  const id = await newTask(client, nothing);
  const { data } = (await client.call("GET", `/api/backup-tasks/${id}`)).body;
  assert.deepEqual(
    [
      data.timezone,
      data.maximum_backups_to_keep,
      data.excluded_paths,
      data.allow_unreadable,
      data.database_format,
      data.on_shrink,
      data.on_incompressible,
      data.verify_every,
      data.source_changed_at,
    ],
    ["UTC", 0, [], false, "custom", "warn", "warn", 7, null],
  );
  await client.call("PUT", `/api/backup-tasks/${id}`, { timezone: "Asia/Tokyo", excluded_paths: ["*.tmp"] });
  const kept = (await client.call("PUT", `/api/backup-tasks/${id}`, nothing)).body.data;
  assert.deepEqual([kept.timezone, kept.excluded_paths], ["Asia/Tokyo", ["*.tmp"]]);
});

Deno.test("an empty task lists every field that is missing", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const answer = await call("POST", "/api/backup-tasks", {});
  assert.equal(answer.status, 422);
  assert.deepEqual(answer.body, {
    error: "Validation Error",
    message: "The given data was invalid.",
    errors: {
      remote_server_id: ["The remote server id field is required."],
      backup_destination_id: ["The backup destination id field is required."],
      label: ["The label field is required."],
      type: ["The type field is required."],
      frequency: ["The frequency field is required unless a custom cron expression is given."],
      time_to_run_at: ["The time to run at field is required unless a custom cron expression is given."],
    },
  });
});

Deno.test("every bad field is refused by name, alone, and nothing changes", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  const before = (await client.call("GET", `/api/backup-tasks/${id}`)).body.data;
  const bad: [string, unknown, RegExp][] = [
    ["label", "", /required/],
    ["label", "x".repeat(256), /longer than 255/],
    ["label", "a\0b", /NUL/],
    ["type", "folder", /must be one of: files, database/],
    ["source_path", "home", /absolute/],
    ["source_path", "/home/../etc", /must not contain \.\./],
    ["source_path", "/a\0b", /NUL/],
    ["source_path", 7, /a string/],
    ["store_path", "../x", /must not contain \.\./],
    ["store_path", "a/../../x", /must not contain \.\./],
    ["appended_file_name", "a/b", /letters, digits/],
    ["appended_file_name", "-x", /letters, digits/],
    ["appended_file_name", "a b", /letters, digits/],
    ["database_name", "a,,b", /separated by commas/],
    ["database_name", "a,a", /twice/],
    ["database_name", "--all", /dash/],
    ["database_name", "host=evil", /equals/],
    ["database_name", "../etc", /dot/],
    ["database_name", "x".repeat(65), /64/],
    ["excluded_database_tables", "a,-x", /table names/],
    ["database_type", "oracle", /one of: postgresql, mysql/],
    ["database_host", "a b", /host name/],
    ["database_host", "300.1.1.1", /IP address/],
    ["database_port", 0, /at least 1/],
    ["database_port", 65536, /at most 65535/],
    ["database_username", "-u", /dash/],
    ["isolated_username", "a b", /system user/],
    ["isolated_username", "-x", /system user/],
    ["frequency", "hourly", /one of: daily, weekly/],
    ["time_to_run_at", "24:00", /time of day/],
    ["time_to_run_at", "1:00", /time of day/],
    ["weekday", 7, /at most 6/],
    ["custom_cron_expression", "* * * * * *", /five fields/],
    ["custom_cron_expression", "61 * * * *", /minute 61 is not one of 0 to 59/],
    ["custom_cron_expression", "0 0 31 2 *", /never matches/],
    ["timezone", "Berlin", /IANA/],
    ["timezone", "+02:00", /IANA/],
    ["maximum_backups_to_keep", -1, /at least 0/],
    ["maximum_backups_to_keep", 1e12, /at most/],
    ["maximum_backups_to_keep", "many", /an integer/],
    ["excluded_paths", "x", /a list/],
    ["excluded_paths.0", undefined, /one line/],
    ["run_timeout", 0, /at least 1/],
    ["on_shrink", "shout", /one of/],
    ["on_incompressible", true, /one of/],
    ["allow_unreadable", "yes", /true or false/],
    ["tag_ids", [999], /selected tags are invalid/],
    ["notification_stream_ids", [999], /selected notification streams are invalid/],
    ["remote_server_id", 999, /^The selected remote server is invalid\.$/],
    ["backup_destination_id", 999, /^The selected backup destination is invalid\.$/],
  ];
  for (const [field, value, message] of bad) {
    const body = field === "excluded_paths.0" ? { excluded_paths: ["a\nb"] } : { [field]: value };
    const answer = await client.call("PUT", `/api/backup-tasks/${id}`, body);
    assert.equal(answer.status, 422, `${field}: ${JSON.stringify(value)} ${JSON.stringify(answer.body)}`);
    assert.deepEqual(Object.keys(answer.body.errors), [field]);
    assert.match(answer.body.errors[field][0], message);
  }
  assert.deepEqual((await client.call("GET", `/api/backup-tasks/${id}`)).body.data, before);
});

Deno.test("other people's servers, destinations, tags and streams can't be referred to", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  const theirs = {
    remote_server_id: await newServer(owner),
    backup_destination_id: await newDestination(owner),
    tag_ids: [(await owner.call("POST", "/api/tags", { label: "t" })).body.data.id],
  };
  const whole = { label: "x", type: "files", source_path: "/", custom_cron_expression: "@daily", ...theirs };
  const answer = await other.call("POST", "/api/backup-tasks", whole);
  assert.equal(answer.status, 422);
  assert.deepEqual(answer.body.errors, {
    remote_server_id: ["The selected remote server is invalid."],
    backup_destination_id: ["The selected backup destination is invalid."],
    tag_ids: ["The selected tags are invalid."],
  });
});

Deno.test("a cron clears frequency and time, and the reverse", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client, { frequency: "weekly", time_to_run_at: "02:00" });
  const change = async (body: unknown) => (await client.call("PUT", `/api/backup-tasks/${id}`, body)).body;
  const cron = (await change({ custom_cron_expression: "15 3 * * *" })).data;
  assert.deepEqual(
    [cron.frequency, cron.time_to_run_at, cron.weekday, cron.schedule.custom_cron, cron.schedule.next_run_at],
    [null, null, null, "15 3 * * *", "2026-01-06T03:15:00Z"],
  );
  const half = await change({ frequency: "daily" });
  assert.deepEqual(Object.keys(half.errors), ["time_to_run_at"]);
  assert.deepEqual(Object.keys((await change({ custom_cron_expression: null })).errors), [
    "frequency",
    "time_to_run_at",
  ]);
  const daily = (await change({ frequency: "daily", time_to_run_at: "04:00" })).data;
  assert.deepEqual([daily.schedule.custom_cron, daily.schedule.time, daily.weekday], [null, "04:00", null]);
});

Deno.test("a weekly task runs on the weekday it was created on, on its own calendar", async () => {
  await using api = await testApi();
  const client = await api.user();
  // Monday evening in UTC is Tuesday in Tokyo.
  await api.clock.set("2026-01-05T20:00:00Z");
  const id = await newTask(client, { frequency: "weekly", time_to_run_at: "02:00", timezone: "Asia/Tokyo" });
  const show = async () => (await client.call("GET", `/api/backup-tasks/${id}`)).body.data;
  assert.equal((await show()).weekday, 2);
  await api.clock.set("2026-01-08T20:00:00Z");
  await client.call("PUT", `/api/backup-tasks/${id}`, { weekday: 5 });
  assert.equal((await show()).weekday, 5);
  const { schedule, weekday } =
    (await client.call("PUT", `/api/backup-tasks/${id}`, { weekday: null })).body.data;
  assert.deepEqual([weekday, schedule.next_run_at], [2, "2026-01-12T17:00:00Z"]);
});

Deno.test("a type can change once what it needs is there", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  const refused = await client.call("PUT", `/api/backup-tasks/${id}`, { type: "database" });
  assert.deepEqual(refused.body.errors, {
    database_name: ["The database name field is required when type is database."],
  });
  const changed = await client.call("PUT", `/api/backup-tasks/${id}`, {
    type: "database",
    database_name: "*",
  });
  assert.deepEqual(changed.body.data.source, {
    description: "All databases",
    path: "/home",
    type: "database",
    database_name: "*",
    excluded_tables: null,
  });
  const cleared = await client.call("PUT", `/api/backup-tasks/${id}`, { database_name: null });
  assert.deepEqual(Object.keys(cleared.body.errors), ["database_name"]);
});

Deno.test("the time zone is the user's unless the task has its own", async () => {
  await using api = await testApi();
  const client = await api.user();
  await client.call("PUT", "/api/user", { timezone: "America/New_York" });
  const id = await newTask(client);
  const task = (await client.call("GET", `/api/backup-tasks/${id}`)).body.data;
  assert.deepEqual([task.timezone, task.schedule.scheduled_utc_time, task.schedule.scheduled_local_time], [
    "America/New_York",
    "06:00",
    "01:00",
  ]);
});

Deno.test("a change that leaves the schedule alone leaves the due time alone", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  // The task's run is overdue, and a change of the label must not postpone it.
  await api.clock.set("2026-01-06T02:00:00Z");
  const changed = await client.call("PUT", `/api/backup-tasks/${id}`, {
    label: "New",
    time_to_run_at: "01:00",
  });
  assert.equal(changed.body.data.schedule.next_run_at, "2026-01-06T01:00:00Z");
});

Deno.test("secrets are replaced and cleared without being shown", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client, { encryption_password: "one" });
  const change = async (body: unknown) =>
    (await client.call("PUT", `/api/backup-tasks/${id}`, body)).body.data.has_encryption_password;
  assert.equal(await change({ label: "New" }), true);
  assert.equal(await change({ encryption_password: "two" }), true);
  const [row] = await api.database`select encryption_password_encrypted from backup_tasks where id = ${id}`;
  assert.equal(api.services.keyring.decrypt(row!.encryption_password_encrypted), "two");
  assert.equal(await change({ encryption_password: null }), false);
});

Deno.test("a task lists when it ran last, in its own time zone", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client, { timezone: "Asia/Kathmandu" });
  await newRun(api.database, id, new Date("2026-01-05T10:00:00Z"));
  await newRun(api.database, id, new Date("2026-01-05T11:00:00Z"), { kind: "verify", state: "running" });
  const [task] = (await client.call("GET", "/api/backup-tasks")).body.data;
  assert.deepEqual([task.status, task.last_run_utc_time, task.last_run_local_time], [
    "ready",
    "2026-01-05T10:00:00Z",
    "2026-01-05T15:45:00+05:45",
  ]);
});

Deno.test("a task shows the outcome of its last backup run that ended, as the run's log does", async () => {
  await using api = await testApi();
  const client = await api.user();
  const task = await newTask(client);
  const shown = async () =>
    (await client.call("GET", `/api/backup-tasks/${task}`)).body.data.last_run_outcome;
  assert.equal(await shown(), null);
  const [finished_at, later] = [api.clock.now(), new Date(api.clock.now().getTime() + 1)];
  const ends: [object, string | null][] = [
    [{ state: "succeeded" }, "succeeded"],
    [{ state: "succeeded", warnings_count: 2 }, "warnings"],
    [{ state: "failed", warnings_count: 2 }, "failed"],
    [{ state: "lost" }, "failed"],
    [{ state: "cancelled", timeout_at: finished_at, finished_at }, "failed"],
    [{ state: "cancelled", timeout_at: later, finished_at }, null],
    [{ state: "cancelled", timeout_at: null, finished_at }, null],
  ];
  for (const [end, expected] of ends) {
    const run = await newRun(api.database, task, finished_at, end);
    await newRun(api.database, task, finished_at, { kind: "restore", state: "succeeded" });
    const log = (await client.call("GET", `/api/backup-task-logs/${run}`)).body.data;
    assert.deepEqual([log.outcome, await shown()], [expected, expected], JSON.stringify(end));
  }
});

Deno.test("a deleted task leaves its backups, unless they are to go too", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const kept = await newTask(client);
  const gone = await newTask(client);
  const keptBackup = await newBackup(api.database, kept, now);
  const goneBackup = await newBackup(api.database, gone, now);
  const limited = await api.tokenOf(client, ["delete-backup-tasks"]);
  const forbidden = await limited.call("DELETE", `/api/backup-tasks/${gone}?with_backups=1`);
  assert.equal(forbidden.status, 403);
  assert.match(forbidden.body.message, /delete-backups/);
  assert.deepEqual((await client.call("DELETE", `/api/backup-tasks/${kept}`)).body, {
    message: "Backup task successfully deleted",
    deletes_at: "2026-01-08T12:00:00Z",
  });
  assert.equal((await client.call("DELETE", `/api/backup-tasks/${gone}?with_backups=1`)).status, 200);
  const backups = (await client.call("GET", "/api/backups")).body.data;
  assert.deepEqual(
    backups.map((backup: Record<string, unknown>) => [backup.id, backup.backup_task_id, backup.status]),
    [[keptBackup, null, "stored"], [goneBackup, null, "deleting"]],
  );
});

Deno.test("a task with a run that is not over is not deleted", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newTask(client);
  const run = await newRun(api.database, id, api.clock.now(), { state: "queued" });
  const refused = await client.call("DELETE", `/api/backup-tasks/${id}`);
  assert.deepEqual([refused.status, refused.body.error], [409, "Conflict"]);
  await api.database`delete from runs where id = ${run}`;
  assert.equal((await client.call("DELETE", `/api/backup-tasks/${id}`)).status, 200);
  assert.deepEqual((await client.call("GET", `/api/backup-tasks/${id}`)).body, {
    error: "Not Found",
    message: "Backup task not found",
  });
});

Deno.test("a page of tasks takes as many queries with one task as with fifteen", async () => {
  await using api = await testApi();
  const client = await api.user();
  const references = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
  };
  let queries = 0;
  const database = openDatabase(api.url, { debug: () => void queries++ });
  const app = createApp({ services: { ...api.services, database } });
  const list = async () => {
    queries = 0;
    const headers = { Authorization: `Bearer ${client.token}` };
    const answer = await app.request("/api/backup-tasks", { headers });
    return { tasks: (await answer.json()).data.length, queries };
  };
  await newTask(client, references);
  await list(); // warms up the pool, whose connections make queries of their own
  const one = await list();
  for (let count = 0; count < 15; count++) await newTask(client, references);
  const fifteen = await list();
  assert.deepEqual(fifteen, { tasks: 15, queries: one.queries });
  await database.end();
});

Deno.test("tasks come in pages, and an empty page still knows how many there are", async () => {
  await using api = await testApi();
  const client = await api.user();
  const references = {
    remote_server_id: await newServer(client),
    backup_destination_id: await newDestination(client),
  };
  for (let count = 0; count < 3; count++) await newTask(client, references);
  const second = await client.call("GET", "/api/backup-tasks?page=2&per_page=2");
  assert.deepEqual([second.body.data.length, second.body.meta.total, second.body.meta.last_page], [1, 3, 2]);
  const fourth = await client.call("GET", "/api/backup-tasks?page=4&per_page=2");
  assert.deepEqual([fourth.body.data, fourth.body.meta.total, fourth.body.meta.from], [[], 3, null]);
});

Deno.test("a task's paths, patterns and names are stored to the letter", async () => {
  await using api = await testApi();
  const server = await newServer(api.admin);
  const destination = await newDestination(api.admin);
  const common = {
    remote_server_id: server,
    backup_destination_id: destination,
    label: " Web ",
    frequency: "daily",
    time_to_run_at: "02:00",
  };
  const files = {
    type: "files",
    source_path: "/srv/data ",
    excluded_paths: [" cache", "logs "],
    store_path: "x ",
  };
  const { body } = await api.admin.call("POST", "/api/backup-tasks", { ...common, ...files });
  assert.equal(body.data.label, "Web");
  const { source, excluded_paths, store_path } = body.data;
  assert.deepEqual([source.path, excluded_paths, store_path], ["/srv/data ", files.excluded_paths, "x "]);
  const names = {
    type: "database",
    database_name: "shop ",
    excluded_database_tables: "logs ",
    database_username: "jo ",
  };
  const made = await api.admin.call("POST", "/api/backup-tasks", { ...common, ...names });
  const { database_name, excluded_database_tables, database_username } = made.body.data;
  assert.deepEqual({ type: "database", database_name, excluded_database_tables, database_username }, names);
});

Deno.test("a cron line may have tabs, and a database's host may be the directory of its socket", async () => {
  await using api = await testApi();
  const { call } = api.admin;
  const id = await newTask(api.admin, { custom_cron_expression: " 0\t2 \t* * MON-FRI\t" });
  const path = `/api/backup-tasks/${id}`;
  assert.equal((await call("GET", path)).body.data.custom_cron_expression, "0 2 * * MON-FRI");
  assert.equal((await call("PUT", path, { custom_cron_expression: "0 2\n* * *" })).status, 422);
  for (const database_host of ["/var/run/postgresql", "/srv/sockets ", "db.example.com", "::1"]) {
    const { status, body } = await call("PUT", path, { database_host });
    assert.deepEqual([status, body.data?.database_host], [200, database_host]);
  }
  for (const database_host of ["var/run", "/var/../etc", "/a\nb", "~/sockets"]) {
    assert.equal((await call("PUT", path, { database_host })).status, 422, database_host);
  }
});

Deno.test("the action of a guard is set in the map or by the guard's own field, and both show it", async () => {
  await using api = await testApi();
  const client = await api.user();
  const path = `/api/backup-tasks/${await newTask(client, { on_shrink: "fail" })}`;
  const change = async (body: Record<string, unknown>) => {
    const { status, body: { data } } = await client.call("PUT", path, body);
    assert.equal(status, 200);
    const { incompressible, shrink } = data.guards;
    return [incompressible, shrink, data.on_incompressible, data.on_shrink];
  };
  assert.deepEqual(await change({}), ["warn", "fail", "warn", "fail"]);
  assert.deepEqual(await change({ guards: { incompressible: "ignore" } }), [
    "ignore",
    "fail",
    "ignore",
    "fail",
  ]);
  assert.deepEqual(await change({ on_shrink: "warn", guards: { shrink: "ignore" } }), [
    "ignore",
    "warn",
    "ignore",
    "warn",
  ]);
  for (const guards of [{ shrink: "shout" }, "warn"]) {
    const refused = await client.call("PUT", path, { guards });
    assert.equal(refused.status, 422);
    assert.match(Object.keys(refused.body.errors).join(), /^guards/);
  }
});
