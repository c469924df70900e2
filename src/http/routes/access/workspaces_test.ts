import { openSession } from "../../../services/access/sessions.ts";
import assert from "node:assert/strict";
import { ABILITIES } from "../../../domain/abilities.ts";
import { mayExport } from "../../../store/export/export.ts";
import { until } from "../../../../tests/support/assertions/until.ts";
import { type ApiClient, type TestApi, testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { newRun, newServer, newTask } from "../../../../tests/support/fixtures/records.ts";

/**
 * Creates a workspace whose manager is the client's user. Returns a client with a token for this workspace.
 */
async function newWorkspace(api: TestApi, client: ApiClient, name = "Shared"): Promise<ApiClient> {
  const { status, body } = await client.call("POST", "/api/workspaces", { name });
  assert.equal(status, 201, JSON.stringify(body));
  return await api.tokenOf({ ...client, workspaceId: body.data.id }, ABILITIES);
}

const emailOf = async ({ call }: ApiClient) =>
  (await call("GET", "/api/user")).body.data.personal_info.email as string;

Deno.test("a workspace is created, shown, renamed and deleted, but not while it holds records", async () => {
  await using api = await testApi();
  const user = await api.user();
  const shared = await newWorkspace(api, user);
  const path = `/api/workspaces/${shared.workspaceId}`;
  const shown = (await user.call("GET", path)).body.data;
  assert.deepEqual(shown, {
    id: shared.workspaceId,
    name: "Shared",
    own_of_user_id: null,
    role: "manager",
    members_count: 1,
    created_at: "2026-01-05T12:00:00Z",
    updated_at: "2026-01-05T12:00:00Z",
  });
  assert.equal((await shared.call("PUT", path, { name: "Accounting" })).body.data.name, "Accounting");
  const server = await newServer(shared);
  const listed = (await user.call("GET", "/api/workspaces?sort=-id")).body.data;
  assert.deepEqual(listed.map(({ name }: { name: string }) => name), ["Accounting", "Jo Doe"]);
  const kept = await user.call("DELETE", path);
  assert.deepEqual([kept.status, kept.body.message], [
    409,
    "Accounting still has 1 remote server; delete those first.",
  ]);
  await shared.call("DELETE", `/api/remote-servers/${server}`);
  assert.equal((await user.call("DELETE", path)).status, 200);
  assert.equal((await shared.call("GET", "/api/user")).status, 401);
  const own = await user.call("DELETE", `/api/workspaces/${user.workspaceId}`);
  assert.match(own.body.message, /^Jo Doe is a user's own workspace/);
});

Deno.test("members are added by their email, get a role, and are removed", async () => {
  await using api = await testApi();
  const user = await api.user();
  const other = await api.user();
  const shared = await newWorkspace(api, user);
  const members = `/api/workspaces/${shared.workspaceId}/members`;
  const email = await emailOf(other);
  const added = await shared.call("POST", members, { email: email.toUpperCase(), role: "viewer" });
  assert.deepEqual([added.status, added.body.data], [201, {
    user_id: other.userId,
    name: "Jo Doe",
    email,
    role: "viewer",
    created_at: "2026-01-05T12:00:00Z",
  }]);
  const again = await shared.call("POST", members, { email, role: "viewer" });
  assert.deepEqual(again.body.errors, { email: ["The user is a member already."] });
  const unknown = await shared.call("POST", members, { email: "nobody@example.test", role: "viewer" });
  assert.deepEqual(unknown.body.errors, {
    email: ["No user has this email. An administrator creates users."],
  });
  const wrong = await shared.call("POST", members, { email, role: "owner" });
  assert.deepEqual(Object.keys(wrong.body.errors), ["role"]);

  // The new member creates a token for the shared workspace. The request itself uses a token for the member's
  // own workspace.
  const token = {
    name: "t",
    abilities: ["view-backup-tasks", "manage-tags"],
    workspace_id: shared.workspaceId,
  };
  const beyond = await other.call("POST", "/api/tokens", token);
  assert.deepEqual(beyond.body.errors, {
    "abilities.1": ["The role viewer in this workspace lacks the manage-tags ability."],
  });
  const issued = await other.call("POST", "/api/tokens", { ...token, abilities: ["view-backup-tasks"] });
  assert.deepEqual([issued.status, issued.body.data.workspace_id], [201, shared.workspaceId]);
  const task = await newTask(shared);
  const asMember = (path: string) =>
    api.app.request(path, { headers: { Authorization: `Bearer ${issued.body.data.token}` } });
  assert.equal((await asMember(`/api/backup-tasks/${task}`)).status, 200);

  const viewing = await other.call("PUT", `${members}/${other.userId}`, { role: "manager" });
  assert.deepEqual([viewing.status, viewing.body.message], [
    403,
    "The role viewer lacks the manage-workspace ability.",
  ]);
  const changed = await shared.call("PUT", `${members}/${other.userId}`, { role: "operator" });
  assert.equal(changed.body.data.role, "operator");
  const listed = (await other.call("GET", members)).body.data;
  assert.deepEqual(listed.map((each: { user_id: number; role: string }) => [each.user_id, each.role]), [
    [user.userId, "manager"],
    [other.userId, "operator"],
  ]);
  assert.equal((await shared.call("DELETE", `${members}/${other.userId}`)).status, 200);
  assert.equal((await asMember(`/api/backup-tasks/${task}`)).status, 401);
  assert.equal((await other.call("GET", members)).status, 404);
  // If a removed member is added again, the member's old tokens stay revoked.
  await shared.call("POST", members, { email, role: "viewer" });
  assert.equal((await asMember(`/api/backup-tasks/${task}`)).status, 401);
});

Deno.test("the last manager stays, and so does the user of an own workspace", async () => {
  await using api = await testApi();
  const user = await api.user();
  const shared = await newWorkspace(api, user);
  const other = await api.member(shared, "viewer");
  const path = `/api/workspaces/${shared.workspaceId}`;
  const last = "Jo Doe is the last manager of Shared. Make another member a manager first.";
  for (
    const [method, at, body] of [
      ["PUT", `/members/${user.userId}`, { role: "viewer" }],
      ["DELETE", `/members/${user.userId}`, undefined],
      ["DELETE", "/membership", undefined],
    ] as const
  ) {
    const refused = await shared.call(method, path + at, body);
    assert.deepEqual([refused.status, refused.body.message], [409, last], at);
  }
  const deleted = await api.admin.call("DELETE", `/api/users/${user.userId}`);
  assert.deepEqual([deleted.status, deleted.body.message], [409, last]);
  await shared.call("PUT", `${path}/members/${other.userId}`, { role: "manager" });
  assert.equal((await shared.call("DELETE", `${path}/membership`)).status, 200);
  assert.equal((await shared.call("GET", "/api/user")).status, 401);
  assert.equal((await other.call("GET", path)).body.data.members_count, 1);

  const guest = await api.member(user, "manager");
  const own = await guest.call("DELETE", `/api/workspaces/${user.workspaceId}/members/${user.userId}`);
  assert.deepEqual([own.status, own.body.message], [
    409,
    "It is the own workspace of Jo Doe, who stays its manager.",
  ]);
});

Deno.test("managers who remove each other at once don't both succeed", async () => {
  await using api = await testApi();
  const one = await newWorkspace(api, await api.user());
  const two = await api.member(one, "manager");
  const path = `/api/workspaces/${one.workspaceId}/members`;
  const answers = await Promise.all([
    one.call("DELETE", `${path}/${two.userId}`),
    two.call("DELETE", `${path}/${one.userId}`),
  ]);
  const statuses = answers.map(({ status }) => status).sort();
  assert.equal(statuses[0], 200);
  assert.notEqual(statuses[1], 200);
  const rows = await api.database`
    select from workspace_members where workspace_id = ${one.workspaceId} and role = 'manager'`;
  assert.equal(rows.length, 1);
});

Deno.test("a token for a shared workspace reaches neither the user's other workspaces nor their tokens", async () => {
  await using api = await testApi();
  const user = await api.user();
  const shared = await newWorkspace(api, user);
  const listed = (await shared.call("GET", "/api/workspaces")).body;
  assert.deepEqual([listed.meta.total, listed.data[0].id], [1, shared.workspaceId]);
  assert.equal((await shared.call("GET", `/api/workspaces/${user.workspaceId}`)).status, 404);
  const body = { name: "out", abilities: ["view-tags"], workspace_id: user.workspaceId };
  const refused = await shared.call("POST", "/api/tokens", body);
  assert.deepEqual(refused.body.errors, { workspace_id: ["The selected workspace is invalid."] });
  const made = await user.call("POST", "/api/tokens", { name: "own", abilities: ["view-tags"] });
  assert.equal(made.body.data.workspace_id, user.workspaceId);
  const { id } = made.body.data;
  assert.equal((await shared.call("GET", `/api/tokens/${id}`)).status, 404);
  assert.equal((await shared.call("DELETE", `/api/tokens/${id}`)).status, 404);
  assert.equal((await shared.call("PUT", `/api/tokens/${id}`, { name: "x" })).status, 404);
  const total = async (client: ApiClient, path = "/api/tokens") =>
    (await client.call("GET", path)).body.meta.total;
  assert.deepEqual([await total(shared), await total(user)], [1, 3]);
  const { row: session } = await api.database.begin((sql) =>
    openSession(sql, user.userId, { address: null, userAgent: null }, api.clock.now())
  );
  assert.deepEqual([await total(shared, "/api/sessions"), await total(user, "/api/sessions")], [0, 1]);
  assert.equal((await shared.call("DELETE", `/api/sessions/${session.id}`)).status, 404);
  assert.equal((await user.call("DELETE", `/api/sessions/${session.id}`)).status, 200);
});

Deno.test("administrators list and manage all workspaces, and see records only as members", async () => {
  await using api = await testApi();
  const shared = await newWorkspace(api, await api.user());
  const task = await newTask(shared);
  const path = `/api/workspaces/${shared.workspaceId}`;
  assert.equal((await api.admin.call("GET", "/api/workspaces")).body.meta.total, 1);
  assert.equal((await api.admin.call("GET", "/api/workspaces?all=true")).body.meta.total, 3);
  assert.equal((await shared.call("GET", "/api/workspaces?all=true")).status, 403);
  assert.equal((await api.admin.call("GET", path)).body.data.role, null);
  assert.equal((await api.admin.call("GET", `/api/backup-tasks/${task}`)).status, 404);
  const token = { name: "t", abilities: ["view-backup-tasks"], workspace_id: shared.workspaceId };
  const refused = await api.admin.call("POST", "/api/tokens", token);
  assert.deepEqual(refused.body.errors, { workspace_id: ["The selected workspace is invalid."] });
  const forUser = await api.admin.call("POST", `/api/users/${api.admin.userId}/tokens`, token);
  assert.deepEqual(forUser.body.errors, { workspace_id: ["The selected workspace is invalid."] });
  const own = { email: await emailOf(api.admin), role: "viewer" };
  assert.equal((await api.admin.call("POST", `${path}/members`, own)).status, 201);
  const issued = await api.admin.call("POST", "/api/tokens", token);
  assert.equal(issued.status, 201);
  const headers = { Authorization: `Bearer ${issued.body.data.token}` };
  assert.equal((await api.app.request(`/api/backup-tasks/${task}`, { headers })).status, 200);
});

Deno.test("the audit log names the workspace, and its managers read their part", async () => {
  await using api = await testApi();
  const user = await api.user();
  const shared = await newWorkspace(api, user);
  await shared.call("POST", "/api/tags", { label: "theirs" });
  await user.call("POST", "/api/tags", { label: "own" });
  const path = `/api/workspaces/${shared.workspaceId}/audit-log`;
  const { data } = (await shared.call("GET", path)).body;
  assert.deepEqual(
    data.map((each: { action: string; workspace_id: number }) => [each.action, each.workspace_id]),
    [["createTag", shared.workspaceId]],
  );
  assert.equal((await shared.call("GET", `${path}?action=deleteTag`)).body.meta.total, 0);
  const all = await api.admin.call("GET", `/api/audit-log?workspace_id=${user.workspaceId}&action=createTag`);
  assert.equal(all.body.meta.total, 1);
  const viewer = await api.member(shared, "viewer");
  assert.equal((await viewer.call("GET", path)).status, 403);
});

Deno.test("a stream ends when the member is removed, and not when the role still allows it", async () => {
  await using api = await testApi();
  const shared = await newWorkspace(api, await api.user());
  const task = await newTask(shared);
  await newRun(api.database, task, api.clock.now(), { state: "running", attempt: 1 });
  const path = `/api/workspaces/${shared.workspaceId}/members`;
  const member = await api.member(shared, "viewer");
  const response = await api.app.request(`/api/backup-tasks/${task}/latest-log/stream`, {
    headers: { Authorization: `Bearer ${member.token}` },
  });
  assert.equal(response.status, 200);
  let isOver = false;
  void response.text().finally(() => isOver = true);
  await shared.call("PUT", `${path}/${member.userId}`, { role: "operator" });
  assert.equal((await member.call("GET", `/api/backup-tasks/${task}`)).status, 200);
  assert.ok(!isOver);
  await shared.call("DELETE", `${path}/${member.userId}`);
  await until(() => isOver, 10_000);
});

Deno.test("a session begins in the user's own workspace, and acts in the one that the user chooses", async () => {
  await using api = await testApi();
  const account = await newAccount(api);
  const browser = await loggedIn(api, account);
  const userId = account.id;
  const owner = await newWorkspace(api, await api.user());
  await api.database`
    insert into workspace_members (workspace_id, user_id, role, created_at)
    values (${owner.workspaceId}, ${userId}, 'operator', ${api.clock.now()})`;
  const task = await newTask(owner);
  await newRun(api.database, task, api.clock.now(), { state: "running", attempt: 1 });
  const choose = (workspace_id: number) => browser.call("PUT", "/api/session/workspace", { workspace_id });
  const current = async () => (await browser.call("GET", "/api/user")).body.data.workspace;
  const own = await current();
  assert.equal(own.role, "manager");
  assert.equal((await browser.call("GET", `/api/backup-tasks/${task}`)).status, 404);
  assert.deepEqual((await choose(own.id + 12345)).body.errors, {
    workspace_id: ["The selected workspace is invalid."],
  });
  assert.equal((await choose(owner.workspaceId)).body.data.role, "operator");
  assert.deepEqual(await current(), { id: owner.workspaceId, name: "Shared", role: "operator" });
  assert.equal((await browser.call("POST", `/api/backup-tasks/${task}/pause`)).status, 200);
  const refused = await browser.call("PUT", `/api/backup-tasks/${task}`, { label: "x" });
  assert.equal(refused.body.message, "The role operator lacks the update-backup-tasks ability.");
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await api.app.request(`/api/backup-tasks/${task}/latest-log/stream`, {
    headers: { Cookie: cookie },
  });
  assert.equal(response.status, 200);
  let isOver = false;
  void response.text().finally(() => isOver = true);
  await owner.call("DELETE", `/api/workspaces/${owner.workspaceId}/members/${userId}`);
  await until(() => isOver, 10_000);
  assert.deepEqual(await current(), own);
});

Deno.test("the control plane is exported only where administrators alone read backups", async () => {
  await using api = await testApi();
  const shared = await newWorkspace(api, api.admin);
  const task = await newTask(shared, { type: "control_plane", source_path: undefined });
  const run = await newRun(api.database, task, api.clock.now(), { state: "running", attempt: 1 });
  assert.equal(await mayExport(api.database, run), true);
  await api.member(shared, "operator");
  assert.equal(await mayExport(api.database, run), true);
  const restorer = await api.member(shared, "restorer");
  assert.equal(await mayExport(api.database, run), false);
  await api.database`update users set is_admin = true where id = ${restorer.userId}`;
  assert.equal(await mayExport(api.database, run), true);
  await api.database`update users set is_admin = false where id = ${api.admin.userId}`;
  assert.equal(await mayExport(api.database, run), false);
});
