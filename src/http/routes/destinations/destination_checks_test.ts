import assert from "node:assert/strict";
import { type ApiClient, type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { contentsOf } from "../../../../tests/support/assertions/contents.ts";
import { newDestination, newServer } from "../../../../tests/support/fixtures/records.ts";
import { sayHello } from "../../../../tests/support/fixtures/planted.ts";
import { TestS3 } from "../../../../tests/support/servers/s3.ts";
import { claimPendingRequests, recordResponse } from "../../../services/agent_rpc/agent_requests.ts";

const PATH = "/api/backup-destinations/check";
const RESULT = { ok: true, steps: [{ name: "write", ok: true, message: "Wrote 66 bytes.", ms: 3 }] };
const HOST_KEY = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";
const SFTP = {
  type: "sftp",
  sftp_host: "backup.example.test",
  sftp_username: "backup",
  sftp_password: "s3cret-sftp",
  sftp_host_key: HOST_KEY,
};

/**
 * Requests a check from the API, and responds to the check as the server's agent. Returns the API's response,
 * the request that the agent got, and the text of the stored requests.
 */
async function checkedByAgent(api: TestApi, client: ApiClient, body: { remote_server_id: number }) {
  await sayHello(api.services, body.remote_server_id);
  const asked = new Promise<void>((resolve) =>
    api.services.bus.subscribe(({ topic }) => {
      if (topic === "agent_request") resolve();
    })
  );
  const answer = client.call("POST", PATH, body);
  await asked;
  const [sent] = await claimPendingRequests(api.services, [body.remote_server_id]);
  const rows = await api.database`select to_jsonb(agent_requests)::text as text from agent_requests`;
  await recordResponse(api.services, body.remote_server_id, sent!.requestId, {
    ok: true,
    result: { ...RESULT, space: { free: 4_000, total: 5_000 } },
  });
  return { answer: await answer, request: sent!.request, stored: rows.map(({ text }) => text).join("\n") };
}

Deno.test("a destination is checked before it is saved, by the agent, and nothing of it is stored", async () => {
  await using api = await testApi();
  const client = await api.user();
  const remote_server_id = await newServer(client);
  const { answer, request, stored } = await checkedByAgent(api, client, { ...SFTP, remote_server_id });
  assert.deepEqual([answer.status, answer.body], [200, { data: RESULT }]);
  const { destination } = request as { destination: Record<string, unknown> };
  assert.deepEqual([destination.type, destination.host, destination.password], [
    "sftp",
    "backup.example.test",
    "s3cret-sftp",
  ]);
  assert.doesNotMatch(stored, /s3cret|example/);
  const { agent_requests, backup_destinations, ...others } = await contentsOf(api.database) as Record<
    string,
    unknown[]
  >;
  assert.deepEqual([agent_requests, backup_destinations], [[], []]);
  assert.doesNotMatch(JSON.stringify(others), /s3cret|backup\.example/);
  const [entry] = await api.database`
    select fields, result from audit_log where action = 'checkUnsavedBackupDestination'`;
  assert.equal(entry!.result, "done");
  assert.ok(entry!.fields.includes("sftp_password"));
});

Deno.test("a change of a saved destination is checked with the settings and secrets that it leaves alone", async () => {
  await using api = await testApi();
  const client = await api.user();
  const remote_server_id = await newServer(client);
  const id = await newDestination(client, SFTP);
  const before = (await client.call("GET", `/api/backup-destinations/${id}`)).body.data;
  const change = { id, sftp_host: "other.example.test", remote_server_id };
  const { answer, request } = await checkedByAgent(api, client, change);
  assert.deepEqual(answer.body, { data: RESULT });
  const { destination } = request as { destination: Record<string, unknown> };
  assert.deepEqual([destination.host, destination.user ?? destination.username, destination.password], [
    "other.example.test",
    "backup",
    "s3cret-sftp",
  ]);
  assert.deepEqual((await client.call("GET", `/api/backup-destinations/${id}`)).body.data, before);

  const theirs = await newDestination(await api.user(), SFTP);
  const foreign = await client.call("POST", PATH, { id: theirs, remote_server_id });
  assert.deepEqual([foreign.status, foreign.body.errors], [422, {
    id: ["The selected backup destination is invalid."],
  }]);
});

Deno.test("a bucket is checked before it is saved, also with a saved destination's keys", async () => {
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
  const check = async (body: unknown) => (await client.call("POST", PATH, body)).body.data;
  assert.equal((await check(fields)).ok, true);
  assert.equal((await check({ ...fields, s3_secret_key: "wrong" })).ok, false);
  const id = await newDestination(client, { ...fields, label: "bucket" });
  const elsewhere = await check({ id, s3_bucket_name: "elsewhere" });
  assert.equal(elsewhere.ok, false);
  assert.match(elsewhere.steps.at(-1).message, /elsewhere/);
  assert.equal((await check({ id })).ok, true);
});

Deno.test("what could not be saved is not checked, and the errors are those of a new destination", async () => {
  await using api = await testApi();
  const client = await api.user();
  const label = "x";
  for (
    const fields of [
      {},
      { type: "ftp" },
      { type: "sftp", sftp_host: "h" },
      { type: "custom_s3", custom_s3_endpoint: "nonsense", s3_bucket_name: "b" },
      {
        type: "custom_s3",
        custom_s3_endpoint: "http://169.254.169.254",
        s3_bucket_name: "b",
        s3_access_key: "a",
        s3_secret_key: "s",
        path_style_endpoint: true,
      },
      { type: "sftp", sftp_host: "h", sftp_username: "u", sftp_pasword: "s3cret" },
    ]
  ) {
    const checked = await client.call("POST", PATH, fields);
    const created = await client.call("POST", "/api/backup-destinations", { label, ...fields });
    assert.deepEqual([checked.status, checked.body], [created.status, created.body], JSON.stringify(fields));
    assert.equal(checked.status, 422);
    assert.doesNotMatch(JSON.stringify(checked.body), /s3cret/);
  }
  const unnamed = await client.call("POST", PATH, { type: "local", local_path: "/mnt" });
  assert.deepEqual(Object.keys(unnamed.body.errors), ["remote_server_id"]);
  const server = await newServer(client);
  const offline = await client.call("POST", PATH, {
    type: "local",
    local_path: "/mnt",
    remote_server_id: server,
  });
  assert.equal(offline.status, 503);
  assert.match(offline.body.message, /agent is not connected/);
});

Deno.test("checking an unsaved destination takes the right to create one; a change, the right to update", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const id = await newDestination(owner);
  const editor = await api.tokenOf(owner, ["update-backup-destinations"]);
  const unsaved = await editor.call("POST", PATH, { type: "local", local_path: "/mnt" });
  assert.equal(unsaved.status, 403);
  assert.match(unsaved.body.message, /create-backup-destinations/);
  assert.equal((await editor.call("POST", PATH, { id })).status, 422);
  const creator = await api.tokenOf(owner, ["create-backup-destinations"]);
  assert.match((await creator.call("POST", PATH, { id })).body.message, /update-backup-destinations/);
});

Deno.test("settings that do not fit into a database notification are refused in words", async () => {
  await using api = await testApi();
  const client = await api.user();
  const remote_server_id = await newServer(client);
  await sayHello(api.services, remote_server_id);
  const sftp_private_key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${
    "A".repeat(6_000)
  }\n-----END OPENSSH PRIVATE KEY-----\n`;
  const answer = await client.call("POST", PATH, { ...SFTP, sftp_private_key, remote_server_id });
  assert.deepEqual([answer.status, answer.body.message], [
    409,
    "The destination's settings are too large to be checked before they are saved. Save it, then check it.",
  ]);
});
