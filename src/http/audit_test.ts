import assert from "node:assert/strict";
import { type ApiClient, type TestApi, testApi } from "../../tests/support/clients/api.ts";
import { ageKeygen } from "../../tests/support/fixtures/age.ts";
import { newBackup, newDestination, newTask } from "../../tests/support/fixtures/records.ts";
import { createApp } from "./app.ts";
import { isAudited } from "./audit.ts";
import { ENDPOINTS } from "./routes.ts";

// deno-lint-ignore no-explicit-any
async function entries(api: TestApi, query = ""): Promise<any[]> {
  const answer = await api.admin.call("GET", `/api/audit-log?per_page=100${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.data;
}

async function breakAuditLog(api: TestApi): Promise<void> {
  await api.database.unsafe("alter table audit_log add constraint broken check (false) not valid");
}

Deno.test("every endpoint that may change something is recorded, and so is every read of secrets", () => {
  const exempt = ENDPOINTS.filter((each) => each.method !== "get" && !isAudited(each));
  assert.deepEqual(exempt.map(({ operationId }) => operationId).sort(), [
    "changeBackupTasks",
    "previewRestore",
    "previewSchedule",
    "sendAgentStream",
    "showSetupUser",
    "startOpenidLogin",
    "startPasskeyLogin",
  ]);
  const reads = ENDPOINTS.filter((each) => each.method === "get" && isAudited(each));
  assert.deepEqual(reads.map(({ operationId }) => operationId).sort(), [
    "downloadBackup",
    "downloadBackupFile",
    "exportControlPlane",
    "showRecoveryKit",
  ]);
});

Deno.test("a change is recorded: who, what, when, from where", async () => {
  await using api = await testApi();
  const user = await api.user();
  const headers = { Authorization: `Bearer ${user.token}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ label: "Production", colour: "#2563eb", unknown: "rg_secret" });
  const made = await api.app.request("/api/tags", { method: "POST", headers, body }, {
    remoteAddress: "192.0.2.7",
  });
  const { id } = (await made.json()).data;
  const [entry, ...more] = await entries(api);
  assert.deepEqual(more, []);
  assert.equal(entry.actor.type, "user");
  assert.equal(entry.actor.user_id, user.userId);
  assert.match(entry.actor.name, /@example\.test$/);
  assert.ok(entry.actor.token_id > 0);
  assert.deepEqual([entry.action, entry.resource, entry.resource_id], ["createTag", "tags", id]);
  assert.deepEqual(entry.fields, ["colour", "label"]);
  assert.deepEqual([entry.result, entry.reason], ["done", null]);
  assert.equal(entry.at, "2026-01-05T12:00:00Z");
  assert.equal(entry.address, "192.0.2.7");
  assert.match(entry.request_id, /^[0-9a-f-]{36}$/);
  assert.equal(entry.request_id, made.headers.get("x-request-id"));

  await user.call("PUT", `/api/tags/${id}`, { label: "Live" });
  await user.call("DELETE", `/api/tags/${id}`);
  await user.call("GET", "/api/tags");
  assert.equal((await user.call("PUT", `/api/tags/${id}`, { label: "Gone" })).status, 404);
  assert.equal((await user.call("POST", "/api/tags", {})).status, 422);
  assert.deepEqual((await entries(api)).map((each) => [each.action, each.resource_id, each.fields]), [
    ["createTag", id, ["colour", "label"]],
    ["updateTag", id, ["label"]],
    ["deleteTag", id, []],
  ]);
});

Deno.test("a request is recorded with the request id that its caller sent", async () => {
  await using api = await testApi();
  const named = { "X-Request-Id": "7c5fa2a0-4c52-4f2a-8a4e-0f4cb1d0a3c1" };
  assert.equal((await api.admin.call("POST", "/api/tags", { label: "a" }, named)).status, 201);
  assert.equal((await entries(api))[0].request_id, "7c5fa2a0-4c52-4f2a-8a4e-0f4cb1d0a3c1");
});

Deno.test("the id of each created resource is recorded", async () => {
  await using api = await testApi();
  const task = await newTask(api.admin);
  const stream = await api.admin.call("POST", "/api/notification-streams", {
    label: "mine",
    type: "email",
    value: "jo@example.test",
    notifications: { on_success: true, on_failure: true },
  });
  const token = await api.admin.call("POST", "/api/tokens", { name: "t", abilities: ["manage-tags"] });
  const user = await api.admin.call("POST", "/api/users", { name: "Jo", email: "jo@example.test" });
  const made = (await entries(api)).map((
    { action, resource, resource_id },
  ) => [action, resource, resource_id]);
  assert.deepEqual(made, [
    ["createRemoteServer", "remote-servers", 1],
    ["createBackupDestination", "backup-destinations", 1],
    ["createBackupTask", "backup-tasks", task],
    ["createNotificationStream", "notification-streams", stream.body.data.id],
    ["createToken", "tokens", token.body.data.id],
    ["createUser", "users", user.body.data.id],
  ]);
});

Deno.test("no change without its entry, no entry without its change", async () => {
  await using api = await testApi();
  const { body: { data: tag } } = await api.admin.call("POST", "/api/tags", { label: "kept" });
  const destination = await newDestination(api.admin);
  await newTask(api.admin, { backup_destination_id: destination });
  const before = await entries(api);
  // The deletion is refused. It is rolled back together with its audit entry.
  assert.equal((await api.admin.call("DELETE", `/api/backup-destinations/${destination}`)).status, 409);
  assert.deepEqual(await entries(api), before);
  await breakAuditLog(api);
  assert.equal((await api.admin.call("PUT", `/api/tags/${tag.id}`, { label: "changed" })).status, 500);
  assert.equal((await api.admin.call("POST", "/api/tags", { label: "new" })).status, 500);
  const tags = await api.admin.call("GET", "/api/tags");
  assert.deepEqual(tags.body.data.map(({ label }: { label: string }) => label), ["kept"]);
  // Each read of secrets is recorded in the audit log. If it cannot be recorded, the response contains no
  // secrets.
  const kit = await api.admin.call("GET", "/api/recovery-kit");
  assert.equal(kit.status, 500);
  assert.ok(!("data" in kit.body));
});

Deno.test("a replayed response is not a second change, and each read of secrets is recorded", async () => {
  await using api = await testApi();
  const once = { "Idempotency-Key": "k1" };
  for (let time = 0; time < 2; time++) {
    await api.admin.call("POST", "/api/tags", { label: "once" }, once);
    await api.admin.call("GET", "/api/recovery-kit");
  }
  assert.deepEqual((await entries(api)).map(({ action, result }) => `${action} ${result}`), [
    "createTag done",
    "showRecoveryKit done",
    "showRecoveryKit done",
  ]);
});

Deno.test("a refused token is recorded: why, and whose it was", async () => {
  await using api = await testApi();
  const user = await api.user(["manage-tags"]);
  const other = await api.tokenOf(user, ["manage-tags", "manage-tokens"]);
  const expiring = await other.call("POST", "/api/tokens", {
    name: "short",
    abilities: ["manage-tags"],
    expires_at: "2026-01-05T13:00:00Z",
  });
  const ids = (await other.call("GET", "/api/tokens")).body.data.map(({ id }: { id: number }) => id);
  await other.call("DELETE", `/api/tokens/${ids[0]}`);
  await api.clock.advance(3_600_000);
  const ask = (token: string | null) =>
    api.app.request("/api/tags", { headers: token === null ? {} : { Authorization: `Bearer ${token}` } });
  for (const token of [user.token, expiring.body.data.token, `rg_${"x".repeat(43)}`, null]) {
    assert.equal((await ask(token)).status, 401);
  }
  assert.equal((await other.call("POST", "/api/backup-tasks", {})).status, 403);
  const refused = await entries(api, "&result=refused");
  assert.deepEqual(
    refused.map(({ actor, action, reason }) => [actor.type, actor.user_id, actor.token_id, action, reason]),
    [
      ["unknown", user.userId, ids[0], "listTags", "The token is revoked."],
      ["unknown", user.userId, expiring.body.data.id, "listTags", "The token has expired."],
      ["unknown", null, null, "listTags", "Unauthenticated."],
      ["user", user.userId, ids[1], "createBackupTask", "This token lacks the create-backup-tasks ability."],
    ],
  );
});

Deno.test("a restore with an identity is recorded as such, without the identity", async () => {
  await using api = await testApi();
  const { identity, recipient } = await ageKeygen();
  const recipients = { encrypted: true, encryption: "recipients", encryption_recipients: [recipient] };
  const backup = await newBackup(api.database, await newTask(api.admin), api.clock.now(), recipients);
  const body = { target_path: "/srv/restored", identity };
  const answer = await api.admin.call("POST", `/api/backups/${backup}/restore`, body);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  const [entry] = await entries(api, "&action=restoreBackup");
  assert.deepEqual([entry.resource, entry.resource_id, entry.result], ["backups", backup, "done"]);
  assert.deepEqual(entry.fields, ["identity", "target_path"]);
  const rows = await api.database`select audit_log::text as line from audit_log`;
  assert.ok(!rows.some(({ line }) => line.includes("AGE-SECRET-KEY")));
});

Deno.test("entries contain no value that was sent and no refused token", async () => {
  await using api = await testApi();
  const secret = "hunter2-hunter2-hunter2";
  await newTask(api.admin, { encryption_password: secret, isolated_password: secret });
  await newDestination(api.admin, {
    type: "sftp",
    sftp_host: "sftp.example.test",
    sftp_username: "u",
    sftp_password: secret,
    sftp_path: "/x",
  });
  await api.admin.call("POST", `/api/backups/1/restore`, { identity: secret });
  await api.app.request("/api/tags", { headers: { Authorization: `Bearer ${secret}` } });
  const rows = await api.database`select audit_log::text as line from audit_log`;
  const text = rows.map(({ line }) => line).join("\n");
  assert.match(text, /encryption_password/);
  assert.ok(!text.includes("hunter2"), text);
});

Deno.test("only an administrator can read the log, by user, action, resource and time", async () => {
  await using api = await testApi();
  const user = await api.user();
  assert.equal((await user.call("GET", "/api/audit-log")).status, 403);
  await user.call("POST", "/api/tags", { label: "a" });
  await api.clock.advance(60_000);
  await api.admin.call("POST", "/api/tags", { label: "b" });
  await api.admin.call("PUT", "/api/tags/2", { label: "c" });
  const actions = async (query: string) => (await entries(api, query)).map(({ action }) => action);
  assert.deepEqual(await actions(`&user_id=${user.userId}`), ["listAuditLog", "createTag"]);
  assert.deepEqual(await actions("&action=createTag"), ["createTag", "createTag"]);
  assert.deepEqual(await actions("&resource=tags&resource_id=2"), ["createTag", "updateTag"]);
  assert.deepEqual(await actions("&from=2026-01-05T12:01:00Z"), ["createTag", "updateTag"]);
  assert.deepEqual(await actions("&to=2026-01-05T12:01:00Z"), ["listAuditLog", "createTag"]);
  assert.deepEqual(await actions("&actor=agent"), []);
  const page = await api.admin.call("GET", "/api/audit-log?per_page=2&page=2&actor=user");
  assert.deepEqual([page.body.meta.total, page.body.data.length], [4, 2]);
  assert.match(page.body.links.prev, /actor=user&page=1$/);
});

Deno.test("behind trusted proxies the client's address is recorded", async () => {
  await using api = await testApi();
  const change = async (client: ApiClient, trustedProxies: string[]) => {
    const app = createApp({ services: api.services, trustedProxies });
    await app.request("/api/user", {
      method: "PUT",
      body: "{}",
      headers: {
        Authorization: `Bearer ${client.token}`,
        "Content-Type": "application/json",
        "X-Forwarded-For": "6.6.6.6, 198.51.100.7",
      },
    }, { remoteAddress: "10.0.0.1" });
  };
  await change(api.admin, []);
  await change(api.admin, ["10.0.0.0/8"]);
  assert.deepEqual((await entries(api)).map(({ address }) => address), ["10.0.0.1", "198.51.100.7"]);
});
