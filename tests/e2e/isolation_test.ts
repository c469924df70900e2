/**
 * Tests every endpoint with another user's record. The response is the same as for a missing record, and the
 * record stays unchanged.
 */
import assert from "node:assert/strict";
import { ABILITIES, withContained } from "../../src/domain/abilities.ts";
import { openapiDocument } from "../../src/http/openapi.ts";
import { ENDPOINTS, GROUPS } from "../../src/http/routes.ts";
import { type ApiClient, testApi } from "../support/clients/api.ts";
import { contentsOf } from "../support/assertions/contents.ts";
import {
  ask,
  forTokens,
  forUsers,
  idIn,
  MISSING,
  needed,
  recordsOf,
  RESOURCE_OF,
  titleOf,
  unchanged,
} from "../support/fixtures/endpoints.ts";

const withIds = forTokens.filter(({ ids, access }) => ids !== undefined && access !== "admin");

Deno.test("what is tested here is what is served, and every part of a path that varies is an id", () => {
  const { paths } = openapiDocument(ENDPOINTS, GROUPS, null, "0");
  const documented = Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`)
  );
  assert.deepEqual(documented.sort(), ENDPOINTS.map(titleOf).sort());
  for (const { path, ids } of forTokens) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    assert.deepEqual(names, Object.keys(ids ?? {}), path);
  }
  // Endpoints for administrators are left out, because administrators see the records of all users.
  for (const { body, query, path } of forTokens.filter(({ access }) => access !== "admin")) {
    const fields = [...Object.keys(body?.schema.shape ?? {}), ...Object.keys(query?.shape ?? {})];
    for (const field of fields.filter((name) => /_ids?$/.test(name))) {
      assert.ok(RESOURCE_OF[field] !== undefined, `${path}: say here which resource ${field} names`);
    }
  }
});

/** The endpoints that require no ability. Any endpoint that is not listed must require one. */
const WITHOUT_ABILITY: Readonly<Record<string, readonly string[]>> = {
  "any token": [
    "GET /api/deleted-records",
    "GET /api/ssh-key",
    "GET /api/user",
    "GET /api/workspaces",
    "GET /api/workspaces/{id}",
    "GET /api/workspaces/{id}/members",
    "POST /api/backup-tasks/bulk",
    "PUT /api/user",
  ],
  "session": [
    "DELETE /api/user/totp",
    "GET /api/session",
    "POST /api/logout",
    "POST /api/session/step-up",
    "POST /api/user/passkeys",
    "POST /api/user/passkeys/options",
    "POST /api/user/recovery-codes",
    "POST /api/user/totp",
    "POST /api/user/totp/confirm",
    "PUT /api/session/workspace",
  ],
  "trigger": ["POST /api/backup-tasks/{id}/trigger"],
  "agent": [
    "GET /api/agent/connect",
    "GET /api/agent/export",
    "GET /api/agent/objects",
    "POST /api/agent/enrol",
    "POST /api/agent/streams/{stream}",
  ],
  "public": [
    "GET /api/login/methods",
    "GET /api/openapi.json",
    "GET /healthz",
    "GET /metrics",
    "GET /openapi.json",
    "GET /readyz",
    "POST /api/login",
    "POST /api/login/code",
    "POST /api/login/openid",
    "POST /api/login/openid/start",
    "POST /api/login/passkey",
    "POST /api/login/passkey/options",
    "POST /api/login/setup",
    "POST /api/login/setup/user",
  ],
};

/**
 * These endpoints only read, although they use POST. `/api/schedules/preview` uses POST because it takes the
 * fields of a task. The other three use POST because the body can contain a secret key (identity), and a URL
 * must not contain a secret key.
 */
const READING_POSTS = new Set([
  "/api/backups/{id}/files",
  "/api/backup-tasks/{id}/files",
  "/api/backups/files",
  "/api/schedules/preview",
]);

Deno.test("an endpoint asks for an ability, unless it is known not to; who only views changes nothing", () => {
  for (const [access, titles] of Object.entries(WITHOUT_ABILITY)) {
    assert.deepEqual(ENDPOINTS.filter((each) => each.access === access).map(titleOf).sort(), titles);
  }
  for (const endpoint of forTokens.filter(({ access }) => /^view-/.test(access))) {
    if (READING_POSTS.has(endpoint.path)) continue;
    assert.equal(endpoint.method, "get", titleOf(endpoint));
  }
});

Deno.test("every endpoint with an id hides other people's records, and leaves them as they are", async (t) => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  const records = await recordsOf(api, owner);
  await recordsOf(api, other);
  for (const endpoint of withIds) {
    await t.step(titleOf(endpoint), async () => {
      const theirs = await unchanged(api, () => ask(other, endpoint, idIn(records)));
      const missing = await ask(other, endpoint, () => MISSING);
      const nonsense = await ask(other, endpoint, () => "x1");
      assert.equal(theirs.status, 404);
      assert.deepEqual([theirs.status, theirs.body], [missing.status, missing.body]);
      assert.deepEqual([theirs.status, theirs.body], [nonsense.status, nonsense.body]);
    });
  }
});

Deno.test("no field takes other people's records", async (t) => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  const records = await recordsOf(api, owner);
  const own = await recordsOf(api, other);
  for (const endpoint of forTokens.filter(({ access }) => access !== "admin")) {
    for (const field of Object.keys(endpoint.body?.schema.shape ?? {})) {
      const resource = RESOURCE_OF[field];
      if (resource === undefined) continue;
      await t.step(`${titleOf(endpoint)}: ${field}`, async () => {
        const example = Object.fromEntries(
          Object.entries(endpoint.body!.example as Record<string, unknown>).map(([name, value]) => {
            const mine = RESOURCE_OF[name] === undefined ? value : idIn(own)(RESOURCE_OF[name]);
            return [name, name.endsWith("_ids") ? [mine].flat() : mine];
          }),
        );
        const withId = (id: number) => ({ ...example, [field]: field.endsWith("_ids") ? [id] : id });
        const theirs = await unchanged(
          api,
          () => ask(other, endpoint, idIn(own), withId(idIn(records)(resource))),
        );
        assert.equal(theirs.status, 422, JSON.stringify(theirs.body));
        assert.deepEqual(Object.keys(theirs.body.errors), [field]);
        const missing = await ask(other, endpoint, idIn(own), withId(MISSING));
        assert.deepEqual([missing.status, missing.body], [theirs.status, theirs.body]);
      });
    }
  }
});

Deno.test("listings hold the caller's own records only", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  await recordsOf(api, owner);
  const lists = forTokens.filter(({ method, operationId, ids, access }) =>
    method === "get" && /^list/.test(operationId) && ids === undefined && access !== "admin"
  );
  assert.ok(lists.length >= 6);
  // Each user has a token and a workspace.
  const atStart = new Map([["/api/tokens", 1], ["/api/workspaces", 1]]);
  for (const { path } of lists) {
    const { status, body } = await other.call("GET", path);
    assert.deepEqual([status, body.meta.total], [200, atStart.get(path) ?? 0], path);
    assert.ok((await owner.call("GET", path)).body.meta.total > 0, path);
  }
});

Deno.test("a token that lacks an endpoint's ability is refused by its name, with its own user's records", async (t) => {
  await using api = await testApi();
  // The tokens belong to an administrator, so a request can be refused only because of the missing ability.
  const records = await recordsOf(api, api.admin);
  const needing = forTokens.filter(({ access }) => access !== "any token");
  assert.deepEqual(new Set(needing.map(({ access }) => access)), new Set(ABILITIES));
  const lacking = new Map<string, ApiClient>();
  for (const ability of ABILITIES) {
    const others = ABILITIES.filter((each) => !withContained([each]).has(ability));
    lacking.set(ability, await api.tokenOf(api.admin, others));
  }
  for (const endpoint of needing) {
    await t.step(titleOf(endpoint), async () => {
      const answer = await unchanged(
        api,
        () => ask(lacking.get(endpoint.access)!, endpoint, idIn(records)),
      );
      assert.deepEqual([answer.status, answer.body], [403, {
        error: "Forbidden",
        message: `This token lacks the ${endpoint.access} ability.`,
      }]);
    });
  }
});

Deno.test("no token does what needs a session", async () => {
  await using api = await testApi();
  for (const endpoint of forUsers.filter(({ access }) => access === "session")) {
    const answer = await unchanged(api, () => ask(api.admin, endpoint, () => MISSING));
    assert.deepEqual(
      [answer.status, answer.body.message],
      [403, "This needs a log-in with a browser; a token is not enough."],
      titleOf(endpoint),
    );
  }
});

Deno.test("who is no administrator has no administrator's endpoint, whatever the token says", async () => {
  await using api = await testApi();
  const other = await api.user(ABILITIES);
  const records = await recordsOf(api, api.admin);
  const ofAdministrators = forTokens.filter(({ access }) => access === "admin");
  assert.ok(ofAdministrators.length >= 7);
  for (const endpoint of ofAdministrators) {
    const answer = await unchanged(api, () => ask(other, endpoint, idIn(records)));
    assert.equal(answer.status, 403, titleOf(endpoint));
  }
});

Deno.test("without a token, with a foreign one and with an agent's key nothing is told or done", async () => {
  await using api = await testApi();
  const records = await recordsOf(api, api.admin);
  const enrolment = await api.admin.call(
    "POST",
    `/api/remote-servers/${records["Remote server"]}/enrolment-tokens`,
  );
  const agent = { version: "0", hostname: "h", os: "linux", arch: "x86_64", tools: {} };
  const enrolled = await api.app.request("/api/agent/enrol", {
    method: "POST",
    headers: { Authorization: `Bearer ${enrolment.body.data.token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ agent }),
  });
  const { agent_key } = (await enrolled.json()).data;
  assert.match(agent_key, /^rga_/);
  const bearers: Record<string, string>[] = [
    {},
    { Authorization: "Bearer rg_unknown" },
    { Authorization: `Basic ${btoa("a:b")}` },
    { Authorization: `Bearer ${agent_key}` },
  ];
  const before = await contentsOf(api.database);
  for (const endpoint of forUsers) {
    const path = endpoint.path.replaceAll(
      /\{(\w+)\}/g,
      (_, name) => String(idIn(records)(endpoint.ids![name!]!)),
    );
    for (const headers of bearers) {
      const answer = await api.app.request(path + needed(endpoint), {
        method: endpoint.method.toUpperCase(),
        headers: { ...headers, "Content-Type": "application/json" },
        ...(endpoint.body === undefined ? {} : { body: JSON.stringify(endpoint.body.example) }),
      });
      assert.deepEqual(
        [answer.status, await answer.json()],
        [401, { message: "Unauthenticated." }],
        titleOf(endpoint),
      );
    }
  }
  // No endpoint for agents accepts the token of a user.
  for (const endpoint of ENDPOINTS.filter(({ access }) => access === "agent")) {
    const answer = await api.app.request(
      endpoint.path.replace("{stream}", "x") + "?run_id=1&attempt=1&name=x",
      {
        method: endpoint.method.toUpperCase(),
        headers: {
          Authorization: `Bearer ${api.admin.token}`,
          "Content-Type": "application/json",
          "X-Stream-Size": "1",
        },
        ...(endpoint.body === undefined ? {} : { body: JSON.stringify(endpoint.body.example) }),
      },
    );
    // A 503 is accepted, too: the agents' sockets need a hub, and this application has no hub.
    assert.ok([401, 503].includes(answer.status), `${titleOf(endpoint)}: ${answer.status}`);
  }
  assert.deepEqual(await contentsOf(api.database), before);
});
