/** Somebody else's record answers exactly as one that does not exist: on every endpoint with an id. */
import assert from "node:assert/strict";
import type { ZodType } from "zod";
import type { Endpoint } from "../src/http/endpoint.ts";
import { ENDPOINTS } from "../src/http/routes.ts";
import { type ApiClient, type TestApi, testApi } from "./support/api.ts";
import { newBackup, newDestination, newRun, newServer, newTask } from "./support/records.ts";

const MISSING = 987_654;

/** One record of each resource, by the name that a 404 tells. */
async function recordsOf(api: TestApi, owner: ApiClient): Promise<Record<string, number>> {
  const task = await newTask(owner);
  const create = async (path: string, body: unknown) => (await owner.call("POST", path, body)).body.data.id;
  return {
    "Backup task": task,
    "Backup task log": await newRun(api.database, task, api.clock.now()),
    "Backup": await newBackup(api.database, task, api.clock.now()),
    "Remote server": await newServer(owner),
    "Backup destination": await newDestination(owner),
    "Tag": await create("/api/tags", { label: "mine" }),
    "Token": await create("/api/tokens", { name: "mine", abilities: ["manage-tags"] }),
    "Notification stream": await create("/api/notification-streams", {
      label: "mine",
      type: "email",
      value: "jo@example.test",
      notifications: { on_success: true, on_failure: true },
    }),
  };
}

/** What an endpoint can't be asked without. */
function needed({ query }: Endpoint): string {
  const fields = Object.entries(query?.shape ?? {}) as [string, ZodType][];
  const names = fields.filter(([, schema]) => !schema.safeParse(undefined).success).map(([name]) => name);
  return names.length === 0 ? "" : `?${names.map((name) => `${name}=x`).join("&")}`;
}

const withIds = ENDPOINTS.filter(({ ids, access }) => ids !== undefined && access !== "admin");

Deno.test("every endpoint with an id hides other people's records", async (t) => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  const records = await recordsOf(api, owner);
  const ask = (endpoint: Endpoint, idOf: (resource: string) => number | string) => {
    const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name) => String(idOf(endpoint.ids![name]!)));
    return other.call(endpoint.method.toUpperCase(), path + needed(endpoint), endpoint.body?.example);
  };
  for (const endpoint of withIds) {
    await t.step(`${endpoint.method.toUpperCase()} ${endpoint.path}`, async () => {
      const theirs = await ask(endpoint, (resource) => {
        assert.ok(records[resource], `Add a ${resource} to this test`);
        return records[resource];
      });
      const missing = await ask(endpoint, () => MISSING);
      const nonsense = await ask(endpoint, () => "x1");
      assert.equal(theirs.status, 404);
      assert.deepEqual([theirs.status, theirs.body], [missing.status, missing.body]);
      assert.deepEqual([theirs.status, theirs.body], [nonsense.status, nonsense.body]);
    });
  }
});

Deno.test("listings hold the caller's own records only", async () => {
  await using api = await testApi();
  const owner = await api.user();
  const other = await api.user();
  await recordsOf(api, owner);
  const lists = ENDPOINTS.filter(({ method, operationId, ids, access }) =>
    method === "get" && /^list/.test(operationId) && ids === undefined && access !== "admin"
  );
  assert.ok(lists.length >= 6);
  const ownTokens = 1;
  for (const { path } of lists) {
    const { status, body } = await other.call("GET", path);
    assert.deepEqual([status, body.meta.total], [200, path === "/api/tokens" ? ownTokens : 0], path);
    assert.ok((await owner.call("GET", path)).body.meta.total > 0, path);
  }
});
