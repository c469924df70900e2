/**
 * Tests every endpoint with a member of each role, with records of the member's workspace and of another
 * workspace. The endpoints come from the registry, so a new endpoint is tested without being listed here.
 */
import assert from "node:assert/strict";
import { ABILITIES, type Ability } from "../../src/domain/abilities.ts";
import { type Role, ROLES } from "../../src/domain/access/roles.ts";
import { type ApiClient, type TestApi, testApi } from "../support/clients/api.ts";
import {
  ask,
  forTokens,
  idIn,
  MISSING,
  type Records,
  recordsOf,
  titleOf,
  unchanged,
} from "../support/fixtures/endpoints.ts";

const ALL: readonly Role[] = ["viewer", "operator", "restorer", "manager"];

/**
 * The roles that have each ability. The test fails if an ability is missing here. To add an ability, decide
 * which roles have it, and enter them here and in `src/domain/access/roles.ts`.
 */
const DECIDED: Readonly<Record<Ability, readonly Role[]>> = {
  "view-tags": ALL,
  "manage-tags": ["manager"],
  "view-backup-destinations": ALL,
  "create-backup-destinations": ["manager"],
  "update-backup-destinations": ["manager"],
  "delete-backup-destinations": ["manager"],
  "view-remote-servers": ALL,
  "create-remote-servers": ["manager"],
  "update-remote-servers": ["manager"],
  "delete-remote-servers": ["manager"],
  "view-notification-streams": ALL,
  "create-notification-streams": ["manager"],
  "update-notification-streams": ["manager"],
  "delete-notification-streams": ["manager"],
  "view-backup-tasks": ALL,
  "create-backup-tasks": ["manager"],
  "update-backup-tasks": ["manager"],
  "delete-backup-tasks": ["manager"],
  "view-scripts": ALL,
  "create-scripts": ["manager"],
  "update-scripts": ["manager"],
  "delete-scripts": ["manager"],
  "run-backup-tasks": ["operator", "manager"],
  "pause-backup-tasks": ["operator", "manager"],
  "restore-backups": ["restorer", "manager"],
  "delete-backups": ["manager"],
  "manage-tokens": ALL,
  "manage-workspace": ["manager"],
  "admin": [],
};

const mayCall = (role: Role, access: string) =>
  access === "any token" || DECIDED[access as Ability].includes(role);

/** Endpoints about the caller's own account, tokens and workspaces: they list no records of a workspace. */
const isOfAccount = ({ path }: { path: string }) =>
  /^\/api\/(user|tokens|sessions|ssh-key|workspaces)\b/.test(path);

interface Members {
  readonly owner: ApiClient;
  readonly records: Records;
  /** One member for each role, with a token that has every ability. */
  readonly byRole: ReadonlyMap<Role, ApiClient>;
}

async function membersOf(api: TestApi): Promise<Members> {
  const owner = await api.user();
  const byRole = new Map<Role, ApiClient>();
  for (const role of ROLES) byRole.set(role, await api.member(owner, role));
  return { owner, records: await recordsOf(api, owner), byRole };
}

Deno.test("every ability belongs to the roles that this test names, and every role and endpoint is known", () => {
  assert.deepEqual(Object.keys(DECIDED).sort(), [...ABILITIES].sort());
  assert.deepEqual([...ROLES].sort(), [...ALL].sort());
  for (const endpoint of forTokens) {
    assert.ok(endpoint.access === "any token" || endpoint.access in DECIDED, titleOf(endpoint));
  }
});

Deno.test("a role that lacks an endpoint's ability is refused by its name, and changes nothing", async (t) => {
  await using api = await testApi();
  const { records, byRole } = await membersOf(api);
  for (const endpoint of forTokens) {
    const refused = [...byRole].filter(([role]) => !mayCall(role, endpoint.access));
    if (refused.length === 0) continue;
    await t.step(titleOf(endpoint), async () => {
      const answers = await unchanged(
        api,
        () => Promise.all(refused.map(([, client]) => ask(client, endpoint, idIn(records)))),
      );
      for (const [index, [role]] of refused.entries()) {
        const answer = answers[index]!;
        const lacks = endpoint.access === "admin" ? "This token lacks" : `The role ${role} lacks`;
        assert.deepEqual([answer.status, answer.body], [403, {
          error: "Forbidden",
          message: `${lacks} the ${endpoint.access} ability.`,
        }]);
      }
    });
  }
});

Deno.test("every role is admitted to the endpoints whose ability it has, with the records of its workspace", async (t) => {
  await using api = await testApi();
  // Deletions come last. At the very end, the caller leaves the workspace.
  const order = ["get", "post", "put", "delete"];
  for (const role of ROLES) {
    const { records, byRole } = await membersOf(api);
    const client = byRole.get(role)!;
    const admitted = forTokens.filter(({ access }) => mayCall(role, access))
      .toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method))
      .toSorted((a, b) =>
        Number(a.operationId === "leaveWorkspace") - Number(b.operationId === "leaveWorkspace")
      );
    for (const endpoint of admitted) {
      await t.step(`${role}: ${titleOf(endpoint)}`, async () => {
        const own = { ...records, Token: (await tokenOf(client)).id };
        const answer = await ask(client, endpoint, idIn(own));
        assert.ok(![401, 403].includes(answer.status), JSON.stringify(answer.body));
        if (endpoint.method === "get") assert.notEqual(answer.status, 404);
      });
    }
  }
});

async function tokenOf(client: ApiClient) {
  const body = { name: "more", abilities: ["view-tags"] };
  return (await client.call("POST", "/api/tokens", body)).body.data;
}

Deno.test("no role reaches the records of another workspace: they are as missing", async (t) => {
  await using api = await testApi();
  const foreign = await membersOf(api);
  const { byRole } = await membersOf(api);
  for (const endpoint of forTokens.filter(({ ids, access }) => ids !== undefined && access !== "admin")) {
    await t.step(titleOf(endpoint), async () => {
      const all = [...byRole];
      const answers = await unchanged(
        api,
        () => Promise.all(all.map(([, client]) => ask(client, endpoint, idIn(foreign.records)))),
      );
      for (const [index, [role, client]] of all.entries()) {
        const theirs = answers[index]!;
        const missing = await ask(client, endpoint, () => MISSING);
        assert.equal(theirs.status, mayCall(role, endpoint.access) ? 404 : 403, role);
        assert.deepEqual([theirs.status, theirs.body], [missing.status, missing.body]);
      }
    });
  }
});

Deno.test("listings hold the workspace's records for every member, and none of the member's own workspace", async () => {
  await using api = await testApi();
  const { owner, byRole } = await membersOf(api);
  const lists = forTokens.filter((each) =>
    each.method === "get" && /^list/.test(each.operationId) && each.ids === undefined &&
    each.access !== "admin" &&
    !isOfAccount(each)
  );
  assert.ok(lists.length >= 6);
  for (const { path } of lists) {
    const expected = (await owner.call("GET", path)).body;
    assert.ok(expected.data.length > 0, path);
    for (const [role, client] of byRole) {
      const { body } = await client.call("GET", path);
      assert.deepEqual(body.data, expected.data, `${role} ${path}`);
      const own = await api.ofOwnWorkspace(client);
      assert.deepEqual((await own.call("GET", path)).body.data, [], `${role} ${path}`);
    }
  }
});

Deno.test("a change of the role is in force at the next request, and a removal ends the token", async () => {
  await using api = await testApi();
  const { byRole, records, owner } = await membersOf(api);
  const client = byRole.get("operator")!;
  const path = `/api/backup-tasks/${records["Backup task"]}`;
  assert.equal((await client.call("POST", `${path}/pause`)).status, 200);
  const setRole = (role: Role) =>
    api.database`
      update workspace_members set role = ${role}
      where workspace_id = ${owner.workspaceId} and user_id = ${client.userId}`;
  await setRole("viewer");
  const refused = await client.call("POST", `${path}/resume`);
  assert.equal(refused.body.message, "The role viewer lacks the pause-backup-tasks ability.");
  await setRole("manager");
  assert.equal((await client.call("POST", `${path}/resume`)).status, 200);
  await api.database`
    delete from workspace_members where workspace_id = ${owner.workspaceId} and user_id = ${client.userId}`;
  assert.equal((await client.call("GET", path)).status, 401);
});

Deno.test("a token allows no more than it says, whatever the role", async () => {
  await using api = await testApi();
  const { owner, records } = await membersOf(api);
  const client = await api.member(owner, "manager", ["view-backup-tasks"]);
  const path = `/api/backup-tasks/${records["Backup task"]}`;
  assert.equal((await client.call("GET", path)).status, 200);
  const refused = await client.call("POST", `${path}/run`);
  assert.equal(refused.body.message, "This token lacks the run-backup-tasks ability.");
  // The token has a broader ability, which includes the ability that the endpoint requires.
  const updating = await api.member(owner, "manager", ["update-backup-tasks", "manage-tags"]);
  assert.equal((await updating.call("POST", `${path}/pause`)).status, 200);
  assert.equal((await updating.call("GET", "/api/tags")).status, 200);
});
