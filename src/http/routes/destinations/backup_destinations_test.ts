import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import {
  newBackup,
  newDestination,
  newRun,
  newServer,
  newTask,
} from "../../../../tests/support/fixtures/records.ts";
import { sayHello } from "../../../../tests/support/fixtures/planted.ts";
import { TestS3 } from "../../../../tests/support/servers/s3.ts";
import { claimPendingRequests, recordResponse } from "../../../services/agent_rpc/agent_requests.ts";

const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nczNjcmV0\n-----END OPENSSH PRIVATE KEY-----\n";
const HOST_KEY = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";
const times = { created_at: "2026-01-05T12:00:00Z", updated_at: "2026-01-05T12:00:00Z" };

/** Pairs of the fields that are sent and the fields that the response shows. */
const types: [Record<string, unknown>, Record<string, unknown>][] = [
  [{ type: "local" }, { type_human: "Local", local_path: null, nearly_full_below: null }],
  [{ type: "local", local_path: "/mnt", nearly_full_below: 5 }, {
    type_human: "Local",
    local_path: "/mnt",
    nearly_full_below: 5,
  }],
  [
    {
      type: "s3",
      s3_access_key: "AKIA",
      s3_secret_key: "s3cret",
      s3_bucket_name: "backups",
      custom_s3_region: "eu-central-1",
    },
    {
      type_human: "Amazon S3",
      s3_bucket_name: "backups",
      path_style_endpoint: false,
      s3_region: "eu-central-1",
      is_s3_access_key_set: true,
      is_s3_secret_key_set: true,
    },
  ],
  [
    {
      type: "custom_s3",
      s3_access_key: "AKIA",
      s3_secret_key: "s3cret",
      s3_bucket_name: "backups",
      custom_s3_endpoint: "https://s3.example.com",
      path_style_endpoint: "1",
    },
    {
      type_human: "Custom S3",
      s3_bucket_name: "backups",
      path_style_endpoint: true,
      s3_region: null,
      s3_endpoint: "https://s3.example.com",
      is_s3_access_key_set: true,
      is_s3_secret_key_set: true,
    },
  ],
  [
    {
      type: "sftp",
      sftp_host: "backup.example.com",
      sftp_username: "backup",
      sftp_private_key: KEY,
      sftp_host_key: `${HOST_KEY}=`,
      sftp_path: "data",
    },
    {
      type_human: "SFTP",
      sftp_host: "backup.example.com",
      sftp_port: 22,
      sftp_username: "backup",
      sftp_path: "data",
      nearly_full_below: null,
      sftp_host_key: HOST_KEY,
      is_sftp_password_set: false,
      is_sftp_private_key_set: true,
    },
  ],
];

for (const [sent, shown] of types) {
  Deno.test(`a destination of type ${sent.type} shows its own fields and no secret: ${Object.keys(sent)}`, async () => {
    await using api = await testApi();
    const { call, userId } = await api.user();
    const { status, body } = await call("POST", "/api/backup-destinations", { label: "there", ...sent });
    assert.equal(status, 201, JSON.stringify(body));
    const { id } = body.data;
    const usage = {
      stored_bytes: 0,
      backups_count: 0,
      growth_bytes_per_day: null,
      days_until_full: null,
      cost_per_month: null,
    };
    const price = { price_per_gb_month: null, currency: null };
    const own = { id, user_id: userId, label: "there", type: sent.type, space: null, usage };
    assert.deepEqual(body.data, { ...own, ...price, ...shown, ...times });
    assert.deepEqual((await call("GET", `/api/backup-destinations/${id}`)).body, body);
    assert.deepEqual((await call("GET", "/api/backup-destinations")).body.data, [body.data]);
    const stored = JSON.stringify(await api.database`select * from backup_destinations`);
    assert.doesNotMatch(stored, /s3cret|czNjcmV0|AKIA/);
    const renamed = await call("PUT", `/api/backup-destinations/${id}`, { label: "here" });
    assert.deepEqual(renamed.body.data, { ...body.data, label: "here" });
    assert.deepEqual((await call("DELETE", `/api/backup-destinations/${id}`)).body, {
      message: "Backup destination successfully deleted",
      deletes_at: "2026-01-08T12:00:00Z",
    });
    assert.deepEqual((await call("GET", `/api/backup-destinations/${id}`)).body, {
      error: "Not Found",
      message: "Backup destination not found",
    });
  });
}

Deno.test("what a type needs is named with everything else that is wrong", async () => {
  await using api = await testApi();
  const { call } = await api.user();
  const wrong = async (body: unknown) => (await call("POST", "/api/backup-destinations", body)).body.errors;
  assert.deepEqual(Object.keys(await wrong({})), ["label", "type"]);
  assert.deepEqual(await wrong({ type: "s3", s3_bucket_name: "a/b" }), {
    label: ["The label field is required."],
    s3_bucket_name: ["The s3 bucket name field must be the name of a bucket."],
    s3_access_key: ["The s3 access key field is required when type is s3."],
    s3_secret_key: ["The s3 secret key field is required when type is s3."],
    s3_region: ["The s3 region field is required when type is s3."],
  });
  assert.deepEqual(Object.keys(await wrong({ label: "x", type: "sftp" })), [
    "sftp_host",
    "sftp_username",
    "sftp_password",
  ]);
});

Deno.test("every bad field of a destination is refused by name", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newDestination(client);
  const bad: [string, unknown][] = [
    ["type", "ftp"],
    ["local_path", "backups"],
    ["local_path", "/a/../b"],
    ["s3_access_key", "a b"],
    ["s3_bucket_name", "x"],
    ["s3_region", "eu central"],
    ["custom_s3_endpoint", "ftp://x"],
    ["custom_s3_endpoint", "https://user:pass@x"],
    ["custom_s3_endpoint", "https://x/?a=b"],
    ["custom_s3_endpoint", "https://"],
    ["sftp_host", "a/b"],
    ["sftp_port", 0],
    ["sftp_private_key", "ssh-ed25519 AAAA"],
    ["sftp_host_key", "MD5:aa:bb"],
    ["sftp_host_key", "SHA256:short"],
    ["sftp_path", "../x"],
  ];
  for (const [field, value] of bad) {
    const answer = await client.call("PUT", `/api/backup-destinations/${id}`, { [field]: value });
    assert.deepEqual([field, value, answer.status], [field, value, 422]);
    assert.deepEqual(Object.keys(answer.body.errors), [field]);
    assert.ok(!JSON.stringify(answer.body).includes("user:pass"));
  }
});

Deno.test("a new type needs its own fields, and the old one's secrets are gone", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newDestination(client, {
    type: "sftp",
    sftp_host: "h",
    sftp_username: "u",
    sftp_password: "s3cret",
  });
  const change = (body: unknown) => client.call("PUT", `/api/backup-destinations/${id}`, body);
  assert.deepEqual(Object.keys((await change({ sftp_password: null })).body.errors), ["sftp_password"]);
  assert.equal((await change({ sftp_password: null, sftp_private_key: KEY })).status, 200);
  assert.deepEqual(Object.keys((await change({ type: "custom_s3" })).body.errors), [
    "s3_access_key",
    "s3_secret_key",
    "s3_bucket_name",
    "custom_s3_endpoint",
  ]);
  assert.equal((await change({ type: "local", local_path: "/mnt" })).body.data.local_path, "/mnt");
  const [row] = await api.database`select * from backup_destinations where id = ${id}`;
  assert.deepEqual([row!.sftp_private_key_encrypted, row!.sftp_host, row!.sftp_port], [null, null, null]);
});

Deno.test("a destination that is used, holds backups or is written to is kept, and says how many", async () => {
  await using api = await testApi();
  const client = await api.user();
  const now = api.clock.now();
  const id = await newDestination(client);
  const task = await newTask(client, { backup_destination_id: id });
  await newBackup(api.database, task, now);
  await newBackup(api.database, task, now);
  const path = `/api/backup-destinations/${id}`;
  const refusal = async () => {
    const { status, body } = await client.call("DELETE", path);
    assert.deepEqual([status, body.error], [409, "Conflict"]);
    return body.message;
  };
  assert.match(await refusal(), /is used by 1 backup task and holds 2 backups\. /);
  const switched = await client.call("PUT", path, {
    type: "sftp",
    sftp_host: "h",
    sftp_username: "u",
    sftp_password: "p",
  });
  assert.match(switched.body.message, /holds 2 backups\. /);
  const other = await newDestination(client);
  await newRun(api.database, task, now, { state: "running" });
  await client.call("PUT", `/api/backup-tasks/${task}`, { backup_destination_id: other });
  assert.match(await refusal(), /destination holds 2 backups\. /);
  await api.database`delete from backups`;
  assert.match(await refusal(), /is written to by 1 run\. /);
  await api.database`
    update runs set state = 'failed', finished_at = ${now}, deadline_at = null`;
  await api.database`
    insert into uploads (id, run_id, attempt, backup_destination_id, object_key, s3_upload_id, part_size, state,
      created_at, updated_at)
    select gen_random_uuid(), id, 1, ${id}, 'k', 'u', 1, 'open', ${now}, ${now} from runs`;
  assert.match(await refusal(), /is written to by 1 run\. /);
  await api.database`update uploads set state = 'removed'`;
  assert.equal((await client.call("DELETE", path)).status, 200);
});

Deno.test("a destination that holds something is not pointed elsewhere, unless that was moved along", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newDestination(client, types[3]![0]);
  const task = await newTask(client, { backup_destination_id: id });
  await newBackup(api.database, task, api.clock.now(), { directory: "web" });
  const change = (body: unknown) => client.call("PUT", `/api/backup-destinations/${id}`, body);
  for (const moved of [{ s3_bucket_name: "others" }, { custom_s3_endpoint: "https://other.example.com" }]) {
    const { status, body } = await change(moved);
    assert.equal(status, 409);
    assert.match(
      body.message,
      /holds 1 backup\. .*with another (s3_bucket_name|custom_s3_endpoint)\. .*objects_moved: true/,
    );
  }
  assert.equal((await change({ s3_secret_key: "rotated", label: "renamed" })).status, 200);
  const [run] = await api.database<{ id: number }[]>`select id from runs`;
  assert.equal(run, undefined);
  await newRun(api.database, task, api.clock.now(), { state: "running" });
  const writing = await change({ s3_bucket_name: "others", objects_moved: true });
  assert.match(writing.body.message, /is written to by 1 run\. /);
  await api.database`update runs set state = 'failed', finished_at = now(), deadline_at = null`;
  const copied = await change({ s3_bucket_name: "others", objects_moved: true });
  assert.deepEqual([copied.status, copied.body.data.s3_bucket_name], [200, "others"]);
  // While objects still have to be removed from the destination, its location must not change either. The
  // change would make these objects unreachable.
  await api.database`delete from backups`;
  await api.database`
    insert into leftovers (backup_destination_id, directory, name, next_removal_at, created_at)
    values (${id}, 'web', 'half.tar.zst', now(), now())`;
  assert.match((await change({ s3_bucket_name: "third" })).body.message, /still cleared of 1 object\. /);
});

Deno.test("a backup stays in its own directory when the path changes, and follows it when it was moved", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newDestination(client, { local_path: "/mnt/a" });
  const task = await newTask(client, { backup_destination_id: id });
  const now = api.clock.now();
  for (const directory of ["/mnt/a", "/mnt/a/web", "/mnt/ab"]) {
    await newBackup(api.database, task, now, { directory });
  }
  const change = async (body: unknown) => {
    assert.equal((await client.call("PUT", `/api/backup-destinations/${id}`, body)).status, 200);
    const rows = await api.database<{ directory: string }[]>`select directory from backups order by id`;
    return rows.map(({ directory }) => directory);
  };
  assert.deepEqual(await change({ local_path: "/mnt/b" }), ["/mnt/a", "/mnt/a/web", "/mnt/ab"]);
  await change({ local_path: "/mnt/a" });
  const moved = await change({ local_path: "/srv/c", objects_moved: true });
  assert.deepEqual(moved, ["/srv/c", "/srv/c/web", "/mnt/ab"]);
});

Deno.test("a bucket is checked from here, step by step", async () => {
  await using s3 = await TestS3.open();
  await using api = await testApi();
  const client = await api.user();
  const fields = {
    type: "custom_s3",
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: s3.endpoint,
    path_style_endpoint: true,
  };
  const check = async (id: number) =>
    (await client.call("POST", `/api/backup-destinations/${id}/check`)).body.data;
  const good = await check(await newDestination(client, fields));
  assert.equal(good.ok, true, JSON.stringify(good));
  assert.ok(good.steps.length >= 3);
  const bad = await check(await newDestination(client, { ...fields, s3_bucket_name: "elsewhere" }));
  assert.equal(bad.ok, false);
  assert.match(bad.steps.at(-1).message, /elsewhere/);
});

Deno.test("a path is checked by the agent of a server that the call names", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newDestination(client, { local_path: "/mnt" });
  const server = await newServer(client);
  const check = (body: unknown) => client.call("POST", `/api/backup-destinations/${id}/check`, body);
  assert.deepEqual(Object.keys((await check({})).body.errors), ["remote_server_id"]);
  const theirs = await newServer(await api.user());
  assert.deepEqual((await check({ remote_server_id: theirs })).body.errors, {
    remote_server_id: ["The selected remote server is invalid."],
  });
  const offline = await check({ remote_server_id: server });
  assert.deepEqual([offline.status, offline.body.error], [503, "Service Unavailable"]);
  assert.match(offline.body.message, /agent is not connected/);

  await sayHello(api.services, server);
  const asked = new Promise<void>((resolve) =>
    api.services.bus.subscribe(({ topic }) => {
      if (topic === "agent_request") resolve();
    })
  );
  const answer = check({ remote_server_id: server });
  await asked;
  const [delivery] = await claimPendingRequests(api.services, [server]);
  assert.deepEqual(delivery!.request, {
    kind: "destination.check",
    destination: { type: "local", directory: "/mnt" },
  });
  const result = { ok: true, steps: [{ name: "write", ok: true, message: "Wrote 66 bytes.", ms: 3 }] };
  const space = { free: 4_000, total: 5_000 };
  await recordResponse(api.services, server, delivery!.requestId, { ok: true, result: { ...result, space } });
  assert.deepEqual((await answer).body, { data: result });

  const path = `/api/backup-destinations/${id}`;
  const measured = { free_bytes: 4_000, total_bytes: 5_000, measured_at: "2026-01-05T12:00:00Z" };
  assert.deepEqual((await client.call("GET", path)).body.data.space, measured);
  assert.deepEqual((await client.call("PUT", path, { label: "Disk" })).body.data.space, measured);
  assert.equal((await client.call("PUT", path, { local_path: "/srv" })).body.data.space, null);
});

Deno.test("a local destination without a path needs a task's store path", async () => {
  await using api = await testApi();
  const client = await api.user();
  const id = await newDestination(client, { local_path: null });
  const fields = {
    remote_server_id: await newServer(client),
    backup_destination_id: id,
    label: "Home",
    type: "files",
    source_path: "/home",
    frequency: "daily",
    time_to_run_at: "01:00",
  };
  for (const store_path of [undefined, null, "/", "./."]) {
    const refused = await client.call("POST", "/api/backup-tasks", { ...fields, store_path });
    assert.equal(refused.status, 422, JSON.stringify(refused.body));
    assert.match(refused.body.errors.store_path[0], /required when the backup destination has no local path/);
  }
  const task = await client.call("POST", "/api/backup-tasks", { ...fields, store_path: "/backups" });
  assert.equal(task.status, 201, JSON.stringify(task.body));
  const path = `/api/backup-tasks/${task.body.data.id}`;
  assert.equal((await client.call("PUT", path, { store_path: null })).status, 422);
  await client.call("PUT", `/api/backup-destinations/${id}`, { local_path: "/mnt" });
  assert.equal((await client.call("PUT", path, { store_path: null })).status, 200);
  const other = await newDestination(client, { local_path: null });
  const checked = await client.call("POST", `/api/backup-destinations/${other}/check`, {
    remote_server_id: fields.remote_server_id,
  });
  assert.match(checked.body.data.steps[0].message, /has no local path/);
});

Deno.test("a private key with a passphrase is stored without it, and one that can't be opened is refused by name", async () => {
  await using api = await testApi();
  const client = await api.user();
  const directory = await Deno.makeTempDir();
  const args = ["-q", "-t", "ed25519", "-N", "the passphrase", "-f", `${directory}/key`];
  await new Deno.Command("ssh-keygen", { args }).output();
  const sftp_private_key = await Deno.readTextFile(`${directory}/key`);
  await Deno.remove(directory, { recursive: true });
  const fields = { label: "x", type: "sftp", sftp_host: "h", sftp_username: "u", sftp_private_key };
  const create = (more: Record<string, string>) =>
    client.call("POST", "/api/backup-destinations", { ...fields, ...more });
  assert.match(
    (await create({})).body.errors.sftp_private_key[0],
    /protected by a passphrase\. Send that as/,
  );
  const wrong = await create({ sftp_private_key_passphrase: "another" });
  assert.match(wrong.body.errors.sftp_private_key_passphrase[0], /does not open the private key/);
  const right = await create({ sftp_private_key_passphrase: "the passphrase" });
  assert.equal(right.status, 201, JSON.stringify(right.body));
  assert.doesNotMatch(JSON.stringify([right.body, wrong.body]), /the passphrase|PRIVATE KEY/);
});
