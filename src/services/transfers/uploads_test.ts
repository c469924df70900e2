import assert from "node:assert/strict";
import { bucketRow } from "../../../tests/support/fixtures/bucket_row.ts";
import { type TestServices, testServices } from "../../../tests/support/fixtures/database.ts";
import { TestS3 } from "../../../tests/support/servers/s3.ts";
import { ConflictError, NotFoundError, UnavailableError } from "../../domain/errors.ts";
import { type Bucket, StorageError } from "../../storage/s3.ts";
import { findBackupDestination } from "../../store/destinations/backup_destinations.ts";
import { abortUpload, bucketOf, completeUpload, openUpload, removeUpload, signParts } from "./uploads.ts";

const NAME = "backup_1_20260101000000.tar.zst";
const KEY = `backups/${NAME}`;
const input = { run_id: 1, attempt: 1, name: NAME, size_hint: null };
/** The columns from which object names are built. Every dispatch sets them. */
const OBJECT = { object_directory: "backups", object_prefix: "backup_1", object_stamp: "20260101000000" };

interface Setting extends TestServices {
  readonly s3: TestS3;
  readonly bucket: Bucket;
}

/**
 * Creates servers 1 and 2. Server 1 has run 1. This run is in attempt 1 and writes to the test bucket. Server
 * 2 has no runs.
 */
async function setting(): Promise<Setting> {
  const s3 = await TestS3.open();
  const test = await testServices();
  const { database: sql, services } = test;
  const at = services.clock.now();
  const stamps = { created_at: at, updated_at: at };
  await sql`insert into users ${sql({ name: "a", email: "a@b.c", ...stamps })}`;
  for (const ip_address of ["192.0.2.1", "192.0.2.2"]) {
    await sql`insert into remote_servers ${sql({ user_id: 1, label: ip_address, ip_address, ...stamps })}`;
  }
  await sql`insert into backup_destinations ${
    sql({
      user_id: 1,
      label: "bucket",
      ...bucketRow(services, s3),
      ...stamps,
    })
  }`;
  await sql`insert into runs ${
    sql({
      user_id: 1,
      kind: "backup",
      remote_server_id: 1,
      backup_destination_id: 1,
      trigger: "manual",
      state: "running",
      attempt: 1,
      deadline_at: at,
      ...OBJECT,
      created_at: at,
    })
  }`;
  const bucket = bucketOf((await findBackupDestination(sql, 1))!, services);
  return {
    ...test,
    s3,
    bucket,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await s3[Symbol.asyncDispose]();
    },
  };
}

async function move({ database: sql, clock }: Setting, state: string): Promise<void> {
  const isOver = ["succeeded", "failed", "cancelled", "lost"].includes(state);
  const ends = isOver ? { finished_at: clock.now(), deadline_at: null } : {};
  await sql`update runs set ${sql({ state, ...ends })} where id = 1`;
}

/** Opens an upload and sends each of `bodies` as a part. */
async function send({ services }: Setting, ...bodies: string[]) {
  const { upload_id } = await openUpload(services, 1, input);
  const { urls } = await signParts(services, 1, { upload_id, from: 1, count: bodies.length || 1 });
  const parts = [];
  for (const [index, body] of bodies.entries()) {
    const response = await fetch(urls[index]!.url, { method: "PUT", body });
    await response.body?.cancel();
    parts.push({ part_number: index + 1, etag: response.headers.get("etag")! });
  }
  return { upload_id, size: bodies.join("").length, parts };
}

async function stateOf({ database: sql }: Setting, id: string): Promise<string> {
  const [row] = await sql<{ state: string }[]>`select state from uploads where id = ${id}`;
  return row!.state;
}

Deno.test("an agent's upload becomes the run's object, and a lost response is repeated", async () => {
  await using t = await setting();
  const done = await send(t, "bytes");
  assert.deepEqual(await completeUpload(t.services, 1, done), { size: 5 });
  assert.equal(await t.bucket.get(KEY), "bytes");
  const calls = t.s3.calls.length;
  assert.deepEqual(await completeUpload(t.services, 1, done), { size: 5 });
  assert.equal(t.s3.calls.length, calls);
});

Deno.test("a completion whose response was lost is recognized as done", async () => {
  await using t = await setting();
  const done = await send(t, "bytes");
  let cuts = 1;
  t.s3.fault = (call) => call.method === "POST" && cuts-- > 0 ? "cut the answer" : null;
  assert.deepEqual(await completeUpload(t.services, 1, done), { size: 5 });
  assert.equal(await stateOf(t, done.upload_id), "completed");
});

Deno.test("an empty object is stored without parts", async () => {
  await using t = await setting();
  const done = await send(t);
  assert.deepEqual(await completeUpload(t.services, 1, done), { size: 0 });
  assert.equal(await t.bucket.head(KEY), 0);
  assert.deepEqual(await t.s3.openUploads(), []);
});

Deno.test("the part size follows the last size, and an object that can't fit is refused before it starts", async () => {
  await using t = await setting();
  const tib = 2 ** 40;
  assert.equal((await openUpload(t.services, 1, { ...input, size_hint: tib })).part_size, 158 * 2 ** 20);
  await assert.rejects(
    openUpload(t.services, 1, { ...input, size_hint: 50 * tib }),
    /does not fit into 10000 parts of 5 GiB/,
  );
  assert.equal((await t.s3.openUploads()).length, 1);
});

Deno.test("a run that failed for its size makes the next one use larger parts", async () => {
  await using t = await setting();
  const gib = 2 ** 30;
  const { database: sql } = t;
  const at = t.clock.now();
  const stamps = { created_at: at, updated_at: at };
  await sql`insert into backup_tasks ${
    sql({
      user_id: 1,
      remote_server_id: 1,
      backup_destination_id: 1,
      label: "t",
      type: "files",
      source_settings: { source_path: "/srv" },
      frequency: "daily",
      time_to_run_at: "01:00",
      timezone: "UTC",
      ...stamps,
    })
  }`;
  await move(t, "failed");
  await sql`update runs set backup_task_id = 1, bytes_written = ${156 * gib}`;
  const next = {
    user_id: 1,
    kind: "backup",
    trigger: "manual",
    state: "running",
    attempt: 1,
    deadline_at: at,
  };
  await sql`insert into runs ${
    sql({
      ...next,
      backup_task_id: 1,
      remote_server_id: 1,
      backup_destination_id: 1,
      ...OBJECT,
      created_at: at,
    })
  }`;
  assert.equal((await openUpload(t.services, 1, { ...input, run_id: 2 })).part_size, 24 * 2 ** 20);
});

Deno.test("an existing object is not overwritten", async () => {
  await using t = await setting();
  await t.bucket.put(KEY, "theirs");
  await assert.rejects(openUpload(t.services, 1, input), /already exists/);
  await move(t, "failed");
  for (const { id } of await t.database<{ id: string }[]>`select id from uploads`) {
    await removeUpload(t.services, id);
  }
  assert.equal(await t.bucket.get(KEY), "theirs");
});

Deno.test("parts that do not add up to the size are refused", async () => {
  await using t = await setting();
  const { upload_id, parts } = await send(t, "bytes");
  for (
    const wrong of [{ size: 0, parts }, { size: 5, parts: [] }, { size: 2 ** 25, parts }, {
      size: 5,
      parts: [{ ...parts[0]!, part_number: 2 }],
    }]
  ) {
    await assert.rejects(completeUpload(t.services, 1, { upload_id, ...wrong }), ConflictError);
  }
});

Deno.test("an object of another size than was sent fails the upload, and is removed with the run", async () => {
  await using t = await setting();
  const { upload_id, parts } = await send(t, "bytes");
  await assert.rejects(
    completeUpload(t.services, 1, { upload_id, size: 6, parts }),
    /the bucket stored 5 bytes of the 6 that were sent/,
  );
  await move(t, "failed");
  await removeUpload(t.services, upload_id);
  assert.equal(await t.bucket.head(KEY), null);
});

Deno.test("another server's run and upload are not found", async () => {
  await using t = await setting();
  const { upload_id, size, parts } = await send(t, "bytes");
  await assert.rejects(openUpload(t.services, 2, input), NotFoundError);
  await assert.rejects(signParts(t.services, 2, { upload_id, from: 1, count: 1 }), NotFoundError);
  await assert.rejects(completeUpload(t.services, 2, { upload_id, size, parts }), NotFoundError);
  await assert.rejects(abortUpload(t.services, 2, { upload_id }), NotFoundError);
  await assert.rejects(signParts(t.services, 1, { upload_id: "1", from: 1, count: 1 }), NotFoundError);
  assert.equal((await t.s3.openUploads()).length, 1);
});

Deno.test("only the newest attempt of an active or lost run can upload", async () => {
  await using t = await setting();
  const { upload_id, size, parts } = await send(t, "bytes");
  for (const state of ["succeeded", "failed", "cancelled"]) {
    await t.database`update runs set finished_at = null, deadline_at = ${t.clock.now()}, state = 'running'`;
    await move(t, state);
    await assert.rejects(openUpload(t.services, 1, input), ConflictError);
    await assert.rejects(signParts(t.services, 1, { upload_id, from: 1, count: 1 }), ConflictError);
    await assert.rejects(completeUpload(t.services, 1, { upload_id, size, parts }), ConflictError);
  }
  await t
    .database`update runs set finished_at = null, deadline_at = ${t.clock.now()}, attempt = 2, state = 'running'`;
  await assert.rejects(completeUpload(t.services, 1, { upload_id, size, parts }), /dispatched again/);
  await t.database`update runs set attempt = 1`;
  await move(t, "queued");
  await assert.rejects(completeUpload(t.services, 1, { upload_id, size, parts }), UnavailableError);
  await move(t, "leased");
  await signParts(t.services, 1, { upload_id, from: 1, count: 1 });
  await move(t, "lost");
  assert.deepEqual(await completeUpload(t.services, 1, { upload_id, size, parts }), { size });
});

Deno.test("an abort removes an open or a completed upload, and can be repeated", async () => {
  await using t = await setting();
  const open = await send(t, "bytes");
  await abortUpload(t.services, 1, open);
  await abortUpload(t.services, 1, open);
  const completed = await send(t, "bytes");
  await completeUpload(t.services, 1, completed);
  await abortUpload(t.services, 1, completed);
  assert.deepEqual(await t.s3.openUploads(), []);
  assert.equal(await t.bucket.head(KEY), null);
  for (const { upload_id } of [open, completed]) {
    await assert.rejects(signParts(t.services, 1, { upload_id, from: 1, count: 1 }), /completed or removed/);
  }
});

Deno.test("a completed upload of a succeeded run is never removed", async () => {
  await using t = await setting();
  const stale = await send(t, "stale");
  const done = await send(t, "bytes");
  await completeUpload(t.services, 1, done);
  await move(t, "succeeded");
  await removeUpload(t.services, done.upload_id);
  await removeUpload(t.services, stale.upload_id);
  assert.equal(await t.bucket.get(KEY), "bytes");
  assert.deepEqual(await t.s3.openUploads(), []);
});

Deno.test("removing an old attempt's upload keeps the object that a later one wrote under the same key", async () => {
  await using t = await setting();
  const old = await send(t, "old");
  await t.database`update runs set attempt = 2`;
  const { upload_id } = await openUpload(t.services, 1, { ...input, attempt: 2 });
  const { urls } = await signParts(t.services, 1, { upload_id, from: 1, count: 1 });
  const response = await fetch(urls[0]!.url, { method: "PUT", body: "new" });
  await response.body?.cancel();
  const parts = [{ part_number: 1, etag: response.headers.get("etag")! }];
  await completeUpload(t.services, 1, { upload_id, size: 3, parts });
  await removeUpload(t.services, old.upload_id);
  assert.equal(await t.bucket.get(KEY), "new");
});

Deno.test("an upload whose id was lost is found at the bucket by its key", async () => {
  await using t = await setting();
  t.s3.fault = (call) => call.query.has("uploads") && call.method === "POST" ? "cut the answer" : null;
  await assert.rejects(
    openUpload(t.services, 1, input),
    (error) => error instanceof StorageError && error.retryable,
  );
  t.s3.fault = () => null;
  const other = await t.bucket.createUpload(`${KEY}.other`);
  // If the HTTP client retried on a new connection, the bucket has more than one upload for the key.
  assert((await t.s3.openUploads()).some(({ key }) => key === KEY));
  const [row] = await t.database<{ id: string }[]>`select id from uploads`;
  await move(t, "failed");
  await removeUpload(t.services, row!.id);
  assert.deepEqual((await t.s3.openUploads()).map((one) => one.uploadId), [other]);
  assert.equal(await stateOf(t, row!.id), "removed");
});

Deno.test("a removal that the bucket refuses is retried later", async () => {
  await using t = await setting();
  const { upload_id } = await send(t, "bytes");
  await move(t, "failed");
  t.s3.fault = (call) => call.method === "DELETE" ? { status: 403, code: "AccessDenied" } : null;
  await assert.rejects(removeUpload(t.services, upload_id), StorageError);
  t.s3.fault = () => null;
  await removeUpload(t.services, upload_id);
  assert.equal(await stateOf(t, upload_id), "removed");
  assert.deepEqual(await t.s3.openUploads(), []);
});

Deno.test("removing an upload that never began keeps the object under its key", async () => {
  await using t = await setting();
  t.s3.fault = (call) => call.method === "HEAD" ? "cut" : null;
  await assert.rejects(openUpload(t.services, 1, input));
  t.s3.fault = () => null;
  await t.bucket.put(KEY, "theirs");
  const [row] = await t.database<{ id: string }[]>`select id from uploads`;
  await move(t, "failed");
  await removeUpload(t.services, row!.id);
  assert.equal(await t.bucket.get(KEY), "theirs");
  assert.equal(await stateOf(t, row!.id), "removed");
});

Deno.test("an agent can upload only objects of its own run", async () => {
  await using t = await setting();
  for (
    const name of [
      "",
      ".",
      "..",
      "a.tar.zst",
      "backup_2_20260101000000.tar.zst",
      "backup_1_20260101000001.tar.zst",
      "backup_1_20260101000000",
      "../backup_1_20260101000000.tar.zst",
      "backup_1_20260101000000.tar.zst/..",
      "other/backup_1_20260101000000.tar.zst",
    ]
  ) {
    await assert.rejects(
      openUpload(t.services, 1, { ...input, name }),
      /it is not the name of an object of the run/,
    );
  }
  assert.deepEqual([...await t.database`select 1 from uploads`], []);
  for (const name of ["backup_1_app_20260101000000.sql.zst", "backup_1_20260101000000.manifest.json"]) {
    assert.ok((await openUpload(t.services, 1, { ...input, name })).upload_id);
  }
});
