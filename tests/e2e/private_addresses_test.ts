/** Tests the default for private addresses that users enter: the control plane does not connect to them. */
import assert from "node:assert/strict";
import { createApp } from "../../src/http/app.ts";
import { channelOf, NOTIFICATION_STREAM_TYPES } from "../../src/notify/channels/registry.ts";
import { AddressPolicy } from "../../src/network/address_policy.ts";
import { Network } from "../../src/network/network.ts";
import { Notifier } from "../../src/notify/notifier.ts";
import { removeDue, requestRemoval } from "../../src/services/retention/removals.ts";
import { transaction } from "../../src/store/database/database.ts";
import { testApi } from "../support/clients/api.ts";
import { contentsOf } from "../support/assertions/contents.ts";
import { newStream } from "../support/fixtures/notified.ts";
import { HttpReceiver } from "../support/servers/receivers.ts";
import { newBackup, newDestination, newTask } from "../support/fixtures/records.ts";
import { TestS3 } from "../support/servers/s3.ts";

const NAMED = /allowed it by ALLOW_PRIVATE_ADDRESSES/;

/** Opens the API with `ALLOW_PRIVATE_ADDRESSES=0`. Its records were created while loopback was allowed. */
async function stage(stack: AsyncDisposableStack) {
  const api = stack.use(await testApi());
  const network = new Network(AddressPolicy.publicOnly);
  const notifier = new Notifier({ ...api.services, network, smtp: null });
  const services = { ...api.services, network, notifier };
  const app = createApp({ services });
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(path, {
      method,
      headers: { Authorization: `Bearer ${api.admin.token}`, "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  return { api, services, call };
}

function bucketFields(s3: TestS3) {
  return {
    label: "MinIO",
    type: "custom_s3",
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: s3.endpoint,
    path_style_endpoint: true,
  };
}

Deno.test("an address that would be refused is no endpoint and no webhook, and the error names the setting", async () => {
  await using stack = new AsyncDisposableStack();
  await using s3 = await TestS3.open();
  const { api, call } = await stage(stack);
  const bucket = { ...bucketFields(s3), custom_s3_endpoint: "https://s3.example.com" };
  const { body: { data: { id } } } = await call("POST", "/api/backup-destinations", bucket);
  const stream = { label: "hook", type: "webhook", value: "https://example.com/x", notifications: {} };
  const { body: { data: { id: streamId } } } = await call("POST", "/api/notification-streams", stream);
  const before = await contentsOf(api.database);
  for (
    const host of [
      "127.0.0.1",
      "127.1:9000",
      "10.0.0.5",
      "169.254.169.254",
      "[::1]",
      "[fd00:ec2::254]",
      "localhost:9000",
    ]
  ) {
    for (const custom_s3_endpoint of [host, `http://${host}`, `https://${host}/prefix`]) {
      for (
        const [method, path] of [["POST", "/api/backup-destinations"], [
          "PUT",
          `/api/backup-destinations/${id}`,
        ]] as const
      ) {
        const { status, body } = await call(method, path, { ...bucket, custom_s3_endpoint });
        assert.equal(status, 422, custom_s3_endpoint);
        assert.deepEqual(Object.keys(body.errors), ["custom_s3_endpoint"]);
        assert.match(body.errors.custom_s3_endpoint[0], NAMED);
      }
    }
    for (const type of NOTIFICATION_STREAM_TYPES.filter((each) => channelOf(each).urlOf !== undefined)) {
      const value = `https://${host}/s3cret`;
      for (
        const [method, path] of [["POST", "/api/notification-streams"], [
          "PUT",
          `/api/notification-streams/${streamId}`,
        ]] as const
      ) {
        const { status, body } = await call(method, path, { ...stream, type, value });
        assert.equal(status, 422, value);
        assert.match(body.errors.value[0], NAMED);
        assert.ok(!JSON.stringify(body).includes("s3cret"));
      }
    }
  }
  assert.deepEqual(await contentsOf(api.database), before);
});

Deno.test("what is there already gets no connection: a bucket's check, download and removal, a webhook's message", async () => {
  await using stack = new AsyncDisposableStack();
  await using s3 = await TestS3.open();
  await using hook = new HttpReceiver();
  const { api, call, services } = await stage(stack);
  const bucket = await newDestination(api.admin, bucketFields(s3));
  const task = await newTask(api.admin, { backup_destination_id: bucket });
  const backup = await newBackup(api.database, task, api.clock.now(), { directory: "backups" });
  const stream = await newStream(services, { userId: api.admin.userId, taskId: null }, {
    value: `${hook.url}/x`,
  });

  const check = await call("POST", `/api/backup-destinations/${bucket}/check`);
  assert.equal(check.body.data.ok, false);
  assert.match(check.body.data.steps[0].message, NAMED);
  const download = await call("GET", `/api/backups/${backup}/download`);
  assert.deepEqual([download.status, NAMED.test(download.body.message)], [409, true]);
  const told = await call("POST", `/api/notification-streams/${stream}/test`);
  assert.deepEqual([told.body.data.ok, NAMED.test(told.body.data.message)], [false, true]);
  await transaction(services.database, (sql) => requestRemoval(services, sql, [backup], "request"));
  await removeDue(services);
  const [row] = await api.database<{ removal_error: string }[]>`select removal_error from backups`;
  assert.match(row!.removal_error, NAMED);

  assert.deepEqual([s3.calls.length, hook.received.length], [0, 0]);
  // If the setting allows private addresses, the same requests succeed.
  assert.equal((await api.admin.call("POST", `/api/backup-destinations/${bucket}/check`)).body.data.ok, true);
  assert.equal((await api.admin.call("POST", `/api/notification-streams/${stream}/test`)).body.data.ok, true);
});
